//! The upload: what main left in its output directory goes to the store.
//!
//! Look (`view`, which guards the directory), plan (`literal::output`), transfer, then commit:
//! `outputs.pb` comes last, so whoever sees it sees all of it. Never here: waiting for main, flags,
//! error documents. Called by the sidecar.

mod directory;
mod error;
mod references;
mod view;
mod walk;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tracing::info;

pub use error::UploadError;

use self::directory::Directory;
use self::view::OutputDirectory;
use crate::idl::{Message as _, VariableMap, blob_type::BlobDimensionality};
use crate::literal::Shown;
use crate::literal::output::{self, BlobOutput, OutputOptions, OutputPlan, UserError};
use crate::report::Timeline;
use crate::store::{Reference, Stores};
use crate::transfer::{Copy, Engine, Labelled, Stop, Summary};

/// What to upload and to where.
#[derive(Clone, Debug)]
pub struct Outputs<'a> {
    /// The declared outputs.
    pub declared: &'a VariableMap,
    /// Main's output directory.
    pub directory: &'a Path,
    /// Where files and directories go; needed only if there are any.
    pub raw_prefix: Option<&'a str>,
    /// The object that holds the outputs' literals.
    pub commit: &'a Reference,
    /// Error documents of earlier runs, which may not outlive the commit.
    pub stale: &'a [Reference],
    /// What may be chosen.
    pub options: OutputOptions,
    /// Whether there is data to upload.
    pub mode: UploadMode,
}

/// When output data is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadMode {
    /// After main has ended.
    OnExit,
    /// Never: main has sent it itself, and leaves references.
    Never,
}

/// Uploads the outputs, the literals last.
///
/// Before the literals, error documents of earlier runs go: whoever sees outputs and an error
/// believes the error. Should we die in between there is neither, as if we had died before both.
pub async fn run(
    outputs: &Outputs<'_>,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<Summary, UploadError> {
    let directory = Arc::new(Directory::open(outputs.directory)?);
    let raw = RawPrefix::parse(outputs.raw_prefix)?;
    let plan = plan(outputs, &directory, &raw, engine.stores())?;
    let summary = transfer(&plan, &raw, &directory, engine, stop).await?;
    timeline.mark("uploaded");
    engine
        .remove_stale(outputs.stale, stop)
        .await
        .map_err(|cause| UploadError::Stale(cause.into()))?;
    let literals = Bytes::from(plan.literals.encode_to_vec());
    engine
        .write(outputs.commit, literals, stop)
        .await
        .map_err(|cause| UploadError::Commit {
            reference: outputs.commit.to_string(),
            cause: cause.into(),
        })?;
    timeline.mark("committed");
    info!(
        objects = summary.objects,
        bytes = summary.bytes,
        retries = summary.retries,
        bytes_per_second = summary.rate(),
        peak_in_flight = summary.peak_in_flight,
        to = %outputs.commit,
        "outputs are committed"
    );
    Ok(summary)
}

/// Whether an earlier run has committed just what main's output directory says, to the byte. Of a
/// store that does not answer, or a directory that says something else, this is not known to be so.
pub async fn is_committed(outputs: &Outputs<'_>, engine: &Engine, stop: &Stop) -> bool {
    let planned = || -> Result<Vec<u8>, UploadError> {
        let directory = Arc::new(Directory::open(outputs.directory)?);
        let raw = RawPrefix::parse(outputs.raw_prefix)?;
        let plan = plan(outputs, &directory, &raw, engine.stores())?;
        Ok(plan.literals.encode_to_vec())
    };
    let Ok(planned) = planned() else {
        return false;
    };
    let committed = engine
        .read(outputs.commit, planned.len() as u64, stop)
        .await;
    committed.is_ok_and(|committed| committed == planned)
}

fn plan(
    outputs: &Outputs<'_>,
    directory: &Arc<Directory>,
    raw: &RawPrefix,
    stores: &Stores,
) -> Result<OutputPlan, UploadError> {
    let view = OutputDirectory::new(Arc::clone(directory));
    if let Some(error) = output::user_error(&view)? {
        return Err(UploadError::User(error));
    }
    let (declared, options) = (outputs.declared, outputs.options);
    let plan = match outputs.mode {
        UploadMode::OnExit => output::plan(declared, &view, options, |names| raw.uri(names)),
        UploadMode::Never => output::plan_references(declared, &view, options, |text| {
            references::check(text, stores)
        }),
    };
    Ok(plan?)
}

/// Whether every declared output has a file or directory of its own by now.
#[must_use]
pub fn are_present(directory: &Path, declared: &VariableMap) -> bool {
    Directory::open(directory).is_ok_and(|directory| {
        let view = OutputDirectory::new(Arc::new(directory));
        output::are_present(declared, &view)
    })
}

/// Uploads all that lies in the output directory, as it lies there, below the raw prefix: of a main
/// that failed, for whoever looks into it. It never becomes outputs.
pub async fn salvage(
    directory: &Path,
    raw_prefix: Option<&str>,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    let raw = RawPrefix::parse(raw_prefix)?;
    raw.join(&[])?;
    let directory = Arc::new(Directory::open(directory)?);
    let copies = walk::Walk::new(directory, Path::new(".")).map(|file| {
        let names: Vec<&str> = file.names.iter().map(String::as_str).collect();
        let label: Arc<str> = format!("the file {}", Shown(&names.join("/"))).into();
        let (from, to) = (file.content, raw.join(&names)?);
        Ok(Copy::Upload { from, to }.labelled(label))
    });
    run_all(stream::iter(copies), engine, stop).await
}

/// What main says of its own failure by the error file in its output directory.
pub fn user_error(directory: &Path) -> Result<Option<UserError>, UploadError> {
    let view = OutputDirectory::new(Arc::new(Directory::open(directory)?));
    Ok(output::user_error(&view)?)
}

/// `--to-raw-output`, which an interface of simple types does without.
struct RawPrefix(Option<Reference>);

impl RawPrefix {
    fn parse(text: Option<&str>) -> Result<Self, UploadError> {
        let parsed = text.map(Reference::parse).transpose();
        parsed.map(Self).map_err(UploadError::RawPrefix)
    }

    fn join(&self, names: &[&str]) -> Result<Reference, UploadError> {
        let prefix = self.0.as_ref().ok_or(UploadError::NoRawPrefix)?;
        prefix.join(names).map_err(UploadError::RawPrefix)
    }

    /// The uri of a blob. That there is a prefix is checked before anything is uploaded.
    fn uri(&self, names: &[String]) -> String {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.join(&names)
            .map_or_else(|_| String::new(), |reference| reference.to_string())
    }
}

async fn transfer(
    plan: &OutputPlan,
    raw: &RawPrefix,
    directory: &Arc<Directory>,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    for blob in &plan.blobs {
        raw.join(&names(blob))?;
    }
    let copies = stream::iter(&plan.blobs).flat_map(|blob| match blob.kind {
        BlobDimensionality::Single => stream::iter([file(blob, raw, directory)]).boxed(),
        BlobDimensionality::Multipart => stream::iter(tree(blob, raw, directory)).boxed(),
    });
    run_all(copies, engine, stop).await
}

/// Runs the copies up to the first that has no place to go to.
async fn run_all(
    copies: impl Stream<Item = Result<Labelled, UploadError>> + Send,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    let mut refused = None;
    let copies = copies.scan((), |(), copy| {
        let copy = copy.map_err(|error| refused = Some(error)).ok();
        std::future::ready(copy)
    });
    let outcome = engine.run(copies, stop).await;
    match refused {
        Some(error) => Err(error),
        None => outcome.map_err(UploadError::Transfer),
    }
}

/// The copy of a single file.
fn file(
    blob: &BlobOutput,
    raw: &RawPrefix,
    directory: &Arc<Directory>,
) -> Result<Labelled, UploadError> {
    let copy = Copy::Upload {
        from: directory.local_file(&blob.path),
        to: raw.join(&names(blob))?,
    };
    Ok(copy.labelled(label(blob)))
}

/// The copies of all files below a directory, found when their turn comes.
fn tree(
    blob: &BlobOutput,
    raw: &RawPrefix,
    directory: &Arc<Directory>,
) -> impl Iterator<Item = Result<Labelled, UploadError>> {
    let label = label(blob);
    walk::Walk::new(Arc::clone(directory), &blob.path).map(move |file| {
        let below = file.names.iter().map(String::as_str);
        let path: Vec<&str> = names(blob).into_iter().chain(below).collect();
        let to = raw.join(&path)?;
        let from = file.content;
        Ok(Copy::Upload { from, to }.labelled(Arc::clone(&label)))
    })
}

fn label(blob: &BlobOutput) -> Arc<str> {
    format!("output {}", Shown(&blob.variable)).into()
}

fn names(blob: &BlobOutput) -> Vec<&str> {
    blob.remote.iter().map(String::as_str).collect()
}
