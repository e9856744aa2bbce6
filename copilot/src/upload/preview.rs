//! What an upload would send, found out without a store: `copilot run` shows it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::directory;
use super::eager;
use super::error::UploadError;
use super::planned::RawPrefix;
use super::view::OutputDirectory;
use super::walk::TreeWalk;
use crate::beneath::{GuardedDirectory, SharedDirectory};
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::{LiteralMap, VariableMap};
use crate::literal::Problems;
use crate::literal::output::{self, BlobOutput, OutputOptions, OutputView as _};
use crate::track::Marker;
use crate::transfer::CopyError;

/// How many names of undeclared files are kept.
const UNDECLARED: usize = 20;

/// What an upload would send.
#[derive(Debug, Default)]
pub struct Preview {
    /// The content of `outputs.pb`.
    pub literals: LiteralMap,
    /// The files and directories.
    pub data: Vec<PreviewedData>,
    /// Files that no output names, which would stay behind; the first of them.
    pub undeclared: Vec<String>,
}

/// A file or directory that would be sent.
#[derive(Debug)]
pub struct PreviewedData {
    /// Its output variable.
    pub variable: String,
    /// Its path in the output directory.
    pub path: String,
    /// How many files.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Files that cannot be sent, and why.
    pub problems: Problems<CopyError>,
}

/// Looks at the outputs as an upload does. References to data begin with `raw_prefix`, else with the directory's
/// path.
///
/// # Errors
/// What the upload would fail with before it sends anything: the program's own error, every output that is missing
/// or wrong.
pub fn preview(
    declared: &VariableMap,
    shared: &SharedDirectory,
    options: OutputOptions,
    raw_prefix: Option<&str>,
) -> Result<Preview, UploadError> {
    let directory = directory::open(shared)?;
    let view = OutputDirectory::new(Arc::clone(&directory));
    if let Some(error) = output::user_error(&view)? {
        return Err(UploadError::User(error));
    }
    let raw = RawPrefix::parse(raw_prefix)?;
    let plan = output::plan(declared, &view, options, |names| match raw_prefix {
        Some(_) => raw.uri(names),
        None => directory.shown(Path::new(&names.join("/"))),
    })?;
    let data = plan.blobs.iter().map(|blob| look(blob, &directory));
    Ok(Preview {
        data: data.collect(),
        undeclared: undeclared(declared, &view),
        literals: plan.literals,
    })
}

/// Opens each file, as the upload does, and counts.
fn look(blob: &BlobOutput, directory: &Arc<GuardedDirectory>) -> PreviewedData {
    let mut data = PreviewedData {
        variable: blob.variable.clone(),
        path: blob.path.display().to_string(),
        files: 0,
        bytes: 0,
        problems: Problems::default(),
    };
    let mut count = |file: crate::transfer::LocalFile| match file.size() {
        Ok(bytes) => {
            data.files += 1;
            data.bytes += bytes;
        }
        Err(error) => data.problems.push_with(|| error),
    };
    match blob.kind {
        BlobDimensionality::Single => count(directory::local_file(directory, &blob.path)),
        BlobDimensionality::Multipart => {
            for file in TreeWalk::new(Arc::clone(directory), &blob.path) {
                count(file.content);
            }
        }
    }
    data
}

/// The names in the output directory that belong to no output, to no marker, and not to us.
fn undeclared(declared: &VariableMap, view: &OutputDirectory) -> Vec<String> {
    let is_declared = |name: &str| {
        let mut variables = declared.variables.iter();
        variables.any(|variable| {
            let rest = name.strip_prefix(variable.key.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let is_ours = |name: &str| {
        name == eager::JOURNAL || Marker::ALL.iter().any(|(marker, _)| *marker == name)
    };
    let mut found = BTreeSet::new();
    // A directory that cannot be listed is reported by the plan.
    let _ = view.names(Path::new(""), &mut |name| {
        let name = name.to_string_lossy();
        if !is_declared(&name) && !is_ours(&name) {
            found.insert(name.into_owned());
        }
        if found.len() < UNDECLARED {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    found.into_iter().collect()
}
