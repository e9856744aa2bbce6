//! What a download is asked for, and the plan that answers it.

use std::path::{Path, PathBuf};

use super::values::Values;
use crate::idl::LiteralMap;
use crate::literal::problems::Problems;
use crate::literal::render::MetadataFormat;

/// How single blobs are named (spec §3.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// By variable, key or index.
    #[default]
    Direct,
    /// By variable or key as a directory that holds the object under its own name.
    NamedDir,
}

/// The files that tell how far a download has come which goes on while main runs: that all is there,
/// that it failed, and, to a later run of ours, which data it had begun with.
pub const MARKERS: [&str; 3] = ["_EOS", "_ERROR", ".copilot-stream"];

/// When the data of files, directories and datasets comes, seen from main.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrival {
    /// Before main starts.
    #[default]
    Before,
    /// While main runs: nothing stands in its place before it is there as a whole, and some names are
    /// those of [`MARKERS`].
    During,
    /// Never: the metadata files hold the references as they are, and nothing is laid out for them.
    Never,
}

/// Where inputs go, and how.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The input directory, as the main container will see it; absolute, or paths will not be.
    pub directory: &'a Path,
    /// How single blobs are named.
    pub layout: Layout,
    /// Which metadata files will be written: no variable may have their names.
    pub metadata: MetadataFormat,
    /// When data comes.
    pub data: Arrival,
}

/// What must lie in the input directory. All paths are relative to it.
#[derive(Debug, Default)]
pub struct InputPlan {
    /// The literals with local paths as URIs: what the metadata files say.
    pub literals: LiteralMap,
    /// Directories to make, parents first; each prefix has one, even if nothing comes into it, but
    /// for those that come while main runs.
    pub directories: Vec<PathBuf>,
    /// What must be fetched.
    pub blobs: Vec<BlobInput>,
    /// What may surprise, in words.
    pub warnings: Problems<String>,
}

impl InputPlan {
    /// The files whose content is in the literals themselves.
    #[must_use]
    pub fn values(&self) -> Values<'_> {
        Values::new(&self.literals)
    }
}

/// Data to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobInput {
    /// Where it goes: a file, or the directory for what is below a prefix.
    pub path: PathBuf,
    /// Where it lies, as the platform wrote it.
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
    /// As a prefix; or, if nothing is below it, the one object at the URI, which goes into the
    /// directory. A schema or a structured dataset.
    Table,
}
