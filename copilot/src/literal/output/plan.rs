//! What an upload may choose, and the plan that answers it: types only.

use std::path::PathBuf;

use crate::idl::LiteralMap;
use crate::idl::blob_type::BlobDimensionality;

/// What an upload may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputOptions {
    /// The largest file of a value that stands in `outputs.pb` itself, in bytes.
    pub max_simple_size: u64,
    /// The names of blobs in the store.
    pub blob_names: BlobNames,
    /// The form of structs in `outputs.pb`.
    pub structs: StructOutputs,
}

impl Default for OutputOptions {
    fn default() -> Self {
        Self {
            max_simple_size: 1 << 20,
            blob_names: BlobNames::default(),
            structs: StructOutputs::default(),
        }
    }
}

/// The name in the store of a blob whose file has an extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlobNames {
    /// The file's name: `o.csv`.
    #[default]
    KeepExtension,
    /// The name of the variable (index, key): `o`. The reference does this.
    Reference,
}

/// The form of a STRUCT in `outputs.pb`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StructOutputs {
    /// MessagePack for a type that flytekit marks so, else protobuf's `Struct`.
    #[default]
    Declared,
    /// Always protobuf's `Struct`: for a platform that cannot read MessagePack yet.
    Protobuf,
}

/// What becomes of the outputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputPlan {
    /// The content of `outputs.pb`, true once the blobs are uploaded.
    pub literals: LiteralMap,
    /// What must be uploaded.
    pub blobs: Vec<BlobOutput>,
}

/// A file or directory to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobOutput {
    /// The output variable that it belongs to.
    pub variable: String,
    /// Its path, relative to the output directory.
    pub path: PathBuf,
    /// A single file, or all files below a directory.
    pub kind: BlobDimensionality,
    /// The size of a single file in bytes at the time of planning.
    pub size: u64,
    /// The segments of its name below the raw output prefix, such that every reader of references finds
    /// it. A directory's files go below it, under their own names.
    pub remote: Vec<String>,
}
