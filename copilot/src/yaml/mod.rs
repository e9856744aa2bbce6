//! YAML text to a tree: the one reader of YAML events.
//!
//! The [`reader`](read) owns structure, anchors and limits; a [`Tree`] decides what scalars, keys and
//! merge keys mean. Settings and kubeconfig files (`config`) and outputs (`literal::output`) each
//! bring a tree of their own. Never here: what a value is good for, files, or writing YAML
//! (`literal::render`). It depends on nothing in this crate.

mod error;
mod lines;
mod reader;
mod tree;

pub(crate) use error::{YamlError, YamlRule};
pub(crate) use lines::key_lines;
pub(crate) use reader::read;
pub(crate) use tree::{Scalar, Tree, TreeLimits};
