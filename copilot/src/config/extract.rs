//! From a file's tree to values of known settings. The table of keys leads: what stands where a
//! setting is expected is read as that setting's kind, anything else is an unknown key.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::{ConfigError, Warning};
use super::key::{Key, Kind};
use super::layer::Value;
use super::load::Source;
use super::node::Node;
use super::storage::SchemeSettings;
use super::syntax::SyntaxError;

/// What all files say together.
#[derive(Default)]
pub(super) struct FileLayer {
    /// The settings by name. Later files have replaced or joined earlier values.
    pub(super) values: BTreeMap<&'static str, Value>,
    /// The file that gave each setting, or entry of a map, its value.
    pub(super) origins: BTreeMap<String, Source>,
    /// Unknown keys.
    pub(super) warnings: Vec<Warning>,
}

impl FileLayer {
    /// Puts a file over those before it.
    pub(super) fn add(&mut self, file: &Path, tree: &Node) -> Result<(), ConfigError> {
        self.walk(file, "", tree)
    }

    fn walk(&mut self, file: &Path, section: &str, node: &Node) -> Result<(), ConfigError> {
        let entries = match node {
            Node::Map(entries) => entries,
            Node::Null => return Ok(()),
            other => {
                return Err(wrong(
                    file,
                    section,
                    format!("it is a section with settings, not {}", other.description()),
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
                self.warnings.push(Warning::UnknownKey {
                    key: path,
                    file: file.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn take(&mut self, file: &Path, key: &'static Key, node: &Node) -> Result<(), ConfigError> {
        let Some(value) = self.value(file, key, node)? else {
            return Ok(());
        };
        let origin = Source::File(file.to_owned());
        if let Value::Pairs(pairs) = &value {
            for entry in pairs.keys() {
                let name = format!("{}.{entry}", key.name);
                self.origins.insert(name, origin.clone());
            }
        }
        self.origins.insert(key.name.to_owned(), origin);
        match self.values.get_mut(key.name) {
            Some(earlier) => earlier.overlay(value),
            None => {
                self.values.insert(key.name, value);
            }
        }
        Ok(())
    }

    /// The value that `node` is for `key`; none when nothing stands there.
    fn value(&mut self, file: &Path, key: &Key, node: &Node) -> Result<Option<Value>, ConfigError> {
        let value = match (key.kind, node) {
            (_, Node::Null) => return Ok(None),
            (Kind::Opaque, _) => Value::Opaque,
            (Kind::Pairs | Kind::Headers, node) => {
                Value::Pairs(pairs(file, key.name, key.kind, node)?)
            }
            (Kind::Schemes, node) => Value::Schemes(self.schemes(file, key.name, node)?),
            (kind, Node::Scalar(text)) => {
                Value::read_relaxed(kind, text).map_err(|rule| ConfigError::Value {
                    key: key.name.to_owned(),
                    origin: Source::File(file.to_owned()),
                    rule,
                })?
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
        file: &Path,
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
                    ("config", node) => settings.config = pairs(file, &name, Kind::Pairs, node)?,
                    _ => self.warnings.push(Warning::UnknownKey {
                        key: name,
                        file: file.to_owned(),
                    }),
                }
            }
            schemes.insert(scheme.clone(), settings);
        }
        Ok(schemes)
    }
}

/// A map, also where it is written as a list of one-key maps, as the reference allows.
fn map(file: &Path, name: &str, node: &Node) -> Result<BTreeMap<String, Node>, ConfigError> {
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

/// A map of texts. A key without a value has an empty one: `json:` asks for the ambient account.
fn pairs(
    file: &Path,
    name: &str,
    kind: Kind,
    node: &Node,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut pairs = BTreeMap::new();
    for (key, node) in map(file, name, node)? {
        let text = match node {
            Node::Null => String::new(),
            Node::Scalar(text) => text,
            Node::List(items) if kind == Kind::Headers => join(items).ok_or_else(|| {
                wrong(
                    file,
                    &format!("{name}.{key}"),
                    "a header takes texts only".to_owned(),
                )
            })?,
            other => {
                let rule = format!("it takes a single value, not {}", other.description());
                return Err(wrong(file, &format!("{name}.{key}"), rule));
            }
        };
        pairs.insert(key, text);
    }
    Ok(pairs)
}

/// A header given several times is one list, as HTTP has it.
fn join(items: Vec<Node>) -> Option<String> {
    let texts: Option<Vec<String>> = items
        .into_iter()
        .map(|item| match item {
            Node::Scalar(text) => Some(text),
            _ => None,
        })
        .collect();
    Some(texts?.join(", "))
}

fn wrong(file: &Path, key: &str, rule: String) -> ConfigError {
    ConfigError::Value {
        key: key.to_owned(),
        origin: Source::File(file.to_owned()),
        rule: SyntaxError::new(rule),
    }
}
