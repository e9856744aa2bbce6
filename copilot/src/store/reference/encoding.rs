//! Percent encoding as the reference's URL library does it (spec §6.1, §6.2).
//!
//! Two sets matter. A *plain* character is never escaped in a path. A *tolerated* one is left alone
//! only when the whole text needs no escape: `a'b` stays, but in `a'b c` the quote is escaped along
//! with the space. Bytes that users see in `outputs.pb` depend on it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but letters, digits and `-_.~$&+,/:;=@`.
const NOT_PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

const TOLERATED: &str = "!'()*[]";

/// Encodes data as a path: characters that are not plain are escaped, unless all of them are tolerated.
pub(super) fn encode(data: &str) -> String {
    if data.chars().all(|c| is_plain(c) || TOLERATED.contains(c)) {
        data.to_owned()
    } else {
        utf8_percent_encode(data, NOT_PLAIN).to_string()
    }
}

/// A path as its writer encoded it; encoded anew if it holds a character that it must not hold.
pub(super) fn as_written_or_encoded(path: &str) -> String {
    if path
        .chars()
        .all(|c| is_plain(c) || c == '%' || TOLERATED.contains(c))
    {
        return path.to_owned();
    }
    decode(path).map_or_else(|_| path.to_owned(), |decoded| encode(&decoded))
}

/// Decodes a path.
pub(super) fn decode(path: &str) -> Result<String, &'static str> {
    let bytes = path.as_bytes();
    for (at, _) in path.match_indices('%') {
        let escape = bytes.get(at + 1..at + 3);
        if !escape.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err("a `%` without two hexadecimal digits after it (write `%25`)");
        }
    }
    percent_decode_str(path)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
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

/// Resolves `.` and `..` components the way a URL reader does; never above the root.
pub(super) fn without_dots(path: &str) -> String {
    if !path.split('/').any(|part| part == "." || part == "..") {
        return path.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    for part in path.trim_start_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

/// The longest text that is shown whole, in bytes: a key of 1,024 bytes, each escaped.
const LONGEST_SHOWN: usize = 3_200;
/// The length of the part of a longer text that is shown, in bytes.
const BEGINNING: usize = 200;

/// A text for messages: without the password of its authority, and cut if it is very long.
pub(super) fn shown(text: &str) -> String {
    let shown = without_password(text);
    if shown.len() > LONGEST_SHOWN {
        let end = shown.floor_char_boundary(BEGINNING);
        return format!("{}… ({} bytes)", &shown[..end], shown.len());
    }
    shown
}

/// The text without the password of its authority.
fn without_password(text: &str) -> String {
    let Some((before, after)) = text.split_once("//") else {
        return text.to_owned();
    };
    let end = after.find('/').unwrap_or(after.len());
    let Some((user, host)) = after[..end].rsplit_once('@') else {
        return text.to_owned();
    };
    match user.split_once(':') {
        Some((name, _)) => format!("{before}//{name}:…@{host}{}", &after[end..]),
        None => text.to_owned(),
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.~$&+,/:;=@".contains(c)
}
