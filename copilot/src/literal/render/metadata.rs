//! The metadata files beside the inputs: which exist, and how each is written (spec §3.1).

use std::io::{self, Write};

use prost::Message;

use super::{Binaries, write_json, write_yaml};
use crate::idl::LiteralMap;

/// The choices of `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetadataFormat {
    /// `inputs.pb` only.
    Proto,
    /// `inputs.pb` and `inputs.json`.
    #[default]
    Json,
    /// `inputs.pb` and `inputs.yaml`.
    Yaml,
}

impl MetadataFormat {
    /// The files to write, in this order.
    #[must_use]
    pub fn files(self) -> &'static [MetadataFile] {
        match self {
            Self::Proto => &[MetadataFile::Proto],
            Self::Json => &[MetadataFile::Proto, MetadataFile::Json],
            Self::Yaml => &[MetadataFile::Proto, MetadataFile::Yaml],
        }
    }
}

/// One metadata file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataFile {
    /// A serialized `LiteralMap`.
    Proto,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl MetadataFile {
    /// Its name in the input directory.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proto => "inputs.pb",
            Self::Json => "inputs.json",
            Self::Yaml => "inputs.yaml",
        }
    }

    /// Writes the file; pass a buffered writer. Errors come from the writer.
    pub fn write(
        self,
        literals: &LiteralMap,
        binaries: &Binaries,
        out: &mut impl Write,
    ) -> io::Result<()> {
        match self {
            Self::Proto => out.write_all(&literals.encode_to_vec()),
            Self::Json => write_json(literals, binaries, out),
            Self::Yaml => write_yaml(literals, binaries, out),
        }
    }
}
