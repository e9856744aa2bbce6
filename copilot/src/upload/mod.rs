//! The upload: what main left in its output directory goes to the store.
//!
//! Look (`view`), plan (`literal::output`), transfer, then commit: `outputs.pb` comes last, so a reader
//! that sees it sees all outputs. Everything in main's directory is opened through `beneath`, which main
//! cannot trick. Without declared outputs, `tree` uploads the directory as it is. Never here: waiting for main, flags,
//! error documents. Callers: the sidecar, `trial`.

mod committed;
mod directory;
mod eager;
mod error;
mod leftover;
mod planned;
mod preview;
mod references;
mod stderr;
mod stray;
pub mod tree;
mod view;
mod walk;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use futures_util::stream;
use tracing::{info, warn};

pub use committed::is_committed;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use eager::fuzz;
pub use eager::{Eager, EagerOptions, Early};
pub use error::UploadError;
pub use preview::{Preview, PreviewedData, preview};
pub use stderr::last_lines as last_lines_of_stderr;

use self::leftover::clear;
use self::planned::{PlannedFile, RawPrefix, everything, file, names, tree};
use self::stray::Strays;
use self::view::OutputDirectory;
use crate::beneath::{GuardedDirectory, SharedDirectory};
use crate::idl::{Message as _, VariableMap, blob_type::BlobDimensionality};
use crate::literal::output::{self, OutputOptions, OutputPlan, UserError};
use crate::report::Timeline;
use crate::store::{Reference, Stores};
use crate::transfer::{CopyError, Engine, Stop, Summary, Withdrawn};

/// What to upload and to where.
#[derive(Clone, Debug)]
pub struct Outputs<'a> {
    /// The declared outputs.
    pub declared: &'a VariableMap,
    /// Main's output directory.
    pub directory: &'a Arc<SharedDirectory>,
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
/// The commit of an earlier run is deleted before its data is overwritten: it would lead readers to data of
/// two runs. Where it cannot be deleted, a warning says so, and the error if the upload fails.
///
/// A file that is up and unchanged is not sent again. An object that went up early and that no output
/// names is deleted; so are objects that an earlier run left beneath the outputs' directories. Error
/// documents of earlier runs are looked for first, and deleted before the literals are written: a reader that
/// sees outputs and an error believes the error. If we are killed in between, the store has neither.
pub async fn run(
    outputs: &Outputs<'_>,
    early: &mut Early,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<Summary, UploadError> {
    let directory = directory::open(outputs.directory)?;
    let raw = RawPrefix::parse(outputs.raw_prefix)?;
    let plan = plan(outputs, &directory, &raw, engine.stores())?;
    let (withdrawn, stale) = if plan.blobs.is_empty() {
        (Withdrawn::Absent, outputs.stale.to_vec())
    } else {
        // Both looks at once, before the data: a store that is far away is waited for once.
        let withdrawn = withdraw(outputs.commit, early, (&directory, &raw), engine, stop);
        let (withdrawn, stale) = tokio::join!(withdrawn, not_absent(outputs.stale, engine, stop));
        (withdrawn?, stale?)
    };
    let upload = Upload {
        outputs,
        plan: &plan,
        stale: &stale,
        raw: &raw,
        directory: &directory,
        engine,
        stop,
    };
    let follows = !matches!(withdrawn, Withdrawn::Absent);
    // A large future: it holds those of all transfers.
    let summary = Box::pin(upload.run(early, follows, timeline)).await;
    let summary = match (summary, withdrawn) {
        (Err(failure), Withdrawn::Remains(cause)) => {
            return Err(UploadError::Mixed {
                failure: Box::new(failure),
                commit: outputs.commit.shown(),
                cause: Box::new(cause),
            });
        }
        (summary, _) => summary?,
    };
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
        peak_in_flight_bytes = summary.peak_in_flight,
        to = %outputs.commit,
        "outputs are committed"
    );
    Ok(summary)
}

/// Deletes the commit of an earlier run whose data will be overwritten. The journal comes first: if
/// this life is killed afterwards, nothing else tells of the data that the commit led to.
async fn withdraw(
    commit: &Reference,
    early: &mut Early,
    (directory, raw): (&Arc<GuardedDirectory>, &RawPrefix),
    engine: &Engine,
    stop: &Stop,
) -> Result<Withdrawn, UploadError> {
    let taken_over = early.take_over(directory, raw, engine, stop).await;
    taken_over.map_err(|stopped| UploadError::from_look(stopped.into()))?;
    let withdrawn = engine.withdraw(commit, stop).await;
    let withdrawn = withdrawn.map_err(UploadError::from_look)?;
    if let Withdrawn::Remains(cause) = &withdrawn {
        warn!(
            commit = commit.shown(),
            %cause,
            "an earlier run committed its outputs here, and its commit cannot be deleted: it leads to data of \
             both runs until this run commits"
        );
    }
    Ok(withdrawn)
}

/// Those of these objects that the store has, or of which it does not say whether it has them.
async fn not_absent(
    objects: &[Reference],
    engine: &Engine,
    stop: &Stop,
) -> Result<Vec<Reference>, UploadError> {
    let looks = objects
        .iter()
        .map(async |object| match engine.key(object, stop).await {
            Ok(None) => Ok(None),
            Err(stopped @ CopyError::Stopped(_)) => Err(UploadError::from_look(stopped)),
            // The removal reports what the store says.
            Ok(Some(_)) | Err(_) => Ok(Some(object.clone())),
        });
    let found: Vec<Option<Reference>> = try_join_all(looks).await?;
    Ok(found.into_iter().flatten().collect())
}

/// An upload with its plan.
struct Upload<'a> {
    outputs: &'a Outputs<'a>,
    plan: &'a OutputPlan,
    /// Error documents of earlier runs that may exist.
    stale: &'a [Reference],
    raw: &'a RawPrefix,
    directory: &'a Arc<GuardedDirectory>,
    engine: &'a Engine,
    stop: &'a Stop,
}

impl Upload<'_> {
    /// Data, then what must not remain, then the commit. `follows`: an earlier run was committed
    /// here.
    async fn run(
        &self,
        early: &mut Early,
        follows: bool,
        timeline: &mut Timeline,
    ) -> Result<Summary, UploadError> {
        let (engine, stop) = (self.engine, self.stop);
        let files = files(self.plan, self.raw, self.directory);
        for blob in &self.plan.blobs {
            self.raw.join(&names(blob))?;
        }
        let summary = run_all(files, early, self.directory, engine, stop).await?;
        timeline.mark("uploaded");
        clear(early, self.plan, engine, stop).await?;
        let removed = engine.remove_stale(self.stale, stop).await;
        let had_failed = removed.map_err(|cause| UploadError::Stale(cause.into()))?;
        if follows || had_failed || early.follows() {
            let strays = Strays::new(self.plan, self.raw, self.directory, engine);
            stray::clear(strays, stop).await?;
        }
        self.commit().await?;
        Ok(summary)
    }

    /// Writes the literals.
    async fn commit(&self) -> Result<(), UploadError> {
        let literals = Bytes::from(self.plan.literals.encode_to_vec());
        commit(self.outputs.commit, literals, self.engine, self.stop).await
    }
}

/// Writes the object that makes a run a success. If that fails, it looks: the answer may be lost, and not the
/// object.
async fn commit(
    to: &Reference,
    content: Bytes,
    engine: &Engine,
    stop: &Stop,
) -> Result<(), UploadError> {
    let Err(cause) = engine.write(to, content.clone(), stop).await else {
        return Ok(());
    };
    let look = Stop::for_a_look();
    let found = engine.read(to, content.len() as u64, &look).await;
    // All of the data is up, so these bytes are the commit, whenever they were written.
    if found.is_ok_and(|found| found == content) {
        info!(
            %cause,
            "the request that writes the outputs failed, but the store has them"
        );
        return Ok(());
    }
    Err(UploadError::Commit {
        reference: to.to_string(),
        cause: cause.into(),
    })
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
pub fn are_present(directory: &Arc<GuardedDirectory>, declared: &VariableMap) -> bool {
    let view = OutputDirectory::new(Arc::clone(directory));
    output::are_present(declared, &view)
}

/// Uploads all files of the output directory, as they are, below the raw prefix: main has failed, and a
/// person may want to look at them. They never become outputs.
pub async fn salvage(
    outputs: &Outputs<'_>,
    early: &mut Early,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, UploadError> {
    let raw = RawPrefix::of_any_text(outputs.raw_prefix)?;
    raw.join(&[])?;
    let directory = directory::open(outputs.directory)?;
    // The commit of an earlier run may lead to the objects that are overwritten now. If it remains, readers
    // believe the error document of this run.
    let _ = withdraw(outputs.commit, early, (&directory, &raw), engine, stop).await?;
    let files = everything(&raw, &directory).filter(is_of_main);
    run_all(files, early, &directory, engine, stop).await
}

/// Whether a file is not one of our own.
fn is_of_main(file: &Result<PlannedFile, UploadError>) -> bool {
    file.as_ref()
        .map_or(true, |file| &*file.key != eager::JOURNAL)
}

/// What main says about its failure in the error file of its output directory.
pub fn user_error(directory: &SharedDirectory) -> Result<Option<UserError>, UploadError> {
    user_error_in(&directory::open(directory)?)
}

fn user_error_in(directory: &Arc<GuardedDirectory>) -> Result<Option<UserError>, UploadError> {
    let view = OutputDirectory::new(Arc::clone(directory));
    Ok(output::user_error(&view)?)
}

/// The files of a plan, found one by one.
fn files<'a>(
    plan: &'a OutputPlan,
    raw: &'a RawPrefix,
    directory: &'a Arc<GuardedDirectory>,
) -> impl Iterator<Item = Result<PlannedFile, UploadError>> + Send + 'a {
    plan.blobs.iter().flat_map(|blob| match blob.kind {
        BlobDimensionality::Single => OutputFiles::One(std::iter::once(file(blob, raw, directory))),
        BlobDimensionality::Multipart => OutputFiles::Tree(tree(blob, raw, directory)),
    })
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
                let notes = early.notes(&file.key, false);
                return Some((file.copy(resume, notes), (files, early, refused)));
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
