//! What stores and metadata services answer, and references, as targets of a fuzzer (`crate::fuzzing`).

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

pub(crate) use super::bucket::fuzz::listings;
use super::http::RequestFailure;
use super::reference::Reference;
pub(crate) use super::s3::identity::fuzz::ini;
use crate::fuzzing::split;

/// The longest body of an error that the client reads, in bytes.
const LONGEST_BODY: usize = 8 << 10;

/// An unsuccessful answer: a status, header lines, and a body. What is told of it is bounded.
pub(crate) fn replies(data: &[u8]) {
    let (head, body) = split(data);
    let head = &*String::from_utf8_lossy(head);
    let (status, lines) = head.split_once('\n').unwrap_or((head, ""));
    let status = status.trim().parse().ok();
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.lines().filter_map(|line| line.split_once(':')) {
        let pair = name.trim().parse::<HeaderName>().ok();
        if let Some((name, value)) = pair.zip(HeaderValue::from_str(value.trim()).ok()) {
            headers.append(name, value);
        }
    }
    let body = &body[..body.len().min(LONGEST_BODY)];
    let failure = RequestFailure::from_response(status.unwrap_or_default(), &headers, body);
    // A body that is not UTF-8 grows threefold.
    let most = 4 * (head.len() + body.len()) + 4096;
    assert!(failure.to_string().len() <= most, "{failure}");
    let _ = (
        failure.is_ambiguous(),
        failure.is_expiry(),
        failure.asks_for_less(),
    );
    assert_eq!(failure.status(), status.or(Some(StatusCode::OK)));
    if let Some(reply) = &failure.reply {
        assert_eq!(failure.is_transient(), reply.is_transient());
    }
}

/// A reference reads the same once it is written, and what is shown of it is bounded.
pub(crate) fn references(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for read in [
        Reference::parse,
        Reference::parse_url,
        Reference::prefix,
        Reference::data_prefix,
    ] {
        let Ok(reference) = read(text) else {
            continue;
        };
        assert!(reference.shown().len() <= 16 << 10);
        let written = reference.to_string();
        let again = Reference::parse(&written);
        let again = again.unwrap_or_else(|error| panic!("{written:?}: {error}"));
        assert_eq!(again.to_string(), written);
        if let Ok(below) = reference.join(&["a", "b.c"]) {
            assert!(below.key().ends_with("a/b.c"), "{below}");
            assert_eq!(below.container(), reference.container());
        }
        let key = reference.at_key("other/key");
        assert_eq!(
            (key.container(), key.key()),
            (reference.container(), "other/key")
        );
    }
}
