//! Keys in the form that the library can hold.
//!
//! Stores accept any text as a key; the library's `Path` accepts no control characters, no empty segments
//! and no slash at an edge. So we give it the key with those (and `%`) percent-encoded. It encodes them
//! a second time into the address, and before signing we remove one of the two layers. Callers:
//! `bucket`, and the signers, which call `restore`.

use object_store::client::HttpRequest;
use object_store::path::Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode_byte, utf8_percent_encode};

use crate::store::http::{FailureKind, RequestFailure};

/// The characters that the library keeps unencoded in the path of an address.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The limit of S3 and Google, in bytes; Azure's is the same number of characters. Of longer keys the
/// library makes addresses that it cannot use.
const LONGEST: usize = 1024;

/// Refuses a key, or a beginning of keys, that is too long.
pub(super) fn check_length(key: &str) -> Result<(), &'static str> {
    if key.len() > LONGEST {
        return Err("a key of more than 1024 bytes");
    }
    Ok(())
}

/// The library's name for `key`.
///
/// # Errors
/// A key that no HTTP client can ask for, since addresses with `.` and `..` are resolved on the way, or
/// that no server accepts.
pub(super) fn path(key: &str) -> Result<Path, &'static str> {
    if key.is_empty() {
        return Err("an empty key");
    }
    check_length(key)?;
    if key.split('/').any(|part| part == "." || part == "..") {
        return Err("a key with a component `.` or `..`");
    }
    let mut escaped = String::with_capacity(key.len());
    for (at, c) in key.char_indices() {
        let edge = at == 0 || at + 1 == key.len() || key[..at].ends_with('/');
        match c {
            '/' if edge => escaped.push_str("%2F"),
            c if c == '%' || c.is_ascii_control() => {
                let mut byte = [0];
                c.encode_utf8(&mut byte);
                escaped.push_str(percent_encode_byte(byte[0]));
            }
            c => escaped.push(c),
        }
    }
    Path::parse(escaped).map_err(|_| "a key that the store library cannot express")
}

/// The address of an object in the bucket at `bucket`, encoded twice like the library's.
pub(super) fn address(bucket: &str, path: &Path) -> String {
    format!("{bucket}/{}", utf8_percent_encode(path.as_ref(), KEPT))
}

/// Removes our layer of encoding from the address of a request that the library made.
pub(in crate::store) fn restore(request: &mut HttpRequest) -> Result<(), RequestFailure> {
    let restored = unescape(&request.uri().to_string()).parse();
    *request.uri_mut() = restored.map_err(|error| {
        let message = format!("a key makes an invalid address: {error}");
        RequestFailure::new(FailureKind::Protocol, message)
    })?;
    Ok(())
}

fn unescape(address: &str) -> String {
    let (path, query) = match address.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (address, None),
    };
    let path = path.replace("%25", "%").replace("%2F", "/");
    match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a server reads from the address that the library would send.
    fn arrives_as(key: &str) -> String {
        let address = address("http://h/b", &path(key).unwrap());
        let address = unescape(&format!("{address}?partNumber=%2525"));
        let sent = address.strip_prefix("http://h/b/").unwrap();
        let (sent, query) = sent.split_once('?').unwrap();
        assert_eq!(query, "partNumber=%2525");
        percent_encoding::percent_decode_str(sent)
            .decode_utf8()
            .unwrap()
            .into_owned()
    }

    #[test]
    fn odd_keys_arrive_as_they_are() {
        for key in [
            "a", "a/b", "a//b", "/a", "a/", "a%2Fb", "100%", "a%25b", "a\nb", "é ?#", "/",
        ] {
            assert_eq!(arrives_as(key), key);
        }
    }

    #[test]
    fn dots_and_long_keys_are_refused() {
        let (longest, longer) = ("x".repeat(LONGEST), "x".repeat(LONGEST + 1));
        for key in ["", ".", "..", "a/../b", "a/.", &longer] {
            assert!(path(key).is_err(), "{key}");
        }
        assert!(path(&longest).is_ok());
    }

    proptest! {
        #[test]
        fn any_key_arrives_as_it_is(key in "[^\0]{1,20}") {
            prop_assume!(path(&key).is_ok());
            prop_assert_eq!(arrives_as(&key), key);
        }
    }
}
