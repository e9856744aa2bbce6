//! The JSON form of `_ERROR`: `{"code", "message", "kind", "origin"}`.
//!
//! Strict: each word of the JSON has a meaning, and a misread word makes the platform run a failed task
//! again for nothing. A file that is not exactly this form is reported as text, so nothing is lost.

use serde::Deserialize;
use thiserror::Error;

use crate::idl::container_error::Kind;
use crate::idl::execution_error::ErrorKind;

/// The longest code, in bytes.
const LONGEST_CODE: usize = 128;

/// What the object says. Defaults stand for what it leaves out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// An error code for programs, such as `BadInput`.
    pub(super) code: Option<String>,
    /// What happened.
    pub(super) message: String,
    /// Recoverable by default, as text is.
    pub(super) kind: Kind,
    /// The user by default.
    pub(super) origin: ErrorKind,
}

/// Why a text that begins like an object is not this form.
#[derive(Debug, Error)]
pub(super) enum DeclaredError {
    /// It is not JSON, or has other members.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The code is not a word.
    #[error("the code must be a word of 1 to {LONGEST_CODE} bytes without control characters")]
    Code,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    code: Option<String>,
    message: String,
    kind: Option<KindWord>,
    origin: Option<OriginWord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KindWord {
    Recoverable,
    NonRecoverable,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OriginWord {
    User,
    System,
}

impl Declared {
    /// Reads the form. None if the text does not begin like an object.
    pub(super) fn parse(text: &str) -> Option<Result<Self, DeclaredError>> {
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        text.starts_with('{').then(|| {
            let form: Form = serde_json::from_str(text)?;
            form.check()
        })
    }
}

impl Form {
    fn check(self) -> Result<Declared, DeclaredError> {
        if let Some(code) = &self.code {
            let is_word = !code.is_empty() && !code.chars().any(char::is_control);
            if !is_word || code.len() > LONGEST_CODE {
                return Err(DeclaredError::Code);
            }
        }
        Ok(Declared {
            code: self.code,
            message: self.message,
            kind: match self.kind {
                None | Some(KindWord::Recoverable) => Kind::Recoverable,
                Some(KindWord::NonRecoverable) => Kind::NonRecoverable,
            },
            origin: match self.origin {
                None | Some(OriginWord::User) => ErrorKind::User,
                Some(OriginWord::System) => ErrorKind::System,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_with_and_without_its_optional_members() {
        let full = r#" {"code": "BadInput", "message": "no such column: π",
                        "kind": "non-recoverable", "origin": "system"}
"#;
        let declared = Declared::parse(full).unwrap().unwrap();
        let expected = Declared {
            code: Some("BadInput".to_owned()),
            message: "no such column: π".to_owned(),
            kind: Kind::NonRecoverable,
            origin: ErrorKind::System,
        };
        assert_eq!(declared, expected);

        let short = Declared::parse("\u{feff}{\"message\":\"x\",\"kind\":null}\r\n");
        let expected = Declared {
            code: None,
            message: "x".to_owned(),
            kind: Kind::Recoverable,
            origin: ErrorKind::User,
        };
        assert_eq!(short.unwrap().unwrap(), expected);
    }

    #[test]
    fn text_is_not_an_object() {
        for text in ["", "it broke", "[1]", "\"x\"", "Error: {\"message\":\"x\"}"] {
            assert!(Declared::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_not_exactly_the_form_is_refused_with_the_reason() {
        let long = format!(r#"{{"message":"x","code":"{}"}}"#, "c".repeat(129));
        for (text, reason) in [
            ("{", "EOF"),
            ("{}", "missing field `message`"),
            (r#"{"message":1}"#, "expected a string"),
            (
                r#"{"message":"x","kind":"fatal"}"#,
                "unknown variant `fatal`, expected `recoverable` or `non-recoverable`",
            ),
            (r#"{"message":"x","kind":"Recoverable"}"#, "unknown variant"),
            (
                r#"{"message":"x","origin":"nobody"}"#,
                "expected `user` or `system`",
            ),
            (r#"{"message":"x","reason":"y"}"#, "unknown field `reason`"),
            (r#"{"message":"x","message":"y"}"#, "duplicate field"),
            (r#"{"message":"x"} and more"#, "trailing characters"),
            (r#"{"message":"x","code":""}"#, "a word of 1 to 128 bytes"),
            (
                r#"{"message":"x","code":"a\nb"}"#,
                "without control characters",
            ),
            (&long, "a word of 1 to 128 bytes"),
        ] {
            let error = Declared::parse(text).unwrap().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
