//! Reads a small answer to its end, and tells success from failure. Called by `client`.

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use object_store::client::{HttpResponse, HttpResponseBody};

use super::failure::{ERROR_BODY_LIMIT, FailureKind, RequestFailure};
use super::redaction::RequestSecrets;

/// Longest answer that is read as a whole: a thousand keys of 1 KiB, each byte escaped in XML.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// Reads a small answer and tells success from failure. A store that puts an object together may report
/// a failure in a body with status 200, since it sent the head before.
pub(super) async fn settled(
    response: HttpResponse,
    secrets: &RequestSecrets,
) -> Result<HttpResponse, RequestFailure> {
    let (parts, body) = response.into_parts();
    if !parts.status.is_success() {
        // If the body breaks, the status says enough.
        let body = collect(body, ERROR_BODY_LIMIT).await.unwrap_or_default();
        return Err(RequestFailure::from_answer(
            parts.status,
            &parts.headers,
            &body,
            secrets,
        ));
    }
    let body = collect(body, ANSWER_LIMIT).await?;
    if body.len() >= ANSWER_LIMIT {
        let message = format!("an answer of {ANSWER_LIMIT} bytes and more");
        return Err(RequestFailure::new(FailureKind::Protocol, message));
    }
    if is_error(&body) {
        return Err(RequestFailure::from_answer(
            parts.status,
            &parts.headers,
            &body,
            secrets,
        ));
    }
    Ok(HttpResponse::from_parts(parts, body.into()))
}

/// Whether an answer with a good status is an error all the same. In a listing, `<` of a key is escaped.
fn is_error(body: &[u8]) -> bool {
    let begins = |window: &[u8]| {
        window.starts_with(b"<Error") && matches!(window[6], b'>' | b' ' | b'\n' | b'\r' | b'\t')
    };
    body.windows(7).any(begins)
}

/// The first bytes of a body, `limit` at most.
async fn collect(mut body: HttpResponseBody, limit: usize) -> Result<Bytes, RequestFailure> {
    let mut collected = BytesMut::new();
    while collected.len() < limit {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await;
        match frame {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    collected.extend_from_slice(&data);
                }
            }
            Some(Err(error)) => {
                let unknown = || RequestFailure::new(FailureKind::Broken, error.to_string());
                return Err(RequestFailure::within(&error)
                    .cloned()
                    .unwrap_or_else(unknown));
            }
            None => break,
        }
    }
    collected.truncate(limit);
    Ok(collected.freeze())
}
