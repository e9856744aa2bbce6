//! The fields of a manifest, with the path of each for messages.

use thiserror::Error;

use super::quantity::{self, QuantityError};
use crate::config::node::Node;

/// A field that is not what Kubernetes wants there.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{path}: {rule}")]
pub struct FieldError {
    path: String,
    rule: FieldRule,
}

#[derive(Debug, Error, PartialEq, Eq)]
enum FieldRule {
    #[error("it must be {wanted}, and it is {found}")]
    Kind {
        wanted: &'static str,
        found: &'static str,
    },
    #[error("it must be {wanted}, and it is {text:?}")]
    Text { wanted: &'static str, text: String },
    #[error(transparent)]
    Quantity(#[from] QuantityError),
}

/// A map of a manifest, or nothing in its place. Names of fields ignore case.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    node: Option<&'a Node>,
    path: String,
}

impl<'a> Fields<'a> {
    /// The whole document.
    pub(super) fn of(node: &'a Node) -> Result<Self, FieldError> {
        let whole = Self {
            node: Some(node),
            path: String::new(),
        };
        whole.map("the document")
    }

    /// Whether it is there.
    pub(super) fn is_there(&self) -> bool {
        self.node.is_some()
    }

    fn map(self, name: &str) -> Result<Self, FieldError> {
        match self.node {
            None | Some(Node::Map(_)) => Ok(self),
            Some(Node::Null) => Ok(Self { node: None, ..self }),
            Some(other) => Err(kind(name, "a map", other)),
        }
    }

    fn child(&self, name: &str) -> (Option<&'a Node>, String) {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        let node = match self.node {
            Some(Node::Map(entries)) => entries.get(&name.to_lowercase()),
            _ => None,
        };
        (node.filter(|node| **node != Node::Null), path)
    }

    /// A map in it.
    pub(super) fn field(&self, name: &str) -> Result<Self, FieldError> {
        let (node, path) = self.child(name);
        let shown = path.clone();
        Self { node, path }.map(&shown)
    }

    /// A text in it.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, FieldError> {
        match self.child(name) {
            (None, _) => Ok(None),
            (Some(Node::Scalar(text)), _) => Ok(Some(text.clone())),
            (Some(other), path) => Err(kind(&path, "a text", other)),
        }
    }

    /// A truth value in it.
    pub(super) fn truth(&self, name: &str) -> Result<Option<bool>, FieldError> {
        self.parsed(name, "true or false")
    }

    /// A whole number in it.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, FieldError> {
        self.parsed(name, "a whole number")
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        name: &str,
        wanted: &'static str,
    ) -> Result<Option<T>, FieldError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| FieldError {
            path: self.child(name).1,
            rule: FieldRule::Text { wanted, text },
        })
    }

    /// A quantity of bytes in it.
    pub(super) fn quantity(&self, name: &str) -> Result<Option<u64>, FieldError> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        quantity::bytes(&text).map(Some).map_err(|rule| FieldError {
            path: self.child(name).1,
            rule: rule.into(),
        })
    }

    /// The texts of a list in it.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, FieldError> {
        let texts = self
            .items(name)?
            .into_iter()
            .map(|(node, path)| match node {
                Node::Scalar(text) => Ok(text.clone()),
                other => Err(kind(&path, "a text", other)),
            });
        texts.collect()
    }

    /// The maps of a list in it.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Self>, FieldError> {
        let maps = self.items(name)?.into_iter().map(|(node, path)| {
            let shown = path.clone();
            let node = Some(node);
            Self { node, path }.map(&shown)
        });
        maps.collect()
    }

    fn items(&self, name: &str) -> Result<Vec<(&'a Node, String)>, FieldError> {
        match self.child(name) {
            (None, _) => Ok(Vec::new()),
            (Some(Node::List(items)), path) => {
                let items = items.iter().enumerate();
                Ok(items
                    .map(|(index, item)| (item, format!("{path}[{index}]")))
                    .collect())
            }
            (Some(other), path) => Err(kind(&path, "a list", other)),
        }
    }
}

fn kind(path: &str, wanted: &'static str, found: &Node) -> FieldError {
    FieldError {
        path: path.to_owned(),
        rule: FieldRule::Kind {
            wanted,
            found: found.description(),
        },
    }
}
