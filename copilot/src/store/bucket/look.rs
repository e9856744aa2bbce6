//! Whether an object is there, without its bytes: one HEAD of ours, since the library demands fields of the
//! answer that nobody needs. Caller: `bucket`.

use http::{Method, header};

use super::Bucket;
use crate::store::backend::{Backend as _, ObjectAddress};
use crate::store::error::StoreError;

/// Succeeds if the object exists.
///
/// # Errors
/// Any [`StoreError`]; [`StoreError::Foreign`] if a web page is there, without the tag of an object.
pub(super) async fn exists(bucket: &Bucket, target: &ObjectAddress) -> Result<(), StoreError> {
    let request = bucket.request(Method::HEAD, target, "looking")?;
    let sent = bucket.send(&request).await;
    let answer = sent.map_err(|failure| bucket.failed(failure, target, "looking"))?;
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page && !answer.headers().contains_key(header::ETAG) {
        return Err(StoreError::Foreign {
            location: bucket.location(&target.reference),
            cause: "a web page without an ETag, in the place of an object".into(),
        });
    }
    Ok(())
}
