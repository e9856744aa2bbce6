//! The store's clock, from the `Date` of an answer. A request without a signature shows it even where a wrong clock of
//! ours makes every signature invalid. Caller: `bucket`.

use http::Method;
use object_store::client::{HttpRequest, HttpRequestBody};

use super::Bucket;
use crate::store::backend::{Backend as _, ObjectAddress};
use crate::store::error::StoreError;
use crate::store::http::{Answer, Unsigned, clock_ahead};

/// Seconds by which our clock is ahead of the store's; `None` if its answers have no `Date`.
///
/// # Errors
/// The store does not answer.
pub(super) async fn ahead(
    bucket: &Bucket,
    target: &ObjectAddress,
) -> Result<Option<i64>, StoreError> {
    let action = "asking for the time";
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = Method::HEAD;
    *request.uri_mut() = bucket
        .address
        .parse()
        .map_err(|error| StoreError::Refused {
            location: bucket.location(&target.reference),
            action,
            cause: format!("the store has an invalid address: {error}").into(),
        })?;
    let sent = bucket
        .requests
        .send(&request, &Unsigned, Answer::Head)
        .await;
    match sent {
        Ok(answer) => Ok(clock_ahead(answer.headers())),
        // The store refuses a request without a signature, and says when.
        Err(failure) => match &failure.reply {
            Some(reply) => Ok(reply.ahead),
            None => Err(bucket.failed(failure, target, action)),
        },
    }
}
