//! What a download asks for, and the plan that answers it: types only.

use std::path::{Path, PathBuf};

use super::values::Values;
use crate::idl::LiteralMap;
use crate::literal::problems::Problems;
use crate::literal::render::{Binaries, MetadataFormat};

/// How single blobs are named (spec §3.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// By variable, key or index.
    #[default]
    Direct,
    /// By variable or key as a directory that holds the object under its own name.
    NamedDir,
}

/// The marker files of a download that goes on while main runs. They say that all data is there, that
/// the download failed, and, for a later run of ours, which data it began with.
pub const MARKERS: [&str; 3] = ["_EOS", "_ERROR", ".copilot-stream"];

/// When the data of files, directories and datasets arrives, as main sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrival {
    /// Before main starts.
    #[default]
    Before,
    /// While main runs: data appears only when it is complete, and the names of [`MARKERS`] are taken.
    During,
    /// Never: the metadata files keep the references unchanged, and nothing is laid out for them.
    Never,
}

/// Where and how to lay out inputs.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The input directory as main sees it. Paths in the metadata are absolute only if it is.
    pub directory: &'a Path,
    /// How single blobs are named.
    pub layout: Layout,
    /// Which metadata files are written: no variable may have their names.
    pub metadata: MetadataFormat,
    /// When data arrives.
    pub data: Arrival,
    /// How binary scalars are shown.
    pub binaries: &'a Binaries,
}

/// The content of the input directory. All paths are relative to it.
#[derive(Debug, Default)]
pub struct InputPlan {
    /// The literals with local paths as URIs: the content of the metadata files.
    pub literals: LiteralMap,
    /// Directories to create, parents first. Each prefix has one, even an empty prefix, unless its data
    /// arrives while main runs.
    pub directories: Vec<PathBuf>,
    /// What must be fetched.
    pub blobs: Vec<BlobInput>,
    /// How binary scalars are shown in files of values, `inputs.json` and `inputs.yaml`.
    pub binaries: Binaries,
    /// Warnings, in words.
    pub warnings: Problems<String>,
}

impl InputPlan {
    /// The files whose content is in the literals themselves.
    #[must_use]
    pub fn values(&self) -> Values<'_> {
        Values::new(&self.literals, &self.binaries)
    }
}

/// Data to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInput {
    /// The target: a file, or the directory for the objects below a prefix.
    pub path: PathBuf,
    /// The source, as the platform wrote it.
    pub uri: String,
    /// One object or many.
    pub kind: BlobKind,
}

impl BlobInput {
    /// The input variable that needs it.
    #[must_use]
    pub fn variable(&self) -> &str {
        self.path
            .iter()
            .next()
            .and_then(|first| first.to_str())
            .unwrap_or_default()
    }
}

/// How many objects a reference stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobKind {
    /// The object at the URI.
    Object,
    /// All objects below the URI and a `/`.
    Prefix,
    /// A schema or a structured dataset: like a prefix, or, if no object is below it, the one object at
    /// the URI, which goes into the directory.
    Table,
}
