//! What a request that begins an upload may leave behind when its answer is lost.
//!
//! Such a request is sent again, and the store may then have begun two uploads of which we know one.
//! Nobody will ever end the other, and its parts are paid for. So the key's uploads are listed, and
//! what began while we were asking is aborted: no more of them than answers were lost, for a second
//! writer of the same key is not ours to disturb. Where that cannot be done the log says so.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use http::{Method, header};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};
use serde::Deserialize;

use super::Bucket;
use super::listing::{Dialect, encoded};
use crate::store::error::Place;
use crate::store::http::{Answer, Failure, FailureKind};

/// Time for all of it: it comes after the upload has ended one way or the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// Stores tell whole seconds, and their clocks differ by more than none.
const GRAIN: Duration = Duration::from_secs(2);

/// An upload in parts that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its id.
    pub(super) id: String,
    /// What may have begun beside it.
    pub(super) lost: Lost,
}

impl Begun {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Answers that we did not hear.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    /// When the first one was asked for.
    pub(super) since: Instant,
    /// How many there were.
    pub(super) answers: u32,
}

/// A listing of uploads (S3's, which Google's XML interface gives as well).
#[derive(Debug, Deserialize)]
struct Uploads {
    #[serde(default, rename = "Upload")]
    uploads: Vec<Unended>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Unended {
    key: String,
    upload_id: String,
    initiated: DateTime<Utc>,
}

impl Bucket {
    /// Ends what was begun of `key` without our knowing; `own` is the upload that we know.
    pub(super) async fn end_unknown(
        &self,
        key: &str,
        own: Option<&str>,
        lost: Lost,
        place: &Place,
    ) {
        // Azure's blocks are named by us and begin nothing.
        if lost.answers == 0 || self.dialect == Dialect::Azure {
            return;
        }
        let ended = tokio::time::timeout(PATIENCE, self.end_since(key, own, lost)).await;
        let reason = match ended {
            Ok(Ok(count)) => {
                tracing::debug!(object = %place.object, count, "ended uploads whose ids were lost");
                return;
            }
            Ok(Err(reason)) => reason,
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        tracing::warn!(
            object = %place.object,
            reason,
            "an unfinished multipart upload may remain in the store: the answer to a request that \
             begins one was lost"
        );
    }

    async fn end_since(&self, key: &str, own: Option<&str>, lost: Lost) -> Result<usize, String> {
        let answer = self
            .uploads_of(key)
            .await
            .map_err(|failure| format!("they cannot be listed: {failure}"))?;
        let now = server_time(&answer);
        let since = now - lost.since.elapsed() - GRAIN;
        let body = answer.into_body().bytes().await;
        let body = body.map_err(|error| error.to_string())?;
        let found: Uploads = quick_xml::de::from_reader(&*body)
            .map_err(|error| format!("the answer is no list of uploads: {error}"))?;
        let unknown: Vec<_> = found
            .uploads
            .into_iter()
            .filter(|upload| upload.key == key && Some(upload.upload_id.as_str()) != own)
            .filter(|upload| upload.initiated >= since)
            .collect();
        if unknown.len() > lost.answers as usize {
            return Err(format!(
                "{} uploads of it began meanwhile, and only {} can be ours",
                unknown.len(),
                lost.answers
            ));
        }
        for upload in &unknown {
            let path = super::names::path(key).map_err(str::to_owned)?;
            let aborted = self.store.abort_multipart(&path, &upload.upload_id).await;
            aborted.map_err(|error| crate::store::http::causes(&error))?;
        }
        Ok(unknown.len())
    }

    async fn uploads_of(&self, key: &str) -> Result<HttpResponse, Failure> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::GET;
        let address = format!("{}?prefix={}&uploads=", self.address, encoded(key));
        *request.uri_mut() = address
            .parse()
            .map_err(|error| Failure::new(FailureKind::Protocol, format!("no address: {error}")))?;
        self.requests
            .send(&request, self.authorize.as_ref(), Answer::Whole)
            .await
    }
}

/// What time it is there.
fn server_time(answer: &HttpResponse) -> DateTime<Utc> {
    let date = answer.headers().get(header::DATE);
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
        let found: Uploads = quick_xml::de::from_reader(&body[..]).unwrap();
        let read: Vec<_> = { found.uploads }
            .into_iter()
            .map(|upload| (upload.key, upload.upload_id, upload.initiated.timestamp()))
            .collect();
        assert_eq!(
            read,
            [
                ("a&b".to_owned(), "one".to_owned(), 1_785_579_072),
                ("c".to_owned(), "two".to_owned(), 1_785_579_073)
            ]
        );
        let none = b"<ListMultipartUploadsResult><Bucket>b</Bucket></ListMultipartUploadsResult>";
        let none: Uploads = quick_xml::de::from_reader(&none[..]).unwrap();
        assert!(none.uploads.is_empty());
    }
}
