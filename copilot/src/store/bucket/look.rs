//! Whether an object is there, and how large it is, without its bytes: one HEAD of ours, since the library
//! demands fields of the answer that nobody needs. Callers: `bucket`, `upload`.

use http::Method;
use http::header::{self, HeaderName};
use object_store::PutResult;

use super::{Bucket, answer};
use crate::store::backend::{Backend as _, ObjectAddress};
use crate::store::error::StoreError;

/// Succeeds if the object exists, with its size in bytes if the store says it.
///
/// # Errors
/// Any [`StoreError`]; [`StoreError::Foreign`] if a web page is there, without the tag of an object.
pub(super) async fn size(
    bucket: &Bucket,
    target: &ObjectAddress,
) -> Result<Option<u64>, StoreError> {
    let request = bucket.request(Method::HEAD, target, "looking")?;
    let sent = bucket.send(&request).await;
    let answer = sent.map_err(|failure| bucket.failed(failure, target, "looking"))?;
    let text = |name: HeaderName| answer.headers().get(name)?.to_str().ok();
    let is_page = text(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
    if is_page && !answer.headers().contains_key(header::ETAG) {
        return Err(StoreError::Foreign {
            location: bucket.location(&target.reference),
            cause: "a web page without an ETag, in the place of an object".into(),
        });
    }
    Ok(text(header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok()))
}

/// Looks at an object of `size` bytes that was just written, if the answer did not name its version: a web
/// server that says yes to everything names none.
///
/// # Errors
/// Those of [`size`]; [`StoreError::Foreign`] if the object has another size.
pub(super) async fn check_written(
    bucket: &Bucket,
    target: &ObjectAddress,
    done: &PutResult,
    size: u64,
) -> Result<(), StoreError> {
    if !done.e_tag.as_deref().is_some_and(answer::is_unnamed) {
        return Ok(());
    }
    match self::size(bucket, target).await? {
        Some(found) if found != size => Err(StoreError::Foreign {
            location: bucket.location(&target.reference),
            cause: format!(
                "the answer to a write of {size} bytes has no ETag, and the object has {found} bytes"
            )
            .into(),
        }),
        _ => Ok(()),
    }
}
