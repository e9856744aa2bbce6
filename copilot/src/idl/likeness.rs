//! What bytes look like that are not the expected message: people pass JSON, an archive or a web page where a
//! protobuf message belongs, and a decoder's words (`unexpected end group tag`) tell nobody so.

/// The beginnings of other formats.
const BEGINNINGS: [(&[u8], &str); 7] = [
    (b"\x1f\x8b", "a gzip archive"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"%PDF", "a PDF file"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x93NUMPY", "a NumPy file"),
];

/// How many bytes are looked at.
const LOOKED_AT: usize = 512;

/// What the bytes look like; none if they may be a message.
pub(super) fn likeness(bytes: &[u8]) -> Option<&'static str> {
    let known = BEGINNINGS
        .iter()
        .find(|(begin, _)| bytes.starts_with(begin));
    if let Some((_, name)) = known {
        return Some(name);
    }
    let head = &bytes[..bytes.len().min(LOOKED_AT)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The end of the head may cut a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return None,
    };
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    let text = text.trim_start();
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=\r\n".contains(c);
    match text.chars().next()? {
        '{' | '[' => Some("JSON"),
        '<' => Some("a web page or XML"),
        _ if text.len() >= 8 && text.chars().all(is_base64) => Some("base64"),
        _ => Some("text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idl::{LiteralMap, Message as _, decode_literal_map, primitive};

    #[test]
    fn other_formats_are_named() {
        for (bytes, expected) in [
            (&b"{\"x\": 1}"[..], Some("JSON")),
            (b" \n[1]", Some("JSON")),
            (b"<!DOCTYPE html>", Some("a web page or XML")),
            (b"\x1f\x8b\x08\0", Some("a gzip archive")),
            (b"PAR1\x15\x04", Some("a Parquet file")),
            (b"CgQKAggACgQKAggA\n", Some("base64")),
            (b"x: 1\n", Some("text")),
            ("größe: 1".as_bytes(), Some("text")),
            (b"", None),
            (b"\n\x05\n\x01x\x12\0", None),
            (b"\xff\xff\xff", None),
        ] {
            assert_eq!(likeness(bytes), expected, "{bytes:?}");
        }
        let long = "é".repeat(LOOKED_AT);
        assert_eq!(likeness(&long.as_bytes()[1..]), None);
        assert_eq!(likeness(format!("x{long}").as_bytes()), Some("text"));
    }

    #[test]
    fn a_message_is_not_taken_for_text() {
        let literals = [("x".to_owned(), primitive::Value::Integer(3).into())].into();
        let bytes = LiteralMap { literals }.encode_to_vec();
        assert_eq!(likeness(&bytes), None);
        let message = decode_literal_map(&b"{\"x\": 1}"[..])
            .unwrap_err()
            .to_string();
        assert!(message.contains("look like JSON"), "{message}");
        assert!(message.contains("copilot make"), "{message}");
    }
}
