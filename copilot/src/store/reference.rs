//! A reference names one object, or a prefix of objects: `s3://bucket/some/key`.
//!
//! Only this module takes such texts apart and puts them together. The key is the text after the
//! container's `/`, character by character: edge slashes, `//` and blanks belong to it. Two kinds of
//! writers exist: flytekit writes keys as they are, and Go writes URLs (spec §6.1). So a text that a URL
//! reader reads differently (`%20`, `?`, `#`) has a second key, [`Reference::url_key`], and `store::object`
//! asks for the first one first. What we write, [`Reference::join`] makes: raw characters, which both kinds
//! read the same way. Callers: everything that names an object.

mod encoding;

use std::fmt;

/// Why a text is not a reference, or why names cannot be joined to one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The text is not a reference.
    #[error("{text:?} is not a reference: {rule}. Expected SCHEME://CONTAINER/KEY")]
    Malformed {
        /// The text as given, without a password.
        text: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// Nothing can be written beneath a prefix, or not all readers would find it.
    #[error("{text:?} cannot be a prefix for what is written: {rule}. Choose another prefix")]
    Prefix {
        /// The text as given, without a password.
        text: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A name cannot be a part of a key.
    #[error("the name {name:?} cannot be appended to {base}: {rule}. Rename it")]
    Name {
        /// The name as given.
        name: String,
        /// What it was to be appended to.
        base: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
}

/// An object or prefix in a store, parsed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The text that was parsed or built, which [`Display`](fmt::Display) shows.
    text: String,
    scheme: String,
    /// The part between `//` and the path, as written.
    authority: String,
    container: String,
    /// Whether there is a place for a key: not in `s3:b/k`.
    has_path: bool,
    /// The key as it stands in the text.
    key: String,
    /// The key that a URL reader finds, if that is another one.
    url_key: Option<String>,
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// A character that no host name may hold, a colon that would end a scheme, a control character in a
    /// web address.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let malformed = |rule| ReferenceError::Malformed {
            text: encoding::shown(text),
            rule,
        };
        let (scheme, rest) = encoding::split_scheme(text).map_err(malformed)?;
        let (authority, path) = match rest.strip_prefix("//") {
            Some(after) => after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len())),
            // `s3:b/k` has neither a container nor a path (spec §6.1).
            None if !scheme.is_empty() && !rest.starts_with('/') => ("", ""),
            None => ("", rest),
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (user, host),
            None => ("", authority),
        };
        if !encoding::is_host(host) {
            return Err(malformed("a character that no container name may hold"));
        }
        // An HTTP client would drop some of them without a word.
        let is_web = matches!(scheme.as_str(), "http" | "https");
        if is_web && text.chars().any(|c| c.is_ascii_control()) {
            return Err(malformed("a control character"));
        }
        // Azure writes `abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY`.
        let container = match scheme.as_str() {
            "abfs" | "abfss" if !user.is_empty() => user.split(':').next().unwrap_or_default(),
            _ => host,
        };
        let key = encoding::without_slash(path);
        Ok(Self {
            text: text.to_owned(),
            container: container.to_owned(),
            authority: authority.to_owned(),
            has_path: scheme.is_empty() || !authority.is_empty() || !path.is_empty(),
            url_key: encoding::url_key(path)
                .ok()
                .filter(|found| found != key && !found.is_empty()),
            key: key.to_owned(),
            scheme,
        })
    }

    /// Reads a reference that a URL reader takes apart, too.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); a control character, a broken percent escape, escapes that are not UTF-8.
    pub fn parse_url(text: &str) -> Result<Self, ReferenceError> {
        let parsed = Self::parse(text)?;
        let malformed = |rule| ReferenceError::Malformed {
            text: encoding::shown(text),
            rule,
        };
        if text.chars().any(|c| c.is_ascii_control()) {
            return Err(malformed("a control character"));
        }
        encoding::url_key(&parsed.key).map_err(malformed)?;
        Ok(parsed)
    }

    /// Reads a prefix that something is written beneath: a URL, as the platform writes it (spec §6.1).
    ///
    /// # Errors
    /// As [`parse_url`](Self::parse_url), and what readers disagree about or cannot ask for: `?` and `#`,
    /// escaped control characters, components `.` and `..`.
    pub fn prefix(text: &str) -> Result<Self, ReferenceError> {
        let parsed = Self::parse_url(text)?;
        let refuse = |rule| ReferenceError::Prefix {
            text: encoding::shown(text),
            rule,
        };
        if parsed.key.contains(['?', '#']) {
            return Err(refuse(
                "`?` and `#` mean different keys to different readers",
            ));
        }
        let key = parsed.url_key().unwrap_or(&parsed.key).to_owned();
        if key.chars().any(|c| c.is_ascii_control()) {
            return Err(refuse("it holds a control character"));
        }
        if has_dots(&key) {
            return Err(refuse("it has a component `.` or `..`"));
        }
        // `s3:b/k` stays without a path, and `join` refuses it.
        if parsed.has_path {
            return Ok(parsed.with_key(key));
        }
        Ok(parsed)
    }

    /// Reads a prefix of data: references to what is beneath it are written, too.
    ///
    /// # Errors
    /// As [`prefix`](Self::prefix), and a text that some reader takes for syntax; see [`is_portable`].
    pub fn data_prefix(text: &str) -> Result<Self, ReferenceError> {
        let prefix = Self::prefix(text)?;
        if is_portable(&prefix.key) {
            return Ok(prefix);
        }
        Err(ReferenceError::Prefix {
            text: encoding::shown(text),
            rule: "some readers of references take `#`, `?`, `%`, `*`, `[` and `::` for syntax, escaped or not",
        })
    }

    /// The scheme in lower case; empty when the text has none.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The bucket or container; empty when the text has none.
    #[must_use]
    pub fn container(&self) -> &str {
        &self.container
    }

    /// Whether it is a plain web address.
    #[must_use]
    pub fn is_web(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https")
    }

    /// The storage account, where the text names one: `abfs://CONTAINER@ACCOUNT.dfs…/KEY`.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let (_, host) = self.authority.rsplit_once('@')?;
        let account = host.split(['.', ':']).next();
        account.filter(|account| {
            matches!(self.scheme.as_str(), "abfs" | "abfss") && !account.is_empty()
        })
    }

    /// The object's name in its container, as it stands in the text after the first `/`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key that a URL reader finds in the text, where that is another one: without query and fragment,
    /// and with its escapes undone.
    #[must_use]
    pub fn url_key(&self) -> Option<&str> {
        self.url_key.as_deref()
    }

    /// The reference of `names` beneath this one; each name is data and may hold any character.
    ///
    /// A name may hold inner slashes (`dir/file`); slashes at its edges are dropped.
    ///
    /// # Errors
    /// An empty name, and a name with a `.` or `..` component: no HTTP client asks for them.
    pub fn join(&self, names: &[&str]) -> Result<Self, ReferenceError> {
        if !self.has_path {
            return Err(self.refuse(names.first().unwrap_or(&""), "the base has no path"));
        }
        let mut key = self.key.clone();
        for name in names {
            let trimmed = name.trim_matches('/');
            if trimmed.is_empty() {
                return Err(self.refuse(name, "it is empty"));
            }
            if has_dots(trimmed) {
                return Err(self.refuse(name, "it has a component `.` or `..`"));
            }
            if !key.is_empty() && !key.ends_with('/') {
                key.push('/');
            }
            key.push_str(trimmed);
        }
        Ok(self.with_key(key))
    }

    /// The reference of the object `key` in the same container.
    ///
    /// Unlike [`join`](Self::join) it starts at the container's root and takes any key: it names an object
    /// that a listing found.
    #[must_use]
    pub fn at_key(&self, key: &str) -> Self {
        self.with_key(key.to_owned())
    }

    /// The text for messages: without a password, and without the query of a web address, which may be a
    /// signature. A text longer than any key is cut.
    #[must_use]
    pub fn shown(&self) -> String {
        let text = encoding::shown(&self.text);
        match text.split_once('?') {
            Some((address, _)) if self.is_web() => format!("{address}?…"),
            _ => text,
        }
    }

    /// The reference of exactly this key.
    fn with_key(&self, key: String) -> Self {
        let text = match (self.scheme.as_str(), self.authority.as_str()) {
            // A path that begins with two slashes would be read as an authority.
            ("", "") if key.starts_with('/') => format!("///{key}"),
            ("", "") => format!("/{key}"),
            ("", authority) => format!("//{authority}/{key}"),
            (scheme, authority) => format!("{scheme}://{authority}/{key}"),
        };
        Self {
            text,
            key,
            url_key: None,
            ..self.clone()
        }
    }

    fn refuse(&self, name: &str, rule: &'static str) -> ReferenceError {
        ReferenceError::Name {
            name: encoding::shown(name),
            base: self.shown(),
            rule,
        }
    }
}

/// Whether every reader finds an object by a key that consists of this text: it holds nothing that ends or
/// escapes a URL's path (`?`, `#`, `%`, control characters), that flytekit's library takes for a pattern
/// (`*`, `?`, `[`), or that it takes for a chain of addresses (`::`).
#[must_use]
pub fn is_portable(text: &str) -> bool {
    let is_odd = |c: char| matches!(c, '?' | '#' | '%' | '*' | '[') || c.is_ascii_control();
    !text.chars().any(is_odd) && !text.contains("::")
}

fn has_dots(key: &str) -> bool {
    key.split('/').any(|part| part == "." || part == "..")
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
