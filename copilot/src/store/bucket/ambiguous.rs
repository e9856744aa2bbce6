//! Uploads that began without our knowing: the answer to the request was lost, or the process that began
//! them was killed.
//!
//! Such a request is sent again, and the store may then have begun two uploads of which we know one id.
//! Nobody else ends the other one, and its parts cost money. So the uploads of the key are listed, and
//! those that began while we were asking are aborted: never more of them than attempts were ambiguous,
//! since an upload of a second writer of the same key is not ours to abort. Where that fails the log
//! says so.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, header};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};

use super::Bucket;
use super::document::{self, DocumentError};
use super::listing::{Dialect, encoded};
use crate::store::backend::{Backend as _, ObjectAddress};
use crate::store::error::{Cause, StoreError};
use crate::store::http::{FailureKind, RequestFailure};

/// Time for all of it: it comes after the upload has ended one way or the other.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The most uploads of one key that a killed process has begun: more are not its own. The retries of one
/// request are at most ten, and an upload begins anew once.
const MOST_ATTEMPTS: u32 = 20;

/// Stores report whole seconds, and their clocks differ from ours by some more.
pub(super) const GRAIN: Duration = Duration::from_secs(2);

/// The request that began an upload, and how many of its attempts may have begun another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct AmbiguousStart {
    /// When the first attempt was sent.
    since: Instant,
    /// Attempts that failed and may have worked all the same.
    pub(super) attempts: u32,
}

/// Why the uploads of a key cannot be found or aborted.
#[derive(Debug, thiserror::Error)]
enum AbortError {
    #[error("they cannot be listed: {0}")]
    List(#[from] RequestFailure),
    #[error("the list of uploads cannot be read: {0}")]
    Body(#[from] object_store::client::HttpError),
    #[error("the answer is not a list of uploads: {0}")]
    Form(#[from] DocumentError),
    #[error("{found} uploads of it began meanwhile, and only {attempts} can be ours")]
    TooMany { found: usize, attempts: u32 },
    #[error("the list does not say when one of them began")]
    NoDate,
    #[error("{0}")]
    Key(&'static str),
    #[error("{}", crate::store::http::causes(.0))]
    Abort(#[from] object_store::Error),
}

/// An entry of a listing of uploads (S3's, which Google's XML interface gives as well).
#[derive(Debug, Default)]
struct ListedUpload {
    key: String,
    id: String,
    initiated: Option<String>,
}

/// Reads a listing of uploads. Another document, such as a listing of objects by a server that does not know
/// the request, is an error and not an empty list.
fn listed(body: &[u8]) -> Result<Vec<ListedUpload>, DocumentError> {
    let (mut uploads, mut upload) = (Vec::new(), ListedUpload::default());
    document::read(body, "ListMultipartUploadsResult", |element| {
        match element.path {
            ["Upload", "Key"] => element.text.clone_into(&mut upload.key),
            ["Upload", "UploadId"] => element.text.clone_into(&mut upload.id),
            ["Upload", "Initiated"] => upload.initiated = Some(element.text.to_owned()),
            ["Upload"] => uploads.push(std::mem::take(&mut upload)),
            _ => {}
        }
        Ok::<(), DocumentError>(())
    })?;
    Ok(uploads)
}

impl AmbiguousStart {
    /// A request that is sent now.
    pub(super) fn now() -> Self {
        Self {
            since: Instant::now(),
            attempts: 0,
        }
    }

    /// The time since the first attempt was sent.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Aborts the uploads that began without our knowing; `own` is the id that we know.
    pub(super) async fn abort_others(
        self,
        bucket: &Bucket,
        target: &ObjectAddress,
        own: Option<&str>,
    ) {
        // We name Azure's blocks ourselves, and they begin nothing.
        if self.attempts == 0 || bucket.dialect == Dialect::Azure {
            return;
        }
        let object = bucket.location(&target.reference).object;
        let aborted = tokio::time::timeout(TIMEOUT, self.abort_since(bucket, &target.key, own));
        let reason = match aborted.await {
            Ok(Ok(count)) => {
                tracing::debug!(object, count, "aborted uploads whose ids were lost");
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", TIMEOUT.as_secs()),
        };
        tracing::warn!(
            object,
            reason,
            "an unfinished multipart upload may remain in the store: the answer to a request that \
             begins one was lost"
        );
    }

    async fn abort_since(
        self,
        bucket: &Bucket,
        key: &str,
        own: Option<&str>,
    ) -> Result<usize, AbortError> {
        abort_younger(bucket, key, own, self.since.elapsed(), self.attempts).await
    }
}

/// Aborts the uploads of a key that began within the last `age`: a killed process left them.
pub(super) async fn abort_recent(
    bucket: &Bucket,
    target: &ObjectAddress,
    age: Duration,
) -> Result<usize, StoreError> {
    // We name Azure's blocks ourselves, and the store drops them after a week.
    if bucket.dialect == Dialect::Azure {
        return Ok(0);
    }
    let aborted = abort_younger(bucket, &target.key, None, age, MOST_ATTEMPTS).await;
    aborted.map_err(|error| match error {
        AbortError::List(failure) => bucket.failed(failure, target, "listing uploads"),
        error => StoreError::Refused {
            location: bucket.location(&target.reference),
            action: "aborting uploads",
            cause: Cause::new(error.to_string(), error),
        },
    })
}

/// Aborts the uploads of a key that began within the last `age`, but not the upload `own`. Returns how many
/// they were: none is aborted if they are more than `most`.
async fn abort_younger(
    bucket: &Bucket,
    key: &str,
    own: Option<&str>,
    age: Duration,
    most: u32,
) -> Result<usize, AbortError> {
    let answer = uploads_of(bucket, key).await?;
    let since = server_time(answer.headers()) - age - GRAIN;
    let body = answer.into_body().bytes().await?;
    let mut unknown = Vec::new();
    for upload in listed(&body)? {
        let is_other = upload.key == key && Some(upload.id.as_str()) != own;
        if is_other && upload.began()? >= since {
            unknown.push(upload);
        }
    }
    if unknown.len() > most as usize {
        return Err(AbortError::TooMany {
            found: unknown.len(),
            attempts: most,
        });
    }
    for upload in &unknown {
        let path = super::names::path(key).map_err(AbortError::Key)?;
        bucket.store.abort_multipart(&path, &upload.id).await?;
    }
    Ok(unknown.len())
}

impl ListedUpload {
    /// When it began. The date says whether it can be ours, so nothing is aborted without it.
    fn began(&self) -> Result<DateTime<Utc>, AbortError> {
        let date = self.initiated.as_deref();
        let date = date.and_then(|date| DateTime::parse_from_rfc3339(date.trim()).ok());
        date.map(Into::into).ok_or(AbortError::NoDate)
    }
}

async fn uploads_of(bucket: &Bucket, key: &str) -> Result<HttpResponse, RequestFailure> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = Method::GET;
    let address = format!("{}?prefix={}&uploads=", bucket.address, encoded(key));
    *request.uri_mut() = address.parse().map_err(|error| {
        RequestFailure::new(
            FailureKind::Protocol,
            format!("an invalid address: {error}"),
        )
    })?;
    bucket.send(&request).await
}

/// The time by the server's clock; ours, if the server does not say.
pub(super) fn server_time(headers: &HeaderMap) -> DateTime<Utc> {
    let date = headers.get(header::DATE);
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
    date.map_or_else(|| std::time::SystemTime::now().into(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_uploads_is_read() {
        let body = br#"<?xml version="1.0" encoding="UTF-8"?>
            <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <Bucket>b</Bucket><KeyMarker></KeyMarker><IsTruncated>false</IsTruncated>
            <Upload><Key>a&amp;b</Key><UploadId>one</UploadId><Initiator><ID>me</ID></Initiator>
            <StorageClass>STANDARD</StorageClass><Initiated>2026-08-01T10:11:12.345Z</Initiated></Upload>
            <Upload><Key>c</Key><UploadId>two</UploadId><Initiated>2026-08-01T10:11:13Z</Initiated></Upload>
            </ListMultipartUploadsResult>"#;
        let found = listed(body).unwrap().into_iter();
        let read: Vec<_> = found
            .map(|upload| (upload.key, upload.id, upload.initiated.unwrap()))
            .collect();
        assert_eq!(
            read,
            [
                (
                    "a&b".to_owned(),
                    "one".to_owned(),
                    "2026-08-01T10:11:12.345Z".to_owned()
                ),
                (
                    "c".to_owned(),
                    "two".to_owned(),
                    "2026-08-01T10:11:13Z".to_owned()
                )
            ]
        );
        let none = b"<ListMultipartUploadsResult><Bucket>b</Bucket></ListMultipartUploadsResult>";
        assert!(listed(none).unwrap().is_empty());
        let objects = b"<ListBucketResult><Name>b</Name></ListBucketResult>";
        assert!(listed(objects).is_err());
    }

    #[test]
    fn an_upload_without_a_date_is_not_taken_for_ours() {
        let listed = |date: &str| ListedUpload {
            key: "a".to_owned(),
            id: "one".to_owned(),
            initiated: Some(date.to_owned()),
        };
        assert!(listed("2026-08-01T10:11:12.345Z").began().is_ok());
        for date in ["", "yesterday"] {
            let unknown = listed(date).began();
            assert!(matches!(unknown, Err(AbortError::NoDate)), "{date}");
        }
    }
}
