//! What a person writes for an image: its name, and further labels.

use std::str::FromStr;

use anyhow::{Error, Result, ensure};

/// The name of an image, with a tag or without.
///
/// The default begins with `localhost`: without a host, container runtimes would take a public registry's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    repository: String,
    tag: Option<String>,
}

impl Default for Name {
    fn default() -> Self {
        Self {
            repository: "localhost/copilot".to_owned(),
            tag: None,
        }
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let after_host = text.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match text[after_host..].find(':') {
            Some(at) => (&text[..after_host + at], Some(&text[after_host + at + 1..])),
            None => (text, None),
        };
        let parts: Vec<&str> = repository.split('/').collect();
        let good = |part: &&str| {
            let starts = part.starts_with(|first: char| first.is_ascii_alphanumeric());
            starts
                && part
                    .chars()
                    .all(|one| is_lower(one) || "._-:".contains(one))
        };
        let tag_is_good = tag.is_none_or(|tag| {
            let allowed = |one: char| one.is_ascii_alphanumeric() || "._-".contains(one);
            (1..=128).contains(&tag.len())
                && tag.chars().all(allowed)
                && !tag.starts_with(['.', '-'])
        });
        ensure!(
            parts.iter().all(good) && tag_is_good,
            "{text:?} is not the name of an image: it must be HOST/NAME:TAG in lower-case letters, digits and \".\", \
             \"_\", \"-\", such as localhost/copilot:1"
        );
        Ok(Self {
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
        })
    }
}

fn is_lower(one: char) -> bool {
    one.is_ascii_lowercase() || one.is_ascii_digit()
}

impl Name {
    /// The whole name and its tag; `tag` is that of a name without one.
    pub fn with_tag(&self, tag: &str) -> (String, String) {
        let tag = self.tag.clone().unwrap_or_else(|| tag.to_owned());
        (format!("{}:{tag}", self.repository), tag)
    }
}

/// A label: its name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(pub String, pub String);

impl FromStr for Label {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, value) = text.split_once('=').unwrap_or(("", text));
        ensure!(
            !name.is_empty(),
            "{text:?} is not a label: it must be NAME=VALUE, such as org.opencontainers.image.vendor=Me"
        );
        Ok(Self(name.to_owned(), value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(text: &str) -> String {
        let name: Name = text.parse().expect(text);
        name.with_tag("0.1.0").0
    }

    #[test]
    fn a_name_without_a_tag_gets_the_version() {
        assert_eq!(Name::default().with_tag("2").0, "localhost/copilot:2");
        assert_eq!(
            full("a.example/team/copilot"),
            "a.example/team/copilot:0.1.0"
        );
        assert_eq!(
            full("localhost:5000/copilot"),
            "localhost:5000/copilot:0.1.0"
        );
        assert_eq!(
            full("localhost:5000/copilot:v1"),
            "localhost:5000/copilot:v1"
        );
    }

    #[test]
    fn what_no_runtime_takes_is_refused() {
        for text in [
            "",
            "Copilot",
            "a//b",
            "a/b:",
            "a b",
            "a/b:-1",
            "/copilot",
            "a/b@sha256:0",
        ] {
            let error = Name::from_str(text).expect_err(text).to_string();
            assert!(error.contains("is not the name of an image"), "{error}");
        }
    }

    #[test]
    fn a_label_has_a_name() {
        let label: Label = "a=b=c".parse().expect("it has a name");
        assert_eq!(label, Label("a".to_owned(), "b=c".to_owned()));
        for text in ["a", "=a", ""] {
            assert!(Label::from_str(text).is_err(), "{text}");
        }
    }
}
