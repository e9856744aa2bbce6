//! The download while main runs: values and metadata files come first and say where everything will
//! be, then the data, in the order of the plan, each file or directory put in its place once it is
//! whole. The marker `_EOS` comes last; `_ERROR` in its stead says that no more will come.
//!
//! Whoever is killed on the way is started again, beside a main that reads already. So what is in its
//! place and belongs to the same inputs stays as it is.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use futures_util::stream;
use tracing::info;

use super::error::DownloadError;
use super::request::DownloadRequest;
use super::{error_documents, input_directory, lone, plan_all, reference, shown};
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
    directory: PathBuf,
    /// What `_EOS` says: the inputs that it is about.
    inputs: String,
    /// What must be fetched; none if all is there.
    plan: Option<InputPlan>,
}

impl Streaming {
    /// Fetches the inputs' literals; lays out the values and then the metadata files.
    pub async fn begin(
        request: &DownloadRequest,
        engine: &Engine,
        stop: &Stop,
        timeline: &mut Timeline,
    ) -> Result<Self, DownloadError> {
        let directory = input_directory(request)?;
        let inputs = shown(&request.from_remote);
        let mut streaming = Self {
            directory,
            inputs,
            plan: None,
        };
        let directory = &streaming.directory;
        if fs::read(directory.join(COMPLETE)).is_ok_and(|inputs| inputs == streaming.marker()) {
            info!("all inputs are in place already, by an earlier run");
            return Ok(streaming);
        }
        for marker in [COMPLETE, FAILED] {
            remove(&directory.join(marker))?;
        }
        let stale = error_documents(request)?;
        let (plan, removed) = tokio::join!(
            plan_all(request, directory, engine, stop, timeline),
            engine.remove_stale(&stale, stop)
        );
        let plan = plan?;
        removed?;
        keep_only_data_of(&plan, directory)?;
        super::write_values(&plan, directory)?;
        super::write_metadata(&plan, request, directory)?;
        timeline.mark("metadata");
        info!(directory = %directory.display(), "metadata files are in place: data follows");
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
        let is_missing = |blob: &&BlobInput| self.place(blob).symlink_metadata().is_err();
        let missing: Vec<&BlobInput> = plan.blobs.iter().filter(is_missing).collect();
        // Files side by side, directories one by one: whoever waits for the first wants all of the
        // bandwidth for it.
        let is_file = |blob: &BlobInput| blob.kind == BlobKind::Object;
        for blobs in missing.chunk_by(|one, other| is_file(one) && is_file(other)) {
            let more = match blobs {
                [blob] if !is_file(blob) => self.directory(blob, engine, stop).await?,
                files => self.files(files, engine, stop).await?,
            };
            summary.add(&more);
        }
        write_file(&self.directory.join(COMPLETE), |out| {
            use std::io::Write as _;
            out.write_all(&self.marker())
        })?;
        remove(&self.directory.join(BEGUN))?;
        timeline.mark("transferred");
        info!(
            objects = summary.objects,
            bytes = summary.bytes,
            retries = summary.retries,
            bytes_per_second = summary.rate(),
            peak_in_flight = summary.peak_in_flight,
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
        let copies = files.iter().map(|file| super::copy(file, &self.directory));
        let copies = copies.collect::<Result<Vec<_>, _>>()?;
        let outcome = engine.run(stream::iter(copies), stop).await;
        outcome.map_err(DownloadError::Transfer)
    }

    /// What is beneath a prefix, put in its place as a whole.
    async fn directory(
        &self,
        blob: &BlobInput,
        engine: &Engine,
        stop: &Stop,
    ) -> Result<Summary, DownloadError> {
        let partial = PartialDirectory::create(&self.place(blob))?;
        let copy = Copy::DownloadPrefix {
            from: reference(blob)?,
            to: partial.path().to_owned(),
        };
        let copy = copy.labelled(super::label(blob));
        let outcome = engine.run(stream::iter([copy]), stop).await;
        let mut summary = outcome.map_err(DownloadError::Transfer)?;
        let place = |_: &BlobInput| partial.path().to_owned();
        let blobs = std::slice::from_ref(blob);
        let more = lone::fetch(blobs, place, &summary.empty_prefixes, engine, stop).await?;
        summary.add(&more);
        partial.publish()?;
        Ok(summary)
    }

    fn place(&self, blob: &BlobInput) -> PathBuf {
        self.directory.join(&blob.path)
    }

    /// What the marker says, so that it is not believed of other inputs.
    fn marker(&self) -> Vec<u8> {
        format!("{}\n", self.inputs).into_bytes()
    }
}

/// Tells main that no more will come, and why.
///
/// # Errors
/// That it cannot be told.
pub fn mark_failed(request: &DownloadRequest, message: &str) -> Result<(), CopyError> {
    write_file(&request.to_local_dir.join(FAILED), |out| {
        use std::io::Write as _;
        writeln!(out, "{message}")
    })
}

/// Keeps what an earlier run of the same inputs has put in its place, and removes what main would take
/// for its data otherwise.
fn keep_only_data_of(plan: &InputPlan, directory: &Path) -> Result<(), CopyError> {
    let identity = identity(plan);
    let begun = directory.join(BEGUN);
    if fs::read(&begun).is_ok_and(|found| found == identity.as_bytes()) {
        info!("an earlier run of the same inputs has been here: what it fetched is kept");
        return Ok(());
    }
    for blob in &plan.blobs {
        remove(&directory.join(&blob.path))?;
    }
    write_file(&begun, |out| {
        use std::io::Write as _;
        out.write_all(identity.as_bytes())
    })
}

/// What comes from where to where. The metadata files do not tell: they name local paths only.
fn identity(plan: &InputPlan) -> String {
    let mut hasher = DefaultHasher::new();
    for blob in &plan.blobs {
        (&blob.path, &blob.uri, blob.kind == BlobKind::Object).hash(&mut hasher);
    }
    format!("{:016x}\n", hasher.finish())
}
