//! The sidecar: waits for main's end, then uploads what it left.
//!
//! Watch (`track`), judge ([`verdict`]), upload (`upload`). Nothing of this may end early: kubelet
//! starts a native sidecar again whenever it ends while main runs. So even what is known to fail
//! from the start, or has nothing to upload, waits for main's end. Never here: flags, writing error
//! documents, exit codes. Called by the edge.

mod early;
mod evidence;
mod outcome;
mod request;
mod verdict;
mod watching;

use tracing::{info, warn};

pub use request::{MainFailure, SidecarRequest, TrackOptions, UploadTarget};
pub use watching::{Watching, WatchingError};

use self::outcome::{commit, documents, failure_of, is_done, own_words, reported_here};
use self::verdict::{Verdict, judge};
use crate::idl::{self, TypedInterface, VariableMap};
use crate::report::{Failure, Timeline};
use crate::termination::Termination;
use crate::track::watch::{Ending, Watched};
use crate::transfer::{Engine, Stop};
use crate::upload::{self, Eager, Early, Outputs, UploadError};

/// Waits and uploads; `watching` is attached already.
pub async fn run(
    request: &SidecarRequest,
    mut watching: Watching,
    engine: &Engine,
    termination: &mut Termination,
    timeline: &mut Timeline,
) -> Result<(), Failure> {
    let outputs = request.upload.as_ref().map(declared_outputs).transpose();
    match &outputs {
        Ok(Some(outputs)) if outputs.variables.is_empty() => {
            info!("no outputs are declared: waiting for main's end all the same");
        }
        Ok(None) => info!("no interface is given: waiting for main's end all the same"),
        Err(failure) => warn!(
            reason = failure.message,
            "nothing can be uploaded: waiting for main's end to report it"
        ),
        Ok(Some(_)) => {}
    }
    let evidence = || evidence::of_main(request.upload.as_ref()?, outputs.as_ref().ok()?.as_ref()?);
    let declared = outputs.as_ref().ok().and_then(Option::as_ref);
    let mut eager = early::begin(request, declared, engine);
    let watched = watching.until_over(&evidence, termination, timeline);
    let watched = early::meanwhile(watched, eager.as_mut()).await;
    // Counted from main's end: how long main runs is its own affair.
    let stop = Stop::after(request.timeout);
    let outcome = match &request.upload {
        Some(target) => {
            let job = Job {
                request,
                target,
                declared: &outputs?.unwrap_or_default(),
                engine,
                stop: &stop,
            };
            // A large future: it holds those of all transfers.
            Box::pin(job.conclude(&watched, eager, timeline)).await
        }
        None => Ok(()),
    };
    if let Ending::Marked(_) = watched.ending {
        watching.until_gone(termination).await;
    }
    outcome
}

/// What is to be done once main has ended, and by what means.
struct Job<'a> {
    request: &'a SidecarRequest,
    target: &'a UploadTarget,
    declared: &'a VariableMap,
    engine: &'a Engine,
    stop: &'a Stop,
}

impl Job<'_> {
    async fn conclude(
        &self,
        watched: &Watched,
        eager: Option<Eager>,
        timeline: &mut Timeline,
    ) -> Result<(), Failure> {
        let stale = documents(self.target)?;
        let engine = self.engine;
        if self.declared.variables.is_empty() {
            let removed = engine.remove_stale(&stale, self.stop).await;
            return removed
                .map_err(|error| Failure::of_upload(&error).caused_by(error.store_error()));
        }
        let commit = commit(self.target)?;
        let outputs = Outputs {
            declared: self.declared,
            directory: &self.target.from_local_dir,
            raw_prefix: self.target.to_raw_output.as_deref(),
            commit: &commit,
            stale: &stale,
            options: self.request.outputs,
            mode: self.request.mode,
        };
        if let Verdict::Report(failure) = judge(watched, self.request.on_main_failure) {
            return self.report(failure, &outputs, watched, eager).await;
        }
        if let Some(failure) = self.of_an_earlier_life(watched).await {
            return self.report(failure, &outputs, watched, eager).await;
        }
        let mut early = early::landed(eager, self.stop).await;
        let summary = match upload::run(&outputs, &mut early, engine, self.stop, timeline).await {
            Ok(summary) => summary,
            Err(error) => {
                let stale = matches!(error, UploadError::Stale(_));
                let is_withdrawn = early::is_withdrawn(watched, Some(&error));
                let failure = failure_of(error);
                if !stale && is_done(&outputs, engine, &failure).await {
                    early.leave().await;
                    return Ok(());
                }
                early.unwant();
                early::end(early, is_withdrawn, engine).await;
                return Err(failure);
            }
        };
        timeline.note("objects", summary.objects);
        timeline.note("bytes", summary.bytes);
        Ok(())
    }

    /// The failure that an earlier life of this sidecar has reported, if it stands. Kubelet starts a
    /// sidecar again while any container of the pod runs, after a failed main too. A life that has not
    /// seen main begin knows less than that report.
    async fn of_an_earlier_life(&self, watched: &Watched) -> Option<Failure> {
        let saw_it_begin = |started| started >= watched.attached;
        if !watched.sees || watched.started.is_some_and(saw_it_begin) {
            return None;
        }
        reported_here(self.target, self.engine, self.stop).await
    }

    /// Reports a main that failed; salvages what it left, if that is asked for.
    async fn report(
        &self,
        failure: Failure,
        outputs: &Outputs<'_>,
        watched: &Watched,
        eager: Option<Eager>,
    ) -> Result<(), Failure> {
        let is_salvaged = self.request.on_main_failure == MainFailure::Salvage;
        if let Some(eager) = eager.as_ref().filter(|_| !is_salvaged) {
            eager.cancel();
        }
        let mut early = early::landed(eager, self.stop).await;
        let unseen = matches!(watched.ending, Ending::NeverStarted | Ending::Untold);
        if unseen && is_done(outputs, self.engine, &failure).await {
            early.leave().await;
            return Ok(());
        }
        let mut failure = own_words(self.target).unwrap_or(failure);
        if is_salvaged {
            failure = self.salvaged(failure, &mut early).await;
        }
        early::end(early, early::is_withdrawn(watched, None), self.engine).await;
        Err(failure)
    }

    /// Saves what main left, and says in the failure's message where it is, or why it is not saved.
    async fn salvaged(&self, failure: Failure, early: &mut Early) -> Failure {
        let raw = self.target.to_raw_output.as_deref();
        let directory = &self.target.from_local_dir;
        let told = match upload::salvage(directory, raw, early, self.engine, self.stop).await {
            Ok(summary) => format!(
                "what it left ({} files, {} bytes) is saved below {}",
                summary.objects,
                summary.bytes,
                raw.unwrap_or_default()
            ),
            Err(error) => format!("not all of what it left could be saved: {error}"),
        };
        Failure {
            message: format!("{}; {told}", failure.message),
            ..failure
        }
    }
}

fn declared_outputs(target: &UploadTarget) -> Result<VariableMap, Failure> {
    let interface: TypedInterface = idl::decode_typed_interface(target.interface.as_slice())
        .map_err(|cause| {
            Failure::of_upload(format_args!(
                "--interface holds no TypedInterface: {cause}; it is the platform that passes it"
            ))
        })?;
    Ok(interface.outputs.unwrap_or_default())
}
