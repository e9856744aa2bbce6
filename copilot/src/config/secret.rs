//! Secrets: what text they may be, and how they are hidden. A backend's keys are an open set, so a list names
//! the keys that may be shown, and every other value counts as a secret.
//!
//! [`Secret`] and [`SecretPairs`] hold secrets, [`known`] takes them out of texts from outside. Never here: where
//! a secret comes from. Callers: `resolve` for settings, `store::secret` for variables and
//! files.

pub(crate) mod known;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::iter;
use std::ops::Range;

use super::key::{Key, KeyKind};
use super::syntax::SyntaxError;
pub use text::{Secret, SecretPairs};

/// Characters that surround a pasted secret, and that editors do not show: a byte order mark, and spaces
/// without width.
const INVISIBLE: [char; 3] = ['\u{feff}', '\u{200b}', '\u{2060}'];

/// What characters a secret may hold, apart from white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretForm {
    /// A credential file in JSON.
    Document,
    /// All but control characters: it only signs.
    Text,
    /// Those of a header or an address, without white space: a request carries it.
    Header,
}

/// A secret without the white space around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CleanSecret<'a> {
    pub(crate) text: &'a str,
    /// Whether there was any.
    pub(crate) is_trimmed: bool,
}

impl SecretForm {
    /// The form of a backend's key that is a secret or names an account; none for another key. A key that we do
    /// not know has no effect, so its value may be anything.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        match key {
            "json" => Some(Self::Document),
            "secret_key" | "connection_string" => Some(Self::Text),
            "access_key_id" | "token" | "key" | "sas_token" | "account" => Some(Self::Header),
            _ => None,
        }
    }

    /// Takes the white space off a secret's ends.
    ///
    /// # Errors
    /// It holds a character that it cannot have. The error does not show the secret.
    pub(crate) fn clean(self, secret: &str) -> Result<CleanSecret<'_>, SyntaxError> {
        let surrounds = |letter: char| letter.is_whitespace() || INVISIBLE.contains(&letter);
        let text = secret.trim_matches(surrounds);
        let found = text.chars().find_map(|letter| self.fault(letter));
        match found {
            Some(what) => Err(SyntaxError::new(format!(
                "it holds {what} inside, which no such secret has; was more than the secret pasted, or \
                 only a part of it?"
            ))),
            None => Ok(CleanSecret {
                text,
                is_trimmed: text.len() < secret.len(),
            }),
        }
    }

    /// What a character is that this form excludes.
    fn fault(self, letter: char) -> Option<&'static str> {
        match (self, letter) {
            (Self::Document, _) => None,
            (_, '\n' | '\r') => Some("a line end"),
            (_, letter) if letter.is_control() => Some("a control character"),
            (_, letter) if INVISIBLE.contains(&letter) => Some("an invisible character"),
            (Self::Text, _) => None,
            (Self::Header, letter) if letter.is_whitespace() => Some("white space"),
            (Self::Header, letter) => (!letter.is_ascii()).then_some("a character outside ASCII"),
        }
    }
}

/// Keys of `storage.stow.config` (spec §6.4) whose values may appear in logs and messages.
const PUBLIC: &[&str] = &[
    "account",
    "addressing",
    "api_version",
    "auth_type",
    "authorization_endpoint",
    "base_url",
    "disable_ssl",
    "domain_suffix",
    "endpoint",
    "path",
    "project_id",
    "region",
    "scopes",
    "secret_key_path",
    "sign_payload",
    "tenant_auth_url",
    "tenant_name",
    "upload_checksum",
    "upload_concurrency",
    "use_https",
    "v2_signing",
];

/// Whether a value must be hidden: its key is not known to be harmless, or it is a URL with a user part.
pub(super) fn is_secret(key: &str, value: &str) -> bool {
    !PUBLIC.contains(&key) || value.contains('@')
}

/// The parts of a flag's value that hold secrets: bytes of `text`, which is the value of the setting `key`. Of a
/// list of pairs, they are the values of keys that are not known to be harmless; what cannot be read as such a
/// list may be a secret at any place after its first `=`.
#[must_use]
pub fn secret_parts(key: &Key, text: &[u8]) -> Vec<Range<usize>> {
    if !key.secret {
        return Vec::new();
    }
    let part = |bytes: Range<usize>| iter::once(bytes).collect();
    let whole = || part(0..text.len());
    if key.kind != KeyKind::Pairs {
        return whole();
    }
    let Some(first) = text.iter().position(|byte| *byte == b'=') else {
        return whole();
    };
    let pairs = std::str::from_utf8(text).ok();
    let pairs = pairs.and_then(|text| Some((text, super::pairs::fields(text)?)));
    let Some((text, fields)) = pairs else {
        return part(first + 1..text.len());
    };
    let values = fields.into_iter().filter_map(|field| {
        let (key, value) = text[field.clone()].split_once('=')?;
        let begin = field.start + key.len() + 1;
        is_secret(&key.to_ascii_lowercase(), value).then_some(begin..field.end)
    });
    values.collect()
}

/// The text that replaces a hidden value.
pub(crate) const HIDDEN: &str = "(hidden)";

/// Shows a map of a backend's keys without its secrets.
pub(crate) struct Redacted<'a>(pub &'a BTreeMap<String, String>);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(key, value)| {
            let hidden = is_secret(key, value);
            (key, if hidden { HIDDEN } else { value.as_str() })
        });
        formatter.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_a_secret_is_trimmed_and_said() {
        use SecretForm::{Document, Header, Text};
        for form in [Document, Text, Header] {
            for around in [
                "\n", "\r\n", " ", "\t", "\u{feff}", "\u{a0}", "\u{200b}", " \n\n",
            ] {
                for pasted in [
                    format!("hunter2{around}"),
                    format!("{around}hunter2{around}"),
                ] {
                    let clean = form.clean(&pasted).unwrap();
                    assert!(clean.text == "hunter2" && clean.is_trimmed, "{pasted:?}");
                }
            }
            assert!(!form.clean("hunter2").unwrap().is_trimmed);
        }
    }

    #[test]
    fn what_cannot_be_in_a_secret_is_named_and_not_shown() {
        use SecretForm::{Document, Header, Text};
        for (form, secret, named) in [
            (Text, "hun\nter2", Some("a line end")),
            (Text, "hun\rter2", Some("a line end")),
            (Text, "hun\0ter2", Some("a control character")),
            (Text, "hun\tter2", Some("a control character")),
            (Text, "hun\u{feff}ter2", Some("an invisible character")),
            // A key that only signs may hold these.
            (Text, "hun ter\u{e9}", None),
            (Header, "hun ter2", Some("white space")),
            (Header, "hun\u{a0}ter2", Some("white space")),
            (Header, "hunter\u{e9}", Some("outside ASCII")),
            (Header, "hun\nter2", Some("a line end")),
            (Document, "{\n}", None),
        ] {
            match (form.clean(secret), named) {
                (Ok(clean), None) => assert!(clean.text == secret && !clean.is_trimmed),
                (Err(error), Some(named)) => {
                    let said = error.to_string();
                    assert!(said.contains(named) && !said.contains("hun"), "{said}");
                }
                (found, _) => panic!("{secret:?}: {}", found.is_ok()),
            }
        }
    }

    #[test]
    fn the_secret_parts_of_a_flag_are_the_values_of_its_secret_keys() {
        let config = Key::find("storage.stow.config").unwrap();
        for (text, starred) in [
            ("secret_key=hunter2", "secret_key=*******"),
            ("Secret_Key=hunter2", "Secret_Key=*******"),
            ("secret_key=hunter2==", "secret_key=*********"),
            ("\"secret_key=hunter2\"", "\"secret_key=*******\""),
            ("region=eu-1", "region=eu-1"),
            (
                "region=eu-1,secret_key=hunter2,container=b",
                "region=eu-1,secret_key=*******,container=*",
            ),
            (
                "\"secret_key=hun,ter2\",region=eu-1",
                "\"secret_key=********\",region=eu-1",
            ),
            (
                "a=1,\"secret_key=hun\"\"ter2\"",
                "a=*,\"secret_key=*********\"",
            ),
            (
                "endpoint=http://me:hunter2@host",
                "endpoint=**********************",
            ),
            // No list: nothing after the first sign can be told.
            ("json={\"a\":\"b=\"}", "json=**********"),
            (
                "region=eu-1,secret_key=hunter2,",
                "region=************************",
            ),
            ("hunter2", "*******"),
        ] {
            let mut shown = text.as_bytes().to_vec();
            for part in secret_parts(config, text.as_bytes()) {
                shown[part].fill(b'*');
            }
            assert_eq!(String::from_utf8_lossy(&shown), starred, "{text}");
        }
        let key = Key::find("storage.connection.secret-key").unwrap();
        assert_eq!(secret_parts(key, b"a=b").first(), Some(&(0..3)));
        let region = Key::find("storage.connection.region").unwrap();
        assert!(secret_parts(region, b"eu-1").is_empty());
    }

    #[test]
    fn only_listed_values_are_shown() {
        let pairs = BTreeMap::from(
            [
                ("region", "eu-1"),
                ("secret_key", "hunter2"),
                ("new_thing", "hunter2"),
                ("endpoint", "http://me:hunter2@store:9000"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        let shown = format!("{:?}", Redacted(&pairs));
        assert!(shown.contains("eu-1"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
