//! The download: a task's inputs, and the data they point to, become files.
//!
//! Plan (`literal::input`), then transfer, then commit: the metadata files come last, and nothing
//! half-written is ever visible. Where main does not wait for its data, [`stream`] reverses that order; without Flyte,
//! [`tree`] fetches the files below a prefix.
//! Never here: flags, error documents, exit codes. Caller: `command`.

mod error;
mod job;
mod leftover;
mod lone;
mod request;
pub mod stream;
pub mod tree;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tracing::{info, warn};

pub use error::DownloadError;
pub use job::run;
pub use lone::LoneObject;
pub use request::{DownloadMode, DownloadRequest};

use self::leftover::EarlierFiles;
use crate::beneath::{FileKind, GuardedDirectory, Place, SharedDirectory, SharedError, kind};
use crate::idl::{self, LiteralMap, LiteralType};
use crate::literal::Shown;
use crate::literal::input::{
    self, Arrival, BlobInput, BlobKind, InputPlan, Layout, ObjectKeys, Offloaded, Target,
};
use crate::literal::render::Binaries;
use crate::report::{Timeline, document_names};
use crate::store::Reference;
use crate::transfer::{
    Copy, CopyError, Engine, PlannedCopy, Stop, Summary, make_directory, remove, write_file,
};

/// The most bytes of a message. Inputs are held in memory, so this limits our memory as well. The
/// platform's own limit is far below.
const LARGEST_MESSAGE: u64 = 64 << 20;

/// How many objects are looked for at once.
const LOOKS: usize = 16;

/// Fetches the inputs and lays them out as files.
async fn lay_out(
    request: &DownloadRequest,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<Summary, DownloadError> {
    let directory = input_directory(&SharedDirectory::at(&request.to_local_dir))?;
    let earlier = EarlierFiles::look(&directory);
    let fetched = fetch_all(request, &directory, engine, stop, timeline);
    let (plan, summary) = without_stale_errors(request, engine, stop, fetched).await?;
    earlier.report(&directory, &plan.directories, &HashSet::new());
    write_metadata(&plan, request, &directory)?;
    timeline.mark("committed");
    info!(
        objects = summary.objects,
        bytes = summary.bytes,
        retries = summary.retries,
        bytes_per_second = summary.rate(),
        peak_in_flight_bytes = summary.peak_in_flight,
        directory = %directory.path().display(),
        "inputs are in place"
    );
    Ok(summary)
}

/// Removes the error documents of earlier runs while `work` goes on. The platform would believe one, however
/// main ends.
async fn without_stale_errors<T>(
    request: &DownloadRequest,
    engine: &Engine,
    stop: &Stop,
    work: impl Future<Output = Result<T, DownloadError>>,
) -> Result<T, DownloadError> {
    let stale = error_documents(request)?;
    let (done, removed) = tokio::join!(work, engine.remove_stale(&stale, stop));
    let done = done?;
    removed?;
    Ok(done)
}

/// Fetches everything, and returns the plan for the metadata files.
async fn fetch_all(
    request: &DownloadRequest,
    directory: &Arc<GuardedDirectory>,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<(InputPlan, Summary), DownloadError> {
    let plan = plan_all(request, directory, engine, stop, timeline).await?;
    // Those of an earlier run would say that everything is in place.
    for file in request.format.files() {
        let place = Place::new(directory, file.name());
        let entry = directory.entry(&place.path);
        if !matches!(entry, Ok(Some(found)) if kind(&found) == FileKind::Directory) {
            remove(&place)?;
        }
    }
    write_values(&plan, directory)?;
    let summary = transfer(&plan, directory, engine, stop).await?;
    timeline.mark("transferred");
    Ok((plan, summary))
}

/// The input directory. Creates it if it is missing.
fn input_directory(shared: &SharedDirectory) -> Result<Arc<GuardedDirectory>, DownloadError> {
    shared.make().map_err(|cause| {
        let path = shared.path().to_owned();
        match cause {
            SharedError::Open(source) => CopyError::Write { path, source }.into(),
            SharedError::Replaced(_) => DownloadError::Directory { path, cause },
        }
    })
}

/// Fetches the inputs' literals, plans where everything goes, and removes what an earlier run put in its way.
async fn plan_all(
    request: &DownloadRequest,
    directory: &Arc<GuardedDirectory>,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<InputPlan, DownloadError> {
    let inputs = fetch_inputs(&request.from_remote, engine, stop).await?;
    let mut inputs = resolve(inputs, engine, stop).await?;
    timeline.mark("inputs");
    let binaries = Binaries {
        form: request.binary_inputs,
        types: declared_types(request),
    };
    let target = Target {
        directory: directory.path(),
        layout: request.layout,
        metadata: request.format,
        data: match request.mode {
            DownloadMode::Eager => Arrival::Before,
            DownloadMode::Stream => Arrival::During,
            DownloadMode::Never => Arrival::Never,
        },
        binaries: &binaries,
    };
    let keys = match request.layout {
        Layout::NamedDir if request.mode != DownloadMode::Never => {
            // Members of dataclasses refer to objects as well.
            input::restore_members(&mut inputs, &binaries);
            find_keys(&inputs, engine, stop).await?
        }
        Layout::Direct | Layout::NamedDir => ObjectKeys::new(),
    };
    let plan = input::plan_found(inputs, &target, &keys)?;
    for warning in plan.warnings.kept() {
        warn!("{warning}");
    }
    let more = plan.warnings.count() - plan.warnings.kept().len();
    if more > 0 {
        warn!("the inputs gave {more} more warnings like these");
    }
    leftover::remove_placed(&plan, directory)?;
    Ok(plan)
}

/// The declared types of the inputs. The inputs can be laid out without them, so an interface that cannot
/// be read is a warning; the reference does not read it at all.
fn declared_types(request: &DownloadRequest) -> BTreeMap<String, LiteralType> {
    let Some(interface) = &request.input_interface else {
        return BTreeMap::new();
    };
    match idl::decode_variable_map(&interface[..]) {
        Ok(variables) => {
            let types = variables.types().into_iter();
            types
                .map(|(name, declared)| (name.to_owned(), declared))
                .collect()
        }
        Err(error) => {
            warn!(
                "--input-interface cannot be read, so the types of binary inputs are taken from their values: {error}"
            );
            BTreeMap::new()
        }
    }
}

fn write_metadata(
    plan: &InputPlan,
    request: &DownloadRequest,
    directory: &Arc<GuardedDirectory>,
) -> Result<(), DownloadError> {
    for file in request.format.files() {
        write_file(&Place::new(directory, file.name()), |out| {
            file.write(&plan.literals, &plan.binaries, out)
        })?;
    }
    Ok(())
}

/// The error documents of this task.
fn error_documents(request: &DownloadRequest) -> Result<Vec<Reference>, DownloadError> {
    let prefix = Reference::prefix(&request.to_output_prefix)?;
    let names = document_names(request.err_output_name.as_deref()).into_iter();
    let joined = names.map(|name| Ok(prefix.join(&[name])?));
    joined.collect()
}

async fn fetch_inputs(
    from: &str,
    engine: &Engine,
    stop: &Stop,
) -> Result<LiteralMap, DownloadError> {
    let bytes = fetch(from, engine, stop)
        .await
        .map_err(|cause| DownloadError::Inputs {
            reference: shown(from),
            cause: Box::new(cause),
        })?;
    idl::decode_literal_map(bytes).map_err(|cause| DownloadError::NotInputs {
        reference: shown(from),
        cause,
    })
}

/// Fetches offloaded literals until none are left.
async fn resolve(
    inputs: LiteralMap,
    engine: &Engine,
    stop: &Stop,
) -> Result<LiteralMap, DownloadError> {
    let mut offloaded = Offloaded::new(inputs);
    loop {
        let requests = offloaded.requests()?.to_vec();
        if requests.is_empty() {
            return Ok(offloaded.into_map());
        }
        for (index, request) in requests.into_iter().enumerate() {
            let bytes = fetch(&request.uri, engine, stop).await.map_err(|cause| {
                DownloadError::Offloaded {
                    variable: request.variable,
                    uri: shown(&request.uri),
                    cause: Box::new(cause),
                }
            })?;
            offloaded.answer(index, bytes)?;
        }
    }
}

/// Finds the keys of objects that name files and whose references may stand for two keys. What cannot be
/// found out here, the transfer reports.
async fn find_keys(
    inputs: &LiteralMap,
    engine: &Engine,
    stop: &Stop,
) -> Result<ObjectKeys, DownloadError> {
    let looks = input::with_two_keys(inputs).into_iter().map(async |uri| {
        let reference = Reference::parse(&uri)?;
        match engine.key(&reference, stop).await {
            Ok(key) => Ok(key.map(|key| (uri, key))),
            Err(stopped @ CopyError::Stopped(_)) => Err(DownloadError::from(stopped)),
            Err(_) => Ok(None),
        }
    });
    let found = futures_util::stream::iter(looks).buffer_unordered(LOOKS);
    let found: Vec<Option<(String, String)>> = found.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn fetch(from: &str, engine: &Engine, stop: &Stop) -> Result<Bytes, DownloadError> {
    let reference = Reference::parse(from)?;
    Ok(engine.read(&reference, LARGEST_MESSAGE, stop).await?)
}

/// A reference for messages, without secrets.
fn shown(reference: &str) -> String {
    Reference::parse(reference).map_or_else(|_| reference.to_owned(), |parsed| parsed.shown())
}

/// Creates the directories, and writes the files whose content is in the literals themselves.
fn write_values(plan: &InputPlan, directory: &Arc<GuardedDirectory>) -> Result<(), DownloadError> {
    for path in &plan.directories {
        make_directory(&Place::new(directory, path))?;
    }
    for value in plan.values() {
        write_file(&Place::new(directory, &value.path), |out| {
            value.write_to(out)
        })?;
    }
    Ok(())
}

async fn transfer(
    plan: &InputPlan,
    directory: &Arc<GuardedDirectory>,
    engine: &Engine,
    stop: &Stop,
) -> Result<Summary, DownloadError> {
    let copies = plan.blobs.iter().map(|blob| copy(blob, directory));
    let copies = copies.collect::<Result<Vec<_>, _>>()?;
    let outcome = engine.run(futures_util::stream::iter(copies), stop).await;
    let mut summary = outcome.map_err(DownloadError::Transfer)?;
    let empty = &summary.empty_prefixes;
    let more = lone::fetch(
        &plan.blobs,
        |blob| Place::new(directory, &blob.path),
        empty,
        engine,
        stop,
    )
    .await?;
    summary.add(&more);
    Ok(summary)
}

fn copy(blob: &BlobInput, directory: &Arc<GuardedDirectory>) -> Result<PlannedCopy, DownloadError> {
    let from = reference(blob)?;
    let to = Place::new(directory, &blob.path);
    let copy = match blob.kind {
        BlobKind::Object => Copy::Download {
            from,
            to,
            size: None,
        },
        BlobKind::Prefix | BlobKind::Table => Copy::DownloadPrefix { from, to },
    };
    Ok(copy.labelled(label(blob)))
}

fn reference(blob: &BlobInput) -> Result<Reference, DownloadError> {
    Reference::parse(&blob.uri).map_err(|cause| DownloadError::Blob {
        variable: blob.variable().to_owned(),
        cause,
    })
}

fn label(blob: &BlobInput) -> Arc<str> {
    format!("input {}", Shown(blob.variable())).into()
}
