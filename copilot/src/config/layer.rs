//! The settings on the command line: the topmost layer. `cli` fills it; [`super::load()`] puts the
//! environment, the files and the defaults beneath it.

use std::collections::BTreeMap;
use std::fmt;

use super::key::{Key, KeyKind};
use super::secret::{HIDDEN, SecretPairs};
use super::storage::SchemeSettings;
use super::{logger, pairs, syntax};

/// A value of a setting, read from text.
#[derive(Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// A text, or a duration's text.
    Text(String),
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Several texts, in order.
    Texts(Vec<String>),
    /// A map of texts: a backend's keys or headers.
    Pairs(SecretPairs),
    /// `storage.schemes`.
    Schemes(BTreeMap<String, SchemeSettings>),
    /// A value without effect here.
    Opaque,
}

impl SettingValue {
    /// Reads `text` by the rules of flags (spec §1.6). Kinds that exist only in files are refused.
    pub fn read(kind: KeyKind, text: &str) -> Result<Self, syntax::SyntaxError> {
        match kind {
            KeyKind::Text | KeyKind::Duration => Ok(Self::Text(text.to_owned())),
            KeyKind::Boolean => syntax::boolean(text).map(Self::Boolean),
            KeyKind::Integer => syntax::integer(text).map(Self::Integer),
            KeyKind::Level => logger::level_number(text).map(Self::Integer),
            KeyKind::Texts => Self::texts(text.split(',').map(str::trim)),
            KeyKind::Pairs => pairs::parse(text).map(|pairs| {
                let lower = |(key, value): (String, _)| (key.to_ascii_lowercase(), value);
                Self::Pairs(pairs.into_iter().map(lower).collect())
            }),
            KeyKind::Headers | KeyKind::Schemes | KeyKind::Opaque => {
                Err(syntax::SyntaxError::new("only a file can set it, as a map"))
            }
        }
    }

    /// Several texts, none of which is empty.
    pub(super) fn texts<'a>(
        texts: impl Iterator<Item = &'a str>,
    ) -> Result<Self, syntax::SyntaxError> {
        let texts: Vec<String> = texts.map(str::to_owned).collect();
        if texts.iter().any(String::is_empty) {
            return Err(syntax::SyntaxError::new(
                "a name in the list is empty; leave out the key to set none",
            ));
        }
        Ok(Self::Texts(texts))
    }

    /// Like [`SettingValue::read`], with more words for a boolean: environment and files have them.
    pub(crate) fn read_relaxed(kind: KeyKind, text: &str) -> Result<Self, syntax::SyntaxError> {
        match kind {
            KeyKind::Boolean => syntax::relaxed_boolean(text).map(Self::Boolean),
            _ => Self::read(kind, text),
        }
    }

    /// Puts a later value of the same setting over this one. Maps are merged, and the later value of a
    /// key wins; any other value is replaced.
    pub(crate) fn overlay(&mut self, later: Self) {
        match (self, later) {
            (Self::Pairs(earlier), Self::Pairs(mut later)) => earlier.append(&mut later),
            (Self::Schemes(earlier), Self::Schemes(later)) => {
                for (scheme, mut settings) in later {
                    let entry = earlier.entry(scheme).or_default();
                    if !settings.kind.is_empty() {
                        entry.kind = settings.kind;
                    }
                    entry.config.append(&mut settings.config);
                }
            }
            (earlier, later) => *earlier = later,
        }
    }
}

impl fmt::Debug for SettingValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(formatter),
            Self::Boolean(value) => value.fmt(formatter),
            Self::Integer(value) => value.fmt(formatter),
            Self::Texts(texts) => texts.fmt(formatter),
            Self::Pairs(pairs) => pairs.fmt(formatter),
            Self::Schemes(schemes) => schemes.fmt(formatter),
            Self::Opaque => formatter.write_str("(not read)"),
        }
    }
}

/// The settings given as flags. Its `Debug` form hides secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FlagLayer {
    values: BTreeMap<&'static str, SettingValue>,
}

impl FlagLayer {
    /// Adds one occurrence of a flag. A repeated scalar replaces the earlier one; maps are merged. As in
    /// the reference, the first occurrence replaces the default.
    pub fn give(&mut self, key: &'static Key, value: SettingValue) {
        match self.values.get_mut(key.name) {
            Some(earlier) => earlier.overlay(value),
            None => {
                self.values.insert(key.name, value);
            }
        }
    }

    /// Adds what other flags give.
    pub fn add(&mut self, other: Self) {
        self.values.extend(other.values);
    }

    /// The value of a setting, if its flag was given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SettingValue> {
        self.values.get(name)
    }

    /// The names of the settings that were given, in order of name.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.values.keys().copied()
    }
}

impl fmt::Debug for FlagLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = formatter.debug_map();
        for (name, value) in &self.values {
            match value {
                SettingValue::Text(_) if Key::find(name).is_none_or(|key| key.secret) => {
                    map.entry(name, &HIDDEN)
                }
                value => map.entry(name, value),
            };
        }
        map.finish()
    }
}
