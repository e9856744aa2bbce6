//! From a file's tree to values of known settings. The table of keys decides: a value at the place of a
//! setting is read as that setting's kind; any other key is unknown.

use std::collections::BTreeMap;

use super::error::{ConfigError, Warning};
use super::file::SettingsFile;
use super::key::{Key, KeyKind};
use super::layer::SettingValue;
use super::node::Node;
use super::source::SettingSource;
use super::storage::SchemeSettings;
use super::syntax::SyntaxError;

/// The settings of all files together.
#[derive(Default)]
pub(super) struct FileLayer {
    /// The settings by name. Later files replace earlier values, and add to earlier maps.
    pub(super) values: BTreeMap<&'static str, SettingValue>,
    /// The file that gave each setting, or entry of a map, its value.
    pub(super) origins: BTreeMap<String, SettingSource>,
    /// Unknown keys.
    pub(super) warnings: Vec<Warning>,
}

impl FileLayer {
    /// Adds a file, which wins over those before it.
    pub(super) fn add(&mut self, file: &SettingsFile) -> Result<(), ConfigError> {
        self.walk(file, "", &file.tree)
    }

    fn walk(&mut self, file: &SettingsFile, section: &str, node: &Node) -> Result<(), ConfigError> {
        let entries = match node {
            Node::Map(entries) => entries,
            Node::Null => return Ok(()),
            other => {
                return Err(wrong(
                    file,
                    section,
                    format!(
                        "it is a section and takes settings, not {}",
                        other.description()
                    ),
                ));
            }
        };
        for (name, child) in entries {
            let path = if section.is_empty() {
                name.clone()
            } else {
                format!("{section}.{name}")
            };
            if let Some(key) = Key::find(&path) {
                self.take(file, key, child)?;
            } else if Key::is_section(&path) {
                self.walk(file, &path, child)?;
            } else {
                self.warnings.push(unknown(file, path));
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        file: &SettingsFile,
        key: &'static Key,
        node: &Node,
    ) -> Result<(), ConfigError> {
        let Some(value) = self.value(file, key, node)? else {
            return Ok(());
        };
        if let SettingValue::Pairs(pairs) = &value {
            for entry in pairs.keys() {
                let name = format!("{}.{entry}", key.name);
                let origin = file.source(&name);
                self.origins.insert(name, origin);
            }
        }
        self.origins
            .insert(key.name.to_owned(), file.source(key.name));
        match self.values.get_mut(key.name) {
            Some(earlier) => earlier.overlay(value),
            None => {
                self.values.insert(key.name, value);
            }
        }
        Ok(())
    }

    /// The value that `node` gives to `key`; none for an empty node.
    fn value(
        &mut self,
        file: &SettingsFile,
        key: &Key,
        node: &Node,
    ) -> Result<Option<SettingValue>, ConfigError> {
        let refused = |rule| ConfigError::Value {
            key: key.name.to_owned(),
            origin: file.source(key.name),
            rule,
        };
        let value = match (key.kind, node) {
            (_, Node::Null) => return Ok(None),
            (KeyKind::Opaque, _) => SettingValue::Opaque,
            (KeyKind::Texts, Node::List(items)) => {
                let texts = scalars(items).ok_or_else(|| {
                    refused(SyntaxError::new("it takes a text, or a list of texts"))
                })?;
                SettingValue::texts(texts.into_iter()).map_err(refused)?
            }
            (KeyKind::Pairs | KeyKind::Headers, node) => {
                SettingValue::Pairs(pairs(file, key.name, key.kind, node)?.into())
            }
            (KeyKind::Schemes, node) => SettingValue::Schemes(self.schemes(file, key.name, node)?),
            (kind, Node::Scalar(text)) => {
                SettingValue::read_relaxed(kind, text).map_err(refused)?
            }
            (_, other) => {
                let rule = format!("it takes a single value, not {}", other.description());
                return Err(wrong(file, key.name, rule));
            }
        };
        Ok(Some(value))
    }

    fn schemes(
        &mut self,
        file: &SettingsFile,
        name: &str,
        node: &Node,
    ) -> Result<BTreeMap<String, SchemeSettings>, ConfigError> {
        let mut schemes = BTreeMap::new();
        for (scheme, node) in &map(file, name, node)? {
            let name = format!("{name}.{scheme}");
            let mut settings = SchemeSettings::default();
            for (part, node) in &map(file, &name, node)? {
                let name = format!("{name}.{part}");
                match (part.as_str(), node) {
                    (_, Node::Null) => {}
                    ("kind", Node::Scalar(text)) => settings.kind.clone_from(text),
                    ("kind", other) => {
                        let rule = format!("it takes a single value, not {}", other.description());
                        return Err(wrong(file, &name, rule));
                    }
                    ("config", node) => {
                        settings.config = pairs(file, &name, KeyKind::Pairs, node)?.into();
                    }
                    _ => self.warnings.push(unknown(file, name)),
                }
            }
            schemes.insert(scheme.clone(), settings);
        }
        Ok(schemes)
    }
}

/// A map. The reference also allows a list of one-key maps.
fn map(
    file: &SettingsFile,
    name: &str,
    node: &Node,
) -> Result<BTreeMap<String, Node>, ConfigError> {
    let takes = |other: &Node| {
        let rule = format!("it takes a map, not {}", other.description());
        wrong(file, name, rule)
    };
    match node {
        Node::Null => Ok(BTreeMap::new()),
        Node::Map(entries) => Ok(entries.clone()),
        Node::List(items) => {
            let mut entries = BTreeMap::new();
            for item in items {
                match item {
                    Node::Map(part) => entries.extend(part.clone()),
                    _ => {
                        return Err(wrong(
                            file,
                            name,
                            "each item of the list must be a map".to_owned(),
                        ));
                    }
                }
            }
            Ok(entries)
        }
        other @ Node::Scalar(_) => Err(takes(other)),
    }
}

/// A map of texts. A key without a value gets the empty text: `json:` asks for the ambient account.
fn pairs(
    file: &SettingsFile,
    name: &str,
    kind: KeyKind,
    node: &Node,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut pairs = BTreeMap::new();
    for (key, node) in map(file, name, node)? {
        let text = match node {
            Node::Null => String::new(),
            Node::Scalar(text) => text,
            // A header with several values is one comma-separated list, as in HTTP.
            Node::List(items) if kind == KeyKind::Headers => {
                let Some(texts) = scalars(&items) else {
                    let rule = "a header takes only texts".to_owned();
                    return Err(wrong(file, &format!("{name}.{key}"), rule));
                };
                texts.join(", ")
            }
            other => {
                let rule = format!("it takes a single value, not {}", other.description());
                return Err(wrong(file, &format!("{name}.{key}"), rule));
            }
        };
        pairs.insert(key, text);
    }
    Ok(pairs)
}

/// The texts of a list; none if something else is in it.
fn scalars(items: &[Node]) -> Option<Vec<&str>> {
    let texts = items.iter().map(|item| match item {
        Node::Scalar(text) => Some(text.as_str()),
        Node::Null | Node::List(_) | Node::Map(_) => None,
    });
    texts.collect()
}

fn unknown(file: &SettingsFile, key: String) -> Warning {
    Warning::UnknownKey {
        origin: file.source(&key),
        nearest: Key::nearest(&key),
        key,
    }
}

fn wrong(file: &SettingsFile, key: &str, rule: String) -> ConfigError {
    ConfigError::Value {
        key: key.to_owned(),
        origin: file.source(key),
        rule: SyntaxError::new(rule),
    }
}
