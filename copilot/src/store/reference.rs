//! A reference names one object, or a prefix of objects: `s3://bucket/some/key`.
//!
//! Only this module takes such texts apart and puts them together, so a name that a file system allows
//! (`100%.txt`, `a?b`, `a#b`, `a:b`) goes out and comes back unchanged. Parsing follows the rules of
//! the reference implementation (spec §6.1): the text is a URL, its host is the container, its decoded
//! path without edge slashes is the key; query and fragment have no meaning. Joining gives the same
//! bytes as the reference implementation wherever its answer names the right object (§6.2), and
//! encodes what it would mistake for URL syntax (§4.8). Callers: everything that names an object.

mod encoding;

use std::fmt;

/// Why a text is not a reference, or why names cannot be joined to one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The text breaks a rule of URLs.
    #[error(
        "{text:?} is not a reference: {rule}. Expected SCHEME://CONTAINER/KEY with other characters percent-encoded"
    )]
    Malformed {
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
    /// The path as written, percent-encoded.
    path: String,
    key: String,
}

impl Reference {
    /// Reads a reference (spec §6.1).
    ///
    /// # Errors
    /// A control character, a broken percent escape, a key that is not UTF-8, a character that no host
    /// name may hold, or a colon that would end a scheme.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let malformed = |rule| ReferenceError::Malformed {
            text: encoding::shown(text),
            rule,
        };
        if text.chars().any(|c| c.is_ascii_control()) {
            return Err(malformed("a control character"));
        }
        let (scheme, rest) = encoding::split_scheme(text).map_err(malformed)?;
        let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];

        let (authority, path) = match rest.strip_prefix("//") {
            Some(after) => after.split_at(after.find('/').unwrap_or(after.len())),
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
        // Azure writes `abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY`.
        let container = match scheme.as_str() {
            "abfs" | "abfss" if !user.is_empty() => user.split(':').next().unwrap_or_default(),
            _ => host,
        };
        let decoded = encoding::decode(path).map_err(malformed)?;
        Ok(Self {
            text: text.to_owned(),
            container: container.to_owned(),
            authority: authority.to_owned(),
            path: path.to_owned(),
            key: decoded.trim_matches('/').to_owned(),
            scheme,
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

    /// The storage account, where the text names one: `abfs://CONTAINER@ACCOUNT.dfs…/KEY`.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let (_, host) = self.authority.rsplit_once('@')?;
        let account = host.split(['.', ':']).next();
        account.filter(|account| {
            matches!(self.scheme.as_str(), "abfs" | "abfss") && !account.is_empty()
        })
    }

    /// The object's name in its container: decoded, without slashes at its edges.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The reference of `names` beneath this one; each name is data and may hold any character.
    ///
    /// A name may hold inner slashes (`dir/file`); slashes at its edges are dropped. Query and
    /// fragment of `self` do not belong to its key and are dropped too.
    ///
    /// # Errors
    /// An empty name, and a name with a `.` or `..` component: URLs cannot express them.
    pub fn join(&self, names: &[&str]) -> Result<Self, ReferenceError> {
        if !self.scheme.is_empty() && self.authority.is_empty() && self.path.is_empty() {
            return Err(self.refuse(names.first().unwrap_or(&""), "the base has no path"));
        }
        let mut appended = String::new();
        for name in names {
            let trimmed = name.trim_matches('/');
            if trimmed.is_empty() {
                return Err(self.refuse(name, "it is empty"));
            }
            if trimmed.split('/').any(|part| part == "." || part == "..") {
                return Err(self.refuse(name, "it has a component `.` or `..`"));
            }
            appended.push('/');
            appended.push_str(trimmed);
        }
        let base = encoding::without_dots(&encoding::as_written_or_encoded(&self.path));
        let path = base.trim_end_matches('/').to_owned() + &encoding::encode(&appended);
        Ok(self.with_path(path))
    }

    /// The reference of the object `key` in the same container.
    ///
    /// Unlike [`join`](Self::join) it starts at the container's root and takes any key: it names an object
    /// that a listing found.
    #[must_use]
    pub fn at_key(&self, key: &str) -> Self {
        let mut sibling = self.with_path(format!("/{}", encoding::encode(key)));
        key.clone_into(&mut sibling.key);
        sibling
    }

    /// The text for messages: without a password, and without the query of a web address, which may be a
    /// signature. A text longer than any key is cut.
    #[must_use]
    pub fn shown(&self) -> String {
        let text = encoding::shown(&self.text);
        match self.scheme.as_str() {
            "http" | "https" => match text.split_once('?') {
                Some((address, _)) => format!("{address}?…"),
                None => text,
            },
            _ => text,
        }
    }

    fn with_path(&self, path: String) -> Self {
        // A path that begins with two slashes would be read as an authority.
        let prefix = match (self.scheme.as_str(), self.authority.as_str()) {
            ("", "") if path.starts_with("//") => "//".to_owned(),
            ("", "") => String::new(),
            ("", authority) => format!("//{authority}"),
            (scheme, authority) => format!("{scheme}://{authority}"),
        };
        let path = if path.starts_with('/') {
            path
        } else {
            format!("/{path}")
        };
        let key = encoding::decode(&path).unwrap_or_else(|_| path.clone());
        Self {
            text: prefix + &path,
            key: key.trim_matches('/').to_owned(),
            path,
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
