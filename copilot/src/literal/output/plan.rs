//! The plan of an upload: for each declared output its literal, and what must be uploaded for it.

use std::path::PathBuf;

use super::lookup::{Found, find};
use super::problem::{OutputError, OutputProblem, OutputRule};
use super::text;
use super::view::{EntryKind, OutputView};
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::literal_type::Type;
use crate::idl::{
    Blob, BlobMetadata, BlobType, Literal, LiteralMap, LiteralType, SimpleType, VariableMap, scalar,
};
use crate::literal::problems::Problems;

/// What of an upload may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputOptions {
    /// The largest file of a simple value, in bytes.
    pub max_simple_size: u64,
    /// What remote blobs are called.
    pub blob_names: BlobNames,
}

impl Default for OutputOptions {
    fn default() -> Self {
        Self {
            max_simple_size: 1 << 20,
            blob_names: BlobNames::default(),
        }
    }
}

/// What a blob found by its extension is called in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlobNames {
    /// As its file: `o.csv`.
    #[default]
    KeepExtension,
    /// As its variable: `o`. The reference's way.
    Reference,
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
    /// Where it lies, relative to the output directory.
    pub path: PathBuf,
    /// A single file or all files below a directory.
    pub kind: BlobDimensionality,
    /// The size of a single file in bytes, when it was looked at.
    pub size: u64,
    /// The segments of its name below the raw output prefix; a directory's files go below it.
    pub remote: Vec<String>,
}

/// Reads and checks every declared output.
///
/// `uri` makes the reference of a blob from the segments of its name; each is a file name, so it
/// cannot fail. Fails with every output that is missing, wrong or not supported.
pub fn plan(
    outputs: &VariableMap,
    view: &impl OutputView,
    options: OutputOptions,
    uri: impl FnMut(&[String]) -> String,
) -> Result<OutputPlan, OutputError> {
    let mut planner = Planner {
        view,
        options,
        uri,
        blobs: Vec::new(),
    };
    let mut literals = LiteralMap::default();
    let mut problems = Problems::default();
    for (variable, declared) in outputs.types() {
        match planner.output(variable, &declared) {
            Ok(literal) => _ = literals.literals.insert(variable.to_owned(), literal),
            Err(rule) => problems.push_with(|| OutputProblem {
                variable: variable.to_owned(),
                rule,
            }),
        }
    }
    problems
        .or(OutputPlan {
            literals,
            blobs: planner.blobs,
        })
        .map_err(OutputError)
}

struct Planner<'a, V, F> {
    view: &'a V,
    options: OutputOptions,
    uri: F,
    blobs: Vec<BlobOutput>,
}

impl<V: OutputView, F: FnMut(&[String]) -> String> Planner<'_, V, F> {
    fn output(&mut self, variable: &str, declared: &LiteralType) -> Result<Literal, OutputRule> {
        let unsupported = || OutputRule::Unsupported(declared.to_string());
        match &declared.r#type {
            Some(Type::Simple(number)) => {
                let kind = SimpleType::try_from(*number).map_err(|_| unsupported())?;
                self.simple(kind, declared, &find(variable, self.view)?)
            }
            Some(Type::Blob(blob)) => {
                BlobDimensionality::try_from(blob.dimensionality).map_err(|_| unsupported())?;
                self.blob(variable, blob, declared, find(variable, self.view)?)
            }
            _ => Err(unsupported()),
        }
    }

    fn simple(
        &self,
        kind: SimpleType,
        declared: &LiteralType,
        found: &Found,
    ) -> Result<Literal, OutputRule> {
        let path = self.view.root().join(&found.path);
        let declared = declared.to_string();
        match found.entry.kind {
            EntryKind::File => {}
            EntryKind::Directory => return Err(OutputRule::IsDirectory { declared, path }),
            EntryKind::Special(kind) => return Err(OutputRule::Special { kind, path }),
        }
        // The file says nothing that this type could hold.
        if kind == SimpleType::None {
            return text::parse(kind, &[]).map_err(|cause| OutputRule::Text { path, cause });
        }
        let limit = self.options.max_simple_size;
        if found.entry.size > limit {
            return Err(OutputRule::TooLarge {
                declared,
                path,
                size: found.entry.size,
                limit,
            });
        }
        // One byte more than allowed tells a file that grew.
        let content = match self.view.read(&found.path, limit.saturating_add(1)) {
            Ok(content) => content,
            Err(cause) => return Err(OutputRule::Unreadable { path, cause }),
        };
        let size = content.len() as u64;
        if size > limit {
            return Err(OutputRule::TooLarge {
                declared,
                path,
                size,
                limit,
            });
        }
        text::parse(kind, &content).map_err(|cause| OutputRule::Text { path, cause })
    }

    fn blob(
        &mut self,
        variable: &str,
        blob: &BlobType,
        declared: &LiteralType,
        found: Found,
    ) -> Result<Literal, OutputRule> {
        let path = self.view.root().join(&found.path);
        let declared = declared.to_string();
        let kind = blob.dimensionality();
        match (kind, found.entry.kind) {
            (BlobDimensionality::Single, EntryKind::File)
            | (BlobDimensionality::Multipart, EntryKind::Directory) => {}
            (_, EntryKind::File) => return Err(OutputRule::IsFile { declared, path }),
            (_, EntryKind::Directory) => return Err(OutputRule::IsDirectory { declared, path }),
            (_, EntryKind::Special(kind)) => return Err(OutputRule::Special { kind, path }),
        }
        let name = match self.options.blob_names {
            BlobNames::Reference => variable,
            BlobNames::KeepExtension => found.path.to_str().ok_or(OutputRule::FileName { path })?,
        };
        let remote = vec![name.to_owned()];
        let uri = (self.uri)(&remote);
        let size = found.entry.size;
        self.blobs.push(BlobOutput {
            variable: variable.to_owned(),
            path: found.path,
            kind,
            size,
            remote,
        });
        let metadata = BlobMetadata {
            r#type: Some(blob.clone()),
        };
        Ok(scalar::Value::Blob(Blob {
            metadata: Some(metadata),
            uri,
        })
        .into())
    }
}
