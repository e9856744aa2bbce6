//! The download: a task's inputs, and the data they point to, become files.
//!
//! Plan (`literal::input`), then transfer, then commit: the metadata files come last, and nothing
//! half-written is ever visible. Where main does not wait for its data, [`stream`] reverses that order.
//! Never here: flags, error documents, exit codes. Caller: `command`.

mod earlier;
mod error;
mod job;
mod lone;
mod request;
pub mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use tracing::{info, warn};

pub use error::DownloadError;
pub use job::run;
pub use lone::LoneObject;
pub use request::{DownloadMode, DownloadRequest};

use crate::idl::{self, LiteralMap};
use crate::literal::Shown;
use crate::literal::input::{
    self, Arrival, BlobInput, BlobKind, InputPlan, Layout, ObjectKeys, Offloaded, Target,
};
use crate::report::{Timeline, document_names};
use crate::store::Reference;
use crate::transfer::{
    Copy, CopyError, Engine, PlannedCopy, Stop, Summary, make_directory, write_file,
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
    let directory = input_directory(request)?;
    let stale = error_documents(request)?;
    // The platform would believe an error document of an earlier run, however main ends. Removing them
    // takes no time: the inputs arrive meanwhile.
    let (fetched, removed) = tokio::join!(
        fetch_all(request, &directory, engine, stop, timeline),
        engine.remove_stale(&stale, stop)
    );
    let (plan, summary) = fetched?;
    removed?;
    write_metadata(&plan, request, &directory)?;
    timeline.mark("committed");
    info!(
        objects = summary.objects,
        bytes = summary.bytes,
        retries = summary.retries,
        bytes_per_second = summary.rate(),
        peak_in_flight = summary.peak_in_flight,
        directory = %directory.display(),
        "inputs are in place"
    );
    Ok(summary)
}

/// Fetches everything, and returns the plan for the metadata files.
async fn fetch_all(
    request: &DownloadRequest,
    directory: &Path,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<(InputPlan, Summary), DownloadError> {
    let plan = plan_all(request, directory, engine, stop, timeline).await?;
    write_values(&plan, directory)?;
    let summary = transfer(&plan, directory, engine, stop).await?;
    timeline.mark("transferred");
    Ok((plan, summary))
}

/// The input directory. Creates it if it is missing.
fn input_directory(request: &DownloadRequest) -> Result<PathBuf, DownloadError> {
    let directory = std::path::absolute(&request.to_local_dir)
        .map_err(|error| DownloadError::directory(&request.to_local_dir, error))?;
    make_directory(&directory)?;
    Ok(directory)
}

/// Fetches the inputs' literals, plans where everything goes, and removes what an earlier run put in its way.
async fn plan_all(
    request: &DownloadRequest,
    directory: &Path,
    engine: &Engine,
    stop: &Stop,
    timeline: &mut Timeline,
) -> Result<InputPlan, DownloadError> {
    let inputs = fetch_inputs(&request.from_remote, engine, stop).await?;
    let inputs = resolve(inputs, engine, stop).await?;
    timeline.mark("inputs");
    let target = Target {
        directory,
        layout: request.layout,
        metadata: request.format,
        data: match request.mode {
            DownloadMode::Eager => Arrival::Before,
            DownloadMode::Stream => Arrival::During,
            DownloadMode::Never => Arrival::Never,
        },
    };
    let keys = match request.layout {
        Layout::NamedDir if request.mode != DownloadMode::Never => {
            find_keys(&inputs, engine, stop).await?
        }
        Layout::Direct | Layout::NamedDir => ObjectKeys::new(),
    };
    let plan = input::plan_found(inputs, &target, &keys)?;
    for warning in plan.warnings.kept() {
        warn!("{warning}");
    }
    earlier::remove_files(&plan, directory)?;
    Ok(plan)
}

fn write_metadata(
    plan: &InputPlan,
    request: &DownloadRequest,
    directory: &Path,
) -> Result<(), DownloadError> {
    for file in request.format.files() {
        write_file(&directory.join(file.name()), |out| {
            file.write(&plan.literals, out)
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
fn write_values(plan: &InputPlan, directory: &Path) -> Result<(), DownloadError> {
    for path in &plan.directories {
        make_directory(&directory.join(path))?;
    }
    for value in plan.values() {
        write_file(&directory.join(&value.path), |out| value.write_to(out))?;
    }
    Ok(())
}

async fn transfer(
    plan: &InputPlan,
    directory: &Path,
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
        |blob| directory.join(&blob.path),
        empty,
        engine,
        stop,
    )
    .await?;
    summary.add(&more);
    Ok(summary)
}

fn copy(blob: &BlobInput, directory: &Path) -> Result<PlannedCopy, DownloadError> {
    let from = reference(blob)?;
    let to = directory.join(&blob.path);
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
