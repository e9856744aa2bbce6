//! Reading an object of a bucket: one GET of ours, since the library demands fields of the answer that no
//! reader needs. Caller: `bucket`.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Method, header, response};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody};

use super::{Bucket, names};
use crate::store::backend::{Backend as _, Body, ObjectAddress};
use crate::store::error::StoreError;
use crate::store::http::{Answer, FailureKind, RequestFailure};
use crate::store::reading::{Content, Question};
use crate::store::version::{SameVersion, Version};

/// Whether a store has refused `If-Match` for a version that it still had. Then it is not asked that way
/// again: readers compare the versions of all answers anyway.
#[derive(Debug, Default)]
pub(in crate::store) struct RefusesConditions(AtomicBool);

impl RefusesConditions {
    fn note(&self, bucket: &Bucket) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::info!(
                store = bucket.endpoint,
                "this store refuses If-Match: the versions of its answers are compared instead"
            );
        }
    }
}

/// Reads the object, or a range of it. With `version`, the store is asked for that one only; the answer
/// may still be of another.
pub(super) async fn get(
    bucket: &Bucket,
    target: &ObjectAddress,
    range: Option<Range<u64>>,
    version: Option<&Version>,
) -> Result<Body, StoreError> {
    let location = bucket.location(&target.reference);
    let address = names::address(&bucket.address, &bucket.path(target)?);
    let answered = ask(bucket, &address, range, version).await;
    let (content, parts, body) =
        answered.map_err(|failure| bucket.failed(failure, target, "reading"))?;
    if is_web_page(&content.version, &parts) {
        return Err(StoreError::Foreign {
            location,
            cause: "a web page without an ETag, in the place of an object".into(),
        });
    }
    Ok(content.body(body, location))
}

/// The first usable answer to this question or a simpler one.
async fn ask(
    bucket: &Bucket,
    address: &str,
    range: Option<Range<u64>>,
    version: Option<&Version>,
) -> Result<(Content, response::Parts, HttpResponseBody), RequestFailure> {
    let mut question = Question::new(range, version, header::IF_MATCH);
    if bucket.refuses_conditions.0.load(Ordering::Relaxed) {
        question = question.for_any_version();
    }
    let began_conditional = question.is_conditional();
    loop {
        let failure = match send(bucket, address, &question).await {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                match question.content(&parts) {
                    Ok(content) => {
                        let is_same = version.map(|wanted| wanted.same_as(&content.version));
                        let was_refused = began_conditional && !question.is_conditional();
                        if was_refused && is_same == Some(SameVersion::Yes) {
                            bucket.refuses_conditions.note(bucket);
                        }
                        return Ok((content, parts, body));
                    }
                    Err(failure) => failure,
                }
            }
            Err(failure) => failure,
        };
        question = question.simpler(failure)?;
    }
}

async fn send(
    bucket: &Bucket,
    address: &str,
    question: &Question,
) -> Result<HttpResponse, RequestFailure> {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = address.parse().map_err(|error| {
        let message = format!("its key makes an invalid address: {error}");
        RequestFailure::new(FailureKind::Protocol, message)
    })?;
    question.put_into(&mut request)?;
    let authorize = bucket.authorize.as_ref();
    bucket
        .requests
        .send(&request, authorize, Answer::Head)
        .await
}

/// Whether an answer comes from a web server that has a page for everything, such as a sign-in page: a
/// store's object has a version even if it is a page.
fn is_web_page(version: &Version, answer: &response::Parts) -> bool {
    let kind = answer.headers.get(header::CONTENT_TYPE);
    !version.has_tag() && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}
