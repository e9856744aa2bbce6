//! The sidecar: waits for main's end, then uploads its outputs; without Flyte, its whole directory (`tree`).
//!
//! Watch (`track`), judge ([`verdict`]), upload (`upload`). It never ends before main: kubelet restarts a
//! native sidecar that ends while main runs. So a sidecar that has nothing to upload, or that must fail,
//! waits too. Called by `command`. Never here: flags, writing error documents, exit codes.

mod deadline;
mod early;
mod evidence;
mod good_end;
mod notes;
mod outcome;
mod proof;
mod request;
mod tree;
mod verdict;

use std::sync::Arc;

use tracing::{info, warn};

pub use request::{MainFailure, OutputsTarget, SidecarRequest, TreeTarget, UploadTarget};

use self::outcome::{commit, documents, failure_of, is_done, own_words, quoting, reported_here};
use self::tree::TreeJob;
use self::verdict::{Verdict, judge};
use crate::beneath::SharedDirectory;
use crate::idl::{self, TypedInterface, VariableMap};
use crate::report::{Failure, Timeline};
use crate::store::Reference;
use crate::termination::Termination;
use crate::track::watch::{Ending, Watched};
use crate::track::{AttachError, Watch, Watcher, attach as attach_watchers};
use crate::transfer::{Engine, Stop};
use crate::upload::{self, Eager, Early, Outputs};

/// A sidecar that watches, and holds main's output directory as it was before main could start.
pub struct Attached {
    watch: Watch,
    outputs: Option<Arc<SharedDirectory>>,
}

impl Attached {
    /// The watch.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Whether Flyte has made our container: it names its uploader so, whatever the prefix.
    #[must_use]
    pub fn is_flytes(&self) -> bool {
        self.watch.is_flytes()
    }

    /// Tells `copilot ready` that the watchers are attached: main may start.
    pub fn announce(&mut self) {
        if let Err(error) = self.watch.announce() {
            warn!(%error, "`copilot ready` will not see that the watcher is attached");
        }
    }
}

/// Attaches the watchers.
///
/// # Errors
///
/// A watcher that was named does not work here, or a flag names a wrong directory.
pub async fn attach(request: &SidecarRequest) -> Result<Attached, AttachError> {
    let target = request.upload.as_ref();
    let outputs = target.map(|target| Arc::new(SharedDirectory::at(target.from_local_dir())));
    let watch = attach_watchers(&request.track, outputs.as_deref()).await?;
    Ok(Attached { watch, outputs })
}

/// What the outputs are; nothing if none are uploaded.
type Declared = Result<Option<VariableMap>, Failure>;

/// Whether the sidecar ends at once: it runs outside a pod, and has nothing to upload. In a pod kubelet would
/// start it again if it ended before main. An interface that cannot be parsed counts as something to upload: its
/// failure is reported after main's end.
fn is_idle(request: &SidecarRequest, watch: &Watch, outputs: &Declared) -> bool {
    // Flags may name a pod elsewhere.
    let names_a_pod =
        request.track.pod_cgroup.is_some() || request.track.watchers.contains(&Watcher::KubeApi);
    let is_void = outputs.as_ref().is_ok_and(|outputs| {
        let outputs = outputs.as_ref();
        outputs.is_none_or(|outputs| outputs.variables.is_empty())
    });
    let is_tree = matches!(request.upload, Some(UploadTarget::Tree(_)));
    !names_a_pod && watch.is_outside_a_pod() && is_void && !is_tree
}

/// Waits for main's end with an attached watch, then uploads.
///
/// # Errors
///
/// Main failed, or its outputs could not be uploaded.
pub async fn run(
    request: &SidecarRequest,
    attached: Attached,
    engine: &Engine,
    termination: &mut Termination,
    timeline: &mut Timeline,
) -> Result<(), Failure> {
    let Attached {
        mut watch,
        outputs: shared,
    } = attached;
    let outputs = request.upload.as_ref().map(declared_outputs).transpose();
    let is_idle = is_idle(request, &watch, &outputs);
    match &outputs {
        _ if is_idle => {}
        Ok(Some(_)) if matches!(request.upload, Some(UploadTarget::Tree(_))) => {}
        Ok(Some(outputs)) if outputs.variables.is_empty() => {
            info!("no outputs are declared: waiting for main's end anyway");
        }
        Ok(None) => info!("--interface is not given: waiting for main's end anyway"),
        Err(failure) => warn!(
            reason = failure.message,
            "the outputs cannot be uploaded: waiting for main's end to report that"
        ),
        Ok(Some(_)) => {}
    }
    let evidence = || evidence::of_end(shared.as_deref()?, outputs.as_ref().ok()?.as_ref()?);
    let declared = outputs.as_ref().ok().and_then(Option::as_ref);
    let begun = shared.as_ref();
    let mut eager = begun.and_then(|shared| early::begin(request, declared, shared, engine));
    let watched = if is_idle {
        info!(
            "this process is not in a pod, and the task declares no outputs: nothing to wait for"
        );
        watch.without_a_wait()
    } else {
        let watched = watch.until_over(&evidence, termination);
        early::meanwhile(watched, eager.as_mut()).await
    };
    notes::note(&watched, timeline);
    // The limit counts from main's end, however long main runs.
    let stop = Stop::after(request.timeout);
    let outcome = match request.upload.as_ref().zip(shared.as_ref()) {
        Some((UploadTarget::Outputs(target), shared)) => {
            let job = Job {
                request,
                target,
                shared,
                declared: &outputs?.unwrap_or_default(),
                engine,
                stop: &stop,
            };
            // A large future: it holds those of all transfers.
            let concluded = Box::pin(job.conclude(&watched, eager, timeline));
            before_the_kill(concluded, request, &stop, termination).await
        }
        Some((UploadTarget::Tree(target), shared)) => {
            let job = TreeJob {
                request,
                target,
                shared,
                engine,
                stop: &stop,
            };
            let concluded = Box::pin(job.conclude(&watched, timeline));
            before_the_kill(concluded, request, &stop, termination).await
        }
        None => Ok(()),
    };
    if let Ending::Marked(_) = watched.ending {
        watch.until_gone(termination).await;
    }
    outcome
}

/// The outcome of the work after main's end, which is stopped some seconds before kubelet kills us.
async fn before_the_kill(
    mut work: impl Future<Output = Result<(), Failure>> + Unpin,
    request: &SidecarRequest,
    stop: &Stop,
    termination: &mut Termination,
) -> Result<(), Failure> {
    tokio::select! {
        biased;
        outcome = &mut work => outcome,
        () = deadline::before_kill(termination, request.timeout) => {
            stop.terminate();
            work.await
        }
    }
}

/// The work after main's end, for declared outputs.
struct Job<'a> {
    request: &'a SidecarRequest,
    target: &'a OutputsTarget,
    shared: &'a Arc<SharedDirectory>,
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
            return self.remove_stale(&stale).await;
        }
        let commit = commit(self.target)?;
        let outputs = Outputs {
            declared: self.declared,
            directory: self.shared,
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
        if !watched.saw_the_end() && is_done(&outputs, engine, self.stop).await {
            early.forget();
            return self.remove_stale(&stale).await;
        }
        let summary = match upload::run(&outputs, &mut early, engine, self.stop, timeline).await {
            Ok(summary) => summary,
            Err(error) => {
                let is_withdrawn = early::is_withdrawn(watched, Some(&error));
                early.unwant();
                early::end(early, is_withdrawn, engine).await;
                return Err(failure_of(error));
            }
        };
        timeline.note_transfer(
            summary.objects,
            summary.bytes,
            summary.retries,
            summary.elapsed,
        );
        Ok(())
    }

    /// Deletes the error documents of earlier runs.
    async fn remove_stale(&self, stale: &[Reference]) -> Result<(), Failure> {
        let removed = self.engine.remove_stale(stale, self.stop).await;
        let removed = removed.map(|_| ());
        removed.map_err(|error| Failure::from_upload(&error).caused_by(error.store_error()))
    }

    /// The failure that an earlier life of this sidecar has reported, if it stands. Kubelet restarts a sidecar
    /// while any container of the pod runs, after a failed main too. A life that has not seen main begin
    /// knows less than that report.
    async fn of_an_earlier_life(&self, watched: &Watched) -> Option<Failure> {
        let saw_it_begin = |started| started >= watched.attached;
        if !watched.sees || watched.started.is_some_and(saw_it_begin) {
            return None;
        }
        reported_here(self.target, self.engine, self.stop).await
    }

    /// Reports a main that failed, and salvages its files if `--on-main-failure salvage` is set.
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
        let unseen = matches!(
            watched.ending,
            Ending::NeverStarted | Ending::Untold | Ending::OnlyCopilots
        );
        if unseen && is_done(outputs, self.engine, self.stop).await {
            early.forget();
            return self.remove_stale(outputs.stale).await;
        }
        let mut failure = own_words(self.shared).unwrap_or_else(|| quoting(failure, self.shared));
        if is_salvaged {
            failure = self.salvaged(failure, outputs, &mut early).await;
        }
        early::end(early, early::is_withdrawn(watched, None), self.engine).await;
        Err(failure)
    }

    /// Uploads the files that main left, and adds to the failure's message where they are, or why not.
    async fn salvaged(
        &self,
        failure: Failure,
        outputs: &Outputs<'_>,
        early: &mut Early,
    ) -> Failure {
        let told = match upload::salvage(outputs, early, self.engine, self.stop).await {
            Ok(summary) => format!(
                "its files ({} files, {} bytes) are saved below {}",
                summary.objects,
                summary.bytes,
                outputs.raw_prefix.unwrap_or_default()
            ),
            Err(error) => format!("some of its files could not be saved: {error}"),
        };
        Failure {
            message: format!("{}; {told}", failure.message),
            ..failure
        }
    }
}

/// The declared outputs; a tree declares none.
fn declared_outputs(target: &UploadTarget) -> Result<VariableMap, Failure> {
    let UploadTarget::Outputs(target) = target else {
        return Ok(VariableMap::default());
    };
    let interface: TypedInterface = idl::decode_typed_interface(target.interface.as_slice())
        .map_err(|cause| {
            Failure::from_upload(format_args!(
                "--interface is not a serialized TypedInterface: {cause}; the platform passes this flag"
            ))
        })?;
    Ok(interface.outputs.unwrap_or_default())
}
