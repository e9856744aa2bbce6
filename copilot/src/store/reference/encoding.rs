//! The syntax of references: scheme, host, path, and percent escapes as the reference's URL library reads
//! them (spec §6.1).

use std::borrow::Cow;

use percent_encoding::{percent_decode_str, percent_encode_byte};

/// A path without the `/` that ends the container's name.
pub(super) fn without_slash(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

/// The key that a URL reader finds in a path, with or without its first `/`: up to the query or fragment,
/// escapes undone.
pub(super) fn url_key(path: &str) -> Result<String, &'static str> {
    let end = path.find(['?', '#']).unwrap_or(path.len());
    decode(without_slash(&path[..end]))
}

/// Decodes a path.
pub(super) fn decode(path: &str) -> Result<String, &'static str> {
    let bytes = path.as_bytes();
    for (at, _) in path.match_indices('%') {
        let escape = bytes.get(at + 1..at + 3);
        if !escape.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(
                "a `%` without two hexadecimal digits after it; percent-encoded, it is `%25`",
            );
        }
    }
    percent_decode_str(path)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| "escapes that are not UTF-8")
}

/// Splits `scheme:rest`; the scheme comes in lower case, and is empty if the text has none.
pub(super) fn split_scheme(text: &str) -> Result<(String, &str), &'static str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
    if let Some(end) = end.filter(|&end| text[end..].starts_with(':')) {
        if end == 0 {
            return Err("nothing before the colon");
        }
        if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok((text[..end].to_ascii_lowercase(), &text[end + 1..]));
        }
    }
    if text
        .split(['/', '?', '#'])
        .next()
        .unwrap_or("")
        .contains(':')
    {
        return Err("a colon in the first component without a scheme before it");
    }
    Ok((String::new(), text))
}

/// Whether every character may stand in a host name, as the reference's library judges.
pub(super) fn is_host(host: &str) -> bool {
    host.chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"".contains(c) || !c.is_ascii())
}

/// The longest text that is shown whole, in bytes: a key of 1,024 bytes, each escaped.
const LONGEST_SHOWN: usize = 3_200;
/// The length of the part of a longer text that is shown, in bytes.
const BEGINNING: usize = 200;

/// A text for messages: on one line, without the password of its authority, and cut if it is very long.
pub(super) fn shown(text: &str) -> String {
    let shown = on_one_line(&without_password(text));
    if shown.len() > LONGEST_SHOWN {
        let end = shown.floor_char_boundary(BEGINNING);
        return format!("{}… ({} bytes)", &shown[..end], shown.len());
    }
    shown
}

/// The text with its control characters as escapes, so that a key cannot forge lines of a log.
fn on_one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            let mut bytes = [0; 4];
            let bytes = c.encode_utf8(&mut bytes).bytes();
            shown.extend(bytes.map(percent_encode_byte));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The text without the password of its authority.
fn without_password(text: &str) -> String {
    let Some((before, after)) = text.split_once("//") else {
        return text.to_owned();
    };
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let Some((user, host)) = after[..end].rsplit_once('@') else {
        return text.to_owned();
    };
    match user.split_once(':') {
        Some((name, _)) => format!("{before}//{name}:…@{host}{}", &after[end..]),
        None => text.to_owned(),
    }
}
