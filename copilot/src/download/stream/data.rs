//! The files of a streaming download: first the values and metadata files, which say where everything will
//! be, then the data in the order of the plan. Each file or directory is renamed to its place once it is
//! complete. The marker `_EOS` comes last; `_ERROR` instead of it says that no more data will come.
//!
//! A download that is killed is started again, beside a main that reads already. So data that is in place
//! and belongs to the same inputs stays as it is.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use futures_util::stream;
use tracing::{info, warn};

use crate::beneath::{GuardedDirectory, Place};
use crate::download::error::DownloadError;
use crate::download::leftover::{EarlierFiles, kept_by_stream};
use crate::download::request::DownloadRequest;
use crate::download::{self as download, lone, plan_all, reference, shown, without_stale_errors};
use crate::literal::input::{BlobInput, BlobKind, InputPlan, MARKERS};
use crate::report::Timeline;
use crate::transfer::{
    Copy, CopyError, Engine, PartialDirectory, Stop, Summary, remove, write_file,
};

const COMPLETE: &str = MARKERS[0];
const FAILED: &str = MARKERS[1];
const BEGUN: &str = MARKERS[2];

/// A download whose metadata files are in place.
pub struct Streaming {
    directory: Arc<GuardedDirectory>,
    /// The inputs' reference, which `_EOS` names.
    inputs: String,
    /// What to fetch; `None` if everything is in place.
    plan: Option<InputPlan>,
}

impl Streaming {
    /// Fetches the inputs' literals, then writes the values and the metadata files.
    pub async fn begin(
        request: &DownloadRequest,
        directory: Arc<GuardedDirectory>,
        engine: &Engine,
        stop: &Stop,
        timeline: &mut Timeline,
    ) -> Result<Self, DownloadError> {
        let inputs = shown(&request.from_remote);
        let mut streaming = Self {
            directory,
            inputs,
            plan: None,
        };
        let directory = &streaming.directory;
        if holds(directory, COMPLETE, &streaming.marker()) {
            info!("an earlier run has fetched all inputs");
            return Ok(streaming);
        }
        let earlier = EarlierFiles::look(directory);
        for marker in [COMPLETE, FAILED] {
            remove(&Place::new(directory, marker))?;
        }
        let planned = plan_all(request, directory, engine, stop, timeline);
        let plan = without_stale_errors(request, engine, stop, planned).await?;
        keep_only_data_of(&plan, directory)?;
        download::write_values(&plan, directory)?;
        download::write_metadata(&plan, request, directory)?;
        earlier.report(directory, &plan.directories, &kept_by_stream(&plan));
        timeline.mark("metadata");
        info!(directory = %directory.path().display(), "metadata files are in place: data follows");
        streaming.plan = Some(plan);
        Ok(streaming)
    }

    /// Fetches the data that is missing.
    pub async fn finish(
        &self,
        engine: &Engine,
        stop: &Stop,
        timeline: &mut Timeline,
    ) -> Result<Summary, DownloadError> {
        let mut summary = Summary::default();
        let Some(plan) = &self.plan else {
            return Ok(summary);
        };
        let is_missing =
            |blob: &&BlobInput| !matches!(self.directory.entry(&blob.path), Ok(Some(_)));
        let missing: Vec<&BlobInput> = plan.blobs.iter().filter(is_missing).collect();
        // Files together, directories one by one: a main that waits for the first directory should get
        // the whole bandwidth for it.
        let is_file = |blob: &BlobInput| blob.kind == BlobKind::Object;
        for blobs in missing.chunk_by(|one, other| is_file(one) && is_file(other)) {
            let more = match blobs {
                [blob] if !is_file(blob) => self.directory(blob, engine, stop).await?,
                files => self.files(files, engine, stop).await?,
            };
            summary.add(&more);
        }
        write_file(&Place::new(&self.directory, COMPLETE), |out| {
            use std::io::Write as _;
            out.write_all(&self.marker())
        })?;
        remove(&Place::new(&self.directory, BEGUN))?;
        timeline.mark("transferred");
        info!(
            objects = summary.objects,
            bytes = summary.bytes,
            retries = summary.retries,
            bytes_per_second = summary.rate(),
            peak_in_flight_bytes = summary.peak_in_flight,
            "all inputs are in place"
        );
        Ok(summary)
    }

    async fn files(
        &self,
        files: &[&BlobInput],
        engine: &Engine,
        stop: &Stop,
    ) -> Result<Summary, DownloadError> {
        let copies = files
            .iter()
            .map(|file| download::copy(file, &self.directory));
        let copies = copies.collect::<Result<Vec<_>, _>>()?;
        let outcome = engine.run(stream::iter(copies), stop).await;
        outcome.map_err(DownloadError::Transfer)
    }

    /// Fetches the objects beneath a prefix, and renames the directory to its place when it is complete.
    async fn directory(
        &self,
        blob: &BlobInput,
        engine: &Engine,
        stop: &Stop,
    ) -> Result<Summary, DownloadError> {
        let partial = PartialDirectory::create(&self.place(blob))?;
        let copy = Copy::DownloadPrefix {
            from: reference(blob)?,
            to: partial.place(),
        };
        let copy = copy.labelled(download::label(blob));
        let outcome = engine.run(stream::iter([copy]), stop).await;
        let mut summary = outcome.map_err(DownloadError::Transfer)?;
        let place = |_: &BlobInput| partial.place();
        let blobs = std::slice::from_ref(blob);
        let more = lone::fetch(blobs, place, &summary.empty_prefixes, engine, stop).await?;
        summary.add(&more);
        partial.publish()?;
        Ok(summary)
    }

    fn place(&self, blob: &BlobInput) -> Place {
        Place::new(&self.directory, &blob.path)
    }

    /// The content of `_EOS`: it counts for these inputs only.
    fn marker(&self) -> Vec<u8> {
        format!("{}\n", self.inputs).into_bytes()
    }
}

/// Tells main by a file that no more data will come, and why.
///
/// # Errors
/// That the file cannot be written.
pub fn mark_failed(directory: &Arc<GuardedDirectory>, message: &str) -> Result<(), CopyError> {
    write_file(&Place::new(directory, FAILED), |out| {
        use std::io::Write as _;
        writeln!(out, "{message}")
    })
}

/// Keeps the data of an earlier run of the same inputs, and removes other files that main would take for
/// its data.
fn keep_only_data_of(plan: &InputPlan, directory: &Arc<GuardedDirectory>) -> Result<(), CopyError> {
    let identity = identity(plan);
    if holds(directory, BEGUN, identity.as_bytes()) {
        info!("keeping what an earlier run of the same inputs has fetched");
        return Ok(());
    }
    for blob in &plan.blobs {
        remove(&Place::new(directory, &blob.path))?;
    }
    let begun = Place::new(directory, BEGUN);
    // Somebody may have put a directory there.
    remove(&begun)?;
    write_file(&begun, |out| {
        use std::io::Write as _;
        out.write_all(identity.as_bytes())
    })
}

/// Whether a marker of ours has exactly this content. Main may have put anything in its place: then the run does
/// what it does without a marker.
fn holds(directory: &GuardedDirectory, name: &str, content: &[u8]) -> bool {
    match directory.read_own(name, content.len() as u64) {
        Ok(found) => found.is_some_and(|found| found == content),
        Err(error) => {
            warn!(path = directory.shown(Path::new(name)), %error, "this is not what we have written: it does not count");
            false
        }
    }
}

/// Identifies the sources and targets of a plan. The metadata files cannot, since they name local paths
/// only.
fn identity(plan: &InputPlan) -> String {
    let mut hasher = DefaultHasher::new();
    for blob in &plan.blobs {
        (&blob.path, &blob.uri, blob.kind == BlobKind::Object).hash(&mut hasher);
    }
    format!("{:016x}\n", hasher.finish())
}
