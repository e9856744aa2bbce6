//! The upload: what main left in its output directory goes to the store.
//!
//! Look (`view`, which guards the directory), plan (`literal::output`), transfer, then commit:
//! `outputs.pb` comes last, so whoever sees it sees all of it. Never here: waiting for main, flags,
//! error documents. Called by the sidecar.

mod directory;
mod eager;
mod error;
mod planned;
mod references;
mod settle;
mod view;
mod walk;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream;
use tracing::info;

pub use eager::{Eager, EagerOptions, Early};
pub use error::UploadError;

use self::directory::Directory;
use self::planned::{Planned, RawPrefix, everything, file, names, tree};
use self::settle::{clear, finish};
use self::view::OutputDirectory;
use crate::idl::{Message as _, VariableMap, blob_type::BlobDimensionality};
use crate::literal::output::{self, OutputOptions, OutputPlan, UserError};
use crate::report::Timeline;
use crate::store::{Reference, Stores};
use crate::transfer::{Engine, Labelled, Stop, Summary};

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
    /// While main runs, what is finished by then; the rest after it has ended.
    Eager,
    /// Never: main has sent it itself, and leaves references.
    Never,
}

/// Uploads the outputs, the literals last.
///
/// What is known to be up, and unchanged since, does not go again; what went up early and is no output
/// goes. Before the literals, error documents of earlier runs go: whoever sees outputs and an error
/// believes the error. Should we die in between there is neither, as if we had died before both.
pub async fn run(
    outputs: &Outputs<'_>,
    early: &mut Early,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<Summary, UploadError> {
    let directory = Arc::new(Directory::open(outputs.directory)?);
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
    }
    early.forget();
    info!(
        objects = summary.objects,
        bytes = summary.bytes,
        early = early.settled(),
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
        UploadMode::OnExit | UploadMode::Eager => {
            output::plan(declared, &view, options, |names| raw.uri(names))
        }
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
    early: &mut Early,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    let raw = RawPrefix::parse(raw_prefix)?;
    raw.join(&[])?;
    let directory = Arc::new(Directory::open(directory)?);
    let files = everything(&raw, &directory).filter(is_of_main);
    run_all(files, early, &directory, engine, stop).await
}

/// Whether a file is not one of our own.
fn is_of_main(file: &Result<Planned, UploadError>) -> bool {
    file.as_ref()
        .map_or(true, |file| &*file.key != eager::JOURNAL)
}

/// What main says of its own failure by the error file in its output directory.
pub fn user_error(directory: &Path) -> Result<Option<UserError>, UploadError> {
    let view = OutputDirectory::new(Arc::new(Directory::open(directory)?));
    Ok(output::user_error(&view)?)
}

async fn transfer(
    plan: &OutputPlan,
    early: &mut Early,
    raw: &RawPrefix,
    directory: &Arc<Directory>,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    for blob in &plan.blobs {
        raw.join(&names(blob))?;
    }
    let files = plan.blobs.iter().flat_map(|blob| match blob.kind {
        BlobDimensionality::Single => Files::One(std::iter::once(file(blob, raw, directory))),
        BlobDimensionality::Multipart => Files::Tree(tree(blob, raw, directory)),
    });
    run_all(files, early, directory, engine, stop).await
}

/// Uploads the files that are not up yet, up to the first that has no place to go to.
async fn run_all(
    mut files: impl Iterator<Item = Result<Planned, UploadError>> + Send,
    early: &mut Early,
    directory: &Arc<Directory>,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    let (mut refused, mut begun) = (None, Vec::new());
    let state = (&mut files, &mut *early, &mut refused, &mut begun);
    let copies = stream::unfold(state, |(files, early, refused, begun)| async move {
        loop {
            match files.next()? {
                Err(error) => {
                    *refused = Some(error);
                    return None;
                }
                Ok(file) => {
                    let (key, path) = (file.key.clone(), file.path.clone());
                    if early.is_settled(&key, &path, directory).await {
                        continue;
                    }
                    match early.take_growing(&key) {
                        Some(gradual) => begun.push((gradual, file)),
                        None => return Some((file.copy(), (files, early, refused, begun))),
                    }
                }
            }
        }
    });
    let outcome = engine.run(copies, stop).await;
    let finishing = begun.into_iter();
    let finishing = finishing.map(|(gradual, file)| finish(gradual, file, directory, engine, stop));
    let finished = join_all(finishing).await;
    if let Some(error) = refused {
        return Err(error);
    }
    let mut summary = outcome.map_err(UploadError::Transfer)?;
    let mut anew: Vec<Labelled> = Vec::new();
    for outcome in finished {
        match outcome {
            Ok(bytes) => {
                summary.objects += 1;
                summary.bytes += bytes;
            }
            Err(file) => anew.push(file.copy()),
        }
    }
    let rest = engine.run(stream::iter(anew), stop).await;
    let rest = rest.map_err(UploadError::Transfer)?;
    summary.objects += rest.objects;
    summary.bytes += rest.bytes;
    Ok(summary)
}

/// The files of one output.
enum Files<One, Tree> {
    One(One),
    Tree(Tree),
}

impl<T, One: Iterator<Item = T>, Tree: Iterator<Item = T>> Iterator for Files<One, Tree> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::One(one) => one.next(),
            Self::Tree(tree) => tree.next(),
        }
    }
}
