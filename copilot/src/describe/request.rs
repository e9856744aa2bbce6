//! The requests of `inspect` and `make`, as the flags give them.

use std::path::PathBuf;

use super::{DocumentKind, Given};

/// How `copilot inspect` shows a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DocumentForm {
    /// In words.
    #[default]
    Words,
    /// As JSON, which `copilot make` reads.
    Json,
    /// As YAML, with the same content.
    Yaml,
}

/// What `copilot inspect` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectRequest {
    /// A file, a reference, base64, or `-` for standard input. Not empty.
    pub source: String,
    /// How to show it.
    pub form: DocumentForm,
    /// `--kind`: what it is. None: its name and its bytes tell.
    pub kind: Option<DocumentKind>,
}

/// What `copilot make` makes.
#[derive(Clone, Debug, PartialEq)]
pub struct MakeRequest {
    /// The words, and `--input`: values, or types of an interface.
    pub inputs: Vec<Given>,
    /// `--output`: types of an interface.
    pub outputs: Vec<Given>,
    /// `--from`: a file of JSON or YAML; `-` for standard input.
    pub from: Option<PathBuf>,
    /// `--to`: the file for the bytes. None: base64 on standard output.
    pub to: Option<PathBuf>,
}
