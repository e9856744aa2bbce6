//! The upload: what main left in its output directory goes to the store.
//!
//! Look (`view`), plan (`literal::output`), transfer, then commit: `outputs.pb` comes last, so a reader
//! that sees it sees all outputs. Everything in main's directory is opened through `directory`, which main
//! cannot trick. Never here: waiting for main, flags, error documents. Caller: the sidecar.

mod directory;
mod eager;
mod error;
mod leftover;
mod planned;
mod references;
mod view;
mod walk;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use tracing::info;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use eager::fuzz;
pub use eager::{Eager, EagerOptions, Early};
pub use error::UploadError;

use self::directory::GuardedDirectory;
use self::leftover::clear;
use self::planned::{PlannedFile, RawPrefix, everything, file, names, tree};
use self::view::OutputDirectory;
use crate::idl::{Message as _, VariableMap, blob_type::BlobDimensionality};
use crate::literal::output::{self, OutputOptions, OutputPlan, UserError};
use crate::report::Timeline;
use crate::store::{Reference, Stores};
use crate::transfer::{Engine, Stop, Summary};

/// What to upload and to where.
#[derive(Clone, Debug)]
pub struct Outputs<'a> {
    /// The declared outputs.
    pub declared: &'a VariableMap,
    /// Main's output directory.
    pub directory: &'a Path,
    /// Where files and directories go; only outputs with data need it.
    pub raw_prefix: Option<&'a str>,
    /// The object that holds the outputs' literals.
    pub commit: &'a Reference,
    /// Error documents of earlier runs, which must be gone before the commit.
    pub stale: &'a [Reference],
    /// The user's choices.
    pub options: OutputOptions,
    /// When data is uploaded.
    pub mode: UploadMode,
}

/// When output data is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadMode {
    /// After main has ended.
    OnExit,
    /// Finished files while main runs, the rest after main has ended.
    Eager,
    /// Never: main uploads its data itself, and leaves references.
    Never,
}

/// Uploads the outputs, the literals last.
///
/// A file that is up and unchanged is not sent again. An object that went up early and that no output
/// names is deleted. Error documents of earlier runs are deleted before the literals are written: a
/// reader that sees outputs and an error believes the error. If we are killed in between, the store has
/// neither.
pub async fn run(
    outputs: &Outputs<'_>,
    early: &mut Early,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<Summary, UploadError> {
    let directory = Arc::new(GuardedDirectory::open(outputs.directory)?);
    let raw = RawPrefix::parse(outputs.raw_prefix)?;
    let plan = plan(outputs, &directory, &raw, engine.stores())?;
    let summary = transfer(&plan, early, &raw, &directory, engine, stop).await?;
    timeline.mark("uploaded");
    clear(early, &plan, engine, stop).await?;
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
    if outputs.mode == UploadMode::Eager {
        timeline.note("objects_early", early.settled());
        timeline.note("bytes_early", early.summary().bytes);
    }
    early.forget();
    info!(
        objects = summary.objects,
        bytes = summary.bytes,
        early = early.settled(),
        early_objects = early.summary().objects,
        early_bytes = early.summary().bytes,
        retries = early.summary().retries + summary.retries,
        bytes_per_second = summary.rate(),
        peak_in_flight = summary.peak_in_flight,
        to = %outputs.commit,
        "outputs are committed"
    );
    Ok(summary)
}

/// Whether an earlier run has committed exactly what main's output directory holds, to the byte. If the
/// store does not answer, this returns `false`.
pub async fn is_committed(outputs: &Outputs<'_>, engine: &Engine, stop: &Stop) -> bool {
    let planned = || -> Result<Vec<u8>, UploadError> {
        let directory = Arc::new(GuardedDirectory::open(outputs.directory)?);
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
    directory: &Arc<GuardedDirectory>,
    raw: &RawPrefix,
    stores: &Stores,
) -> Result<OutputPlan, UploadError> {
    let view = OutputDirectory::new(Arc::clone(directory));
    if let Some(error) = output::user_error(&view)? {
        return Err(UploadError::User(error));
    }
    let (declared, options) = (outputs.declared, outputs.options);
    let plan = match outputs.mode {
        UploadMode::OnExit | UploadMode::Eager => {
            output::plan(declared, &view, options, |names| raw.uri(names))
        }
        UploadMode::Never => output::plan_references(declared, &view, options, |text| {
            references::check(text, stores).map_err(|error| error.to_string())
        }),
    };
    Ok(plan?)
}

/// Whether every declared output has a file or directory of its own.
#[must_use]
pub fn are_present(directory: &Path, declared: &VariableMap) -> bool {
    GuardedDirectory::open(directory).is_ok_and(|directory| {
        let view = OutputDirectory::new(Arc::new(directory));
        output::are_present(declared, &view)
    })
}

/// Uploads all files of the output directory, as they are, below the raw prefix: main has failed, and a
/// person may want to look at them. They never become outputs.
pub async fn salvage(
    directory: &Path,
    raw_prefix: Option<&str>,
    early: &mut Early,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    let raw = RawPrefix::of_any_text(raw_prefix)?;
    raw.join(&[])?;
    let directory = Arc::new(GuardedDirectory::open(directory)?);
    let files = everything(&raw, &directory).filter(is_of_main);
    run_all(files, early, &directory, engine, stop).await
}

/// Whether a file is not one of our own.
fn is_of_main(file: &Result<PlannedFile, UploadError>) -> bool {
    file.as_ref()
        .map_or(true, |file| &*file.key != eager::JOURNAL)
}

/// What main says about its failure in the error file of its output directory.
pub fn user_error(directory: &Path) -> Result<Option<UserError>, UploadError> {
    let view = OutputDirectory::new(Arc::new(GuardedDirectory::open(directory)?));
    Ok(output::user_error(&view)?)
}

async fn transfer(
    plan: &OutputPlan,
    early: &mut Early,
    raw: &RawPrefix,
    directory: &Arc<GuardedDirectory>,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    for blob in &plan.blobs {
        raw.join(&names(blob))?;
    }
    let files = plan.blobs.iter().flat_map(|blob| match blob.kind {
        BlobDimensionality::Single => OutputFiles::One(std::iter::once(file(blob, raw, directory))),
        BlobDimensionality::Multipart => OutputFiles::Tree(tree(blob, raw, directory)),
    });
    run_all(files, early, directory, engine, stop).await
}

/// Uploads the files that are not up yet. A file that has no place to go ends the upload.
async fn run_all(
    mut files: impl Iterator<Item = Result<PlannedFile, UploadError>> + Send,
    early: &mut Early,
    directory: &Arc<GuardedDirectory>,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    let halt = &stop.child();
    let mut refused = None;
    let state = (&mut files, &mut *early, &mut refused);
    let copies = stream::unfold(state, |(files, early, refused)| async move {
        loop {
            let file = match files.next()? {
                Ok(file) => file,
                Err(error) => {
                    *refused = Some(error);
                    halt.cancel();
                    return None;
                }
            };
            if !early.is_settled(&file.key, &file.path, directory).await {
                let resume = early.take_begun(&file.key);
                return Some((file.copy(resume), (files, early, refused)));
            }
        }
    });
    let outcome = engine.run(copies, halt).await;
    match refused {
        Some(error) => Err(error),
        None => outcome.map_err(UploadError::Transfer),
    }
}

/// The files of one output.
enum OutputFiles<One, Tree> {
    One(One),
    Tree(Tree),
}

impl<T, One: Iterator<Item = T>, Tree: Iterator<Item = T>> Iterator for OutputFiles<One, Tree> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::One(one) => one.next(),
            Self::Tree(tree) => tree.next(),
        }
    }
}
