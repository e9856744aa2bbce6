//! Text from outside, such that it cannot act on what shows it.
//!
//! A name or a message of main, a store or a server may hold the end of a line, a terminal's commands, or
//! marks that turn the direction of what follows or hide it. The log, the last line, the termination message
//! and the error document show such characters as escapes. Escaping twice changes nothing.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How an escape is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscapeForm {
    /// As in Rust: `\n`, `\u{1b}`.
    Plain,
    /// As in JSON: `\u000a`, `\u001b`. For a whole JSON text, which reads the same afterwards.
    Json,
}

/// The text in one line, with escapes for every character that could act.
#[must_use]
pub fn escaped(text: &str, form: EscapeForm) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return text.into();
    }
    let mut line = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        match form {
            _ if !acts(character) => line.push(character),
            EscapeForm::Plain => line.extend(character.escape_default()),
            EscapeForm::Json => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing into a string cannot fail.
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
        }
    }
    line.into()
}

/// Whether a character does something instead of being seen: controls (C0, DEL, C1), ends of lines, marks of
/// direction (UAX #9), marks without width, and tags.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_acts_is_escaped_and_what_is_seen_stays() {
        for (text, expected) in [
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\x1b[2J\x07\x7f", r"\u{1b}[2J\u{7}\u{7f}"),
            ("\u{9b}31m\u{85}", r"\u{9b}31m\u{85}"),
            ("a\u{202e}b\u{2066}\u{200f}", r"a\u{202e}b\u{2066}\u{200f}"),
            (
                "z\u{200b}\u{feff}\u{2028}\u{e0041}",
                r"z\u{200b}\u{feff}\u{2028}\u{e0041}",
            ),
            (r#"C:\n "é" 日本 👍"#, r#"C:\n "é" 日本 👍"#),
        ] {
            assert_eq!(escaped(text, EscapeForm::Plain), expected);
        }
    }

    proptest! {
        #[test]
        fn the_result_is_one_harmless_line(text in any::<String>()) {
            let once = escaped(&text, EscapeForm::Plain);
            prop_assert!(!once.chars().any(acts));
            prop_assert_eq!(escaped(&once, EscapeForm::Plain), once.as_ref());
        }

        #[test]
        fn json_reads_the_same_afterwards(text in any::<String>()) {
            let json = serde_json::json!({ "text": text }).to_string();
            let line = escaped(&json, EscapeForm::Json);
            prop_assert!(!line.chars().any(acts));
            let read: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
            prop_assert_eq!(read["text"].as_str(), Some(text.as_str()));
        }
    }
}
