//! The run of a command: inputs in, the command, outputs out.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::cgroup::{CONTAINER, TaskCgroup};
use super::check::{look, problems};
use super::error::TrialError;
use super::image::ImageRun;
use super::interface::{self, TaskTypes};
use super::places::{self, PlaceName};
use super::program::{self, TaskProcesses};
use super::request::{Runtime, TrialRequest};
use super::result::{CommandEnd, OutputsFound, TrialResult};
use super::target::Target;
use super::template::{TemplateValues, fill};
use super::workspace::Workspace;
use crate::beneath::SharedDirectory;
use crate::describe::Inputs;
use crate::download::{self, DownloadMode, DownloadRequest};
use crate::idl::{LiteralMap, Message as _, decode_literal_map};
use crate::literal::output::OutputOptions;
use crate::literal::render::BinaryForm;
use crate::report::Timeline;
use crate::termination::Termination;
use crate::track::source::ChildSource;
use crate::track::watch::{Ending, Limits, Watched};
use crate::track::{ContainerId, Until, attach_child};
use crate::transfer::{Engine, Stop};
use crate::upload::{self, Early, Outputs, UploadMode};

/// How long to wait for processes that the command left running: the default of `--settle`.
const SETTLE: Duration = Duration::from_secs(2);

/// Runs a task.
///
/// # Errors
/// It cannot be run, or its outputs can neither be read nor uploaded. A command that fails, and outputs that are
/// wrong, are results.
pub async fn run(
    request: &TrialRequest,
    runtime: &Runtime,
    engine: &Engine,
    termination: &mut Termination,
) -> Result<TrialResult, TrialError> {
    let types = interface::types(request)?;
    let inputs = interface::inputs(request, &types)?;
    let image = runtime.image.as_deref().map(ImageRun::find).transpose()?;
    let target = request.to.as_deref().map(Target::new).transpose()?;
    if let Some(target) = &target {
        if types.outputs.variables.is_empty() {
            return Err(TrialError::NothingToUpload);
        }
        // As the sidecar does: a run is wasted if its results have nowhere to go.
        let opened = engine.stores().open(&target.commit);
        opened.map_err(TrialError::ToStore)?;
    }
    let workspace = Workspace::make(runtime.work_dir.as_deref(), runtime.keep, image.is_some())?;
    let trial = Trial {
        request,
        runtime,
        engine,
        types: &types,
        workspace: &workspace,
        target: target.as_ref(),
    };
    let outcome = trial.run(inputs, image, termination).await;
    // What the command left may be hours of work, unless all of it is shown or uploaded.
    let is_shown = outcome.as_ref().is_ok_and(|result| {
        let all_is_values = |found: &OutputsFound| {
            found.preview.data.is_empty() && found.preview.undeclared.is_empty()
        };
        result.committed.is_some() || result.outputs.as_ref().is_some_and(all_is_values)
    });
    let loses = !is_shown && has_entries(&workspace.outputs());
    let work_dir = workspace.end(loses);
    if let (Err(_), Some(directory)) = (&outcome, &work_dir) {
        warn!(directory = %directory.display(), "the directories of the run are kept");
    }
    let result = outcome?;
    Ok(TrialResult { work_dir, ..result })
}

fn has_entries(directory: &std::path::Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
}

/// A task with its directories.
struct Trial<'a> {
    request: &'a TrialRequest,
    runtime: &'a Runtime,
    engine: &'a Engine,
    types: &'a TaskTypes,
    workspace: &'a Workspace,
    target: Option<&'a Target>,
}

impl Trial<'_> {
    async fn run(
        &self,
        inputs: Inputs,
        image: Option<ImageRun>,
        termination: &mut Termination,
    ) -> Result<TrialResult, TrialError> {
        let shared = Arc::new(SharedDirectory::at(&self.workspace.outputs()));
        let laid_out = self.lay_out(&inputs, termination).await?;
        let mut words = self.command(&inputs.literals, laid_out, image.is_some())?;
        if let (Some(tool), Some(name)) = (&image, &self.runtime.image) {
            let arguments = tool.arguments(name, self.runtime, self.workspace, &words);
            words = vec![tool.tool.display().to_string()];
            words.extend(arguments);
        }
        let watched = self.watch(&words, image, termination).await?;
        let command = CommandEnd::of(&watched);
        if command.exit_code != 0 {
            return Ok(failed(command, &shared));
        }
        let (outputs, mut wrong) = look(
            &self.types.outputs,
            &shared,
            self.target.map(|target| target.raw.as_str()),
        )?;
        let mut committed = None;
        if wrong.is_empty()
            && let Some(target) = self.target
        {
            match self.upload(target, &shared, termination).await {
                Ok(()) => committed = Some(target.commit.to_string()),
                Err(error) => wrong.extend(problems(error).or_else(in_words)?),
            }
        }
        Ok(TrialResult {
            command: Some(command),
            outputs,
            problems: wrong,
            committed,
            work_dir: None,
        })
    }

    /// Lays the inputs out by the download job, as an init container does. Returns the literals with local paths.
    async fn lay_out(
        &self,
        inputs: &Inputs,
        termination: &mut Termination,
    ) -> Result<LiteralMap, TrialError> {
        let task = self.workspace.task();
        let message = task.join("inputs.pb");
        let cannot = |path: &std::path::Path, rule, cause| TrialError::Directory {
            path: path.to_owned(),
            rule,
            cause,
        };
        fs::write(&message, inputs.literals.encode_to_vec())
            .map_err(|error| cannot(&message, "cannot be written", error))?;
        let interface = interface::variable_map(&inputs.types).encode_to_vec();
        let request = DownloadRequest {
            from_remote: format!("file://{}", message.display()),
            to_output_prefix: format!("file://{}", task.display()),
            err_output_name: None,
            to_local_dir: self.workspace.inputs(),
            format: self.request.format,
            layout: self.request.layout,
            mode: DownloadMode::Eager,
            binary_inputs: BinaryForm::Json,
            input_interface: Some(interface).filter(|bytes| !bytes.is_empty()),
            volume_size_limit: None,
            timeout: None,
            timeline: None,
        };
        let mut timeline = Timeline::begin(crate::track::Timestamp::now());
        let job = download::run(&request, self.engine, termination, &mut timeline);
        // A large future: it holds those of all transfers.
        Box::pin(job).await.map_err(TrialError::Download)?;
        let laid_out = self.workspace.inputs().join("inputs.pb");
        let bytes =
            fs::read(&laid_out).map_err(|error| cannot(&laid_out, "cannot be read", error))?;
        Ok(decode_literal_map(&bytes[..])?)
    }

    /// The command with everything filled in.
    fn command(
        &self,
        given: &LiteralMap,
        laid_out: LiteralMap,
        in_image: bool,
    ) -> Result<Vec<String>, TrialError> {
        let runtime = self.runtime;
        let task = format!("file://{}", self.workspace.task().display());
        let task = task.trim_start_matches("file://");
        let prefix = self.target.map_or(task, |target| &target.prefix);
        let real = [self.workspace.inputs(), self.workspace.outputs()];
        let [inputs, outputs] = real.map(|path| path.display().to_string());
        let seen = if in_image {
            &runtime.input_data_dir
        } else {
            &inputs
        };
        let values = TemplateValues {
            input: format!("{seen}/inputs.pb"),
            input_prefix: seen.clone(),
            output_prefix: prefix.to_owned(),
            raw_output_data_prefix: self
                .target
                .map_or_else(|| format!("{task}/raw"), |target| target.raw.clone()),
            checkpoint_output_prefix: format!("{prefix}/checkpoint"),
            per_retry_unique_key: format!("copilot_run_{:08x}", rand::random::<u32>()),
            inputs: &with_local_paths(given, laid_out),
        };
        let place = |named: &str, real: &str| PlaceName {
            named: named.to_owned(),
            real: real.to_owned(),
        };
        let places = if in_image {
            // The other way round, for paths of local data.
            [
                place(&inputs, &runtime.input_data_dir),
                place(&outputs, &runtime.output_data_dir),
            ]
        } else {
            [
                place(&runtime.input_data_dir, &inputs),
                place(&runtime.output_data_dir, &outputs),
            ]
        };
        let words = runtime.command.iter();
        words
            .map(|word| Ok(places::replace(&fill(word, &values)?, &places)))
            .collect()
    }

    /// Starts the command, and waits for its end by the tracker.
    async fn watch(
        &self,
        words: &[String],
        image: Option<ImageRun>,
        termination: &mut Termination,
    ) -> Result<Watched, TrialError> {
        // Before the look at the first one, so that no signal is lost between them.
        let mut for_the_command = Termination::listen().map_err(TrialError::Signals)?;
        if termination.received().now_or_never().is_some() {
            return Err(TrialError::Stopped);
        }
        let cgroup = if image.is_some() {
            None
        } else {
            TaskCgroup::make()
        };
        let (child, processes) = program::start(words, self.request.json, cgroup, image)?;
        let container = ContainerId::new(CONTAINER);
        let limits = Limits {
            start: None,
            term_wait: self.runtime.term_wait,
            settle: SETTLE,
            until: Until::End,
        };
        let source = match ChildSource::new(child, container.clone()) {
            Ok(source) => source,
            Err(cause) => {
                processes.end(true).await;
                return Err(TrialError::Start {
                    program: words.first().cloned().unwrap_or_default(),
                    cause,
                    advice: ": it was started, and cannot be watched",
                });
            }
        };
        let directory = processes.cgroup().map(TaskCgroup::directory);
        let mut watch = attach_child(source, &container, directory, limits);
        let no_evidence = || None;
        let watched = tokio::select! {
            biased;
            watched = watch.until_over(&no_evidence, termination) => watched,
            never = TaskProcesses::pass_on(&processes, &mut for_the_command) => match never {},
        };
        processes.end(watched.ending == Ending::StillRunning).await;
        Ok(watched)
    }

    /// Uploads the outputs, as a sidecar does after a good end of main.
    async fn upload(
        &self,
        target: &Target,
        shared: &Arc<SharedDirectory>,
        termination: &mut Termination,
    ) -> Result<(), upload::UploadError> {
        let outputs = Outputs {
            declared: &self.types.outputs,
            directory: shared,
            raw_prefix: Some(&target.raw),
            commit: &target.commit,
            stale: &target.stale,
            options: OutputOptions::default(),
            mode: UploadMode::OnExit,
        };
        let cancel = CancellationToken::new();
        let stop = Stop::new(cancel.clone(), None);
        let mut early = Early::default();
        let mut timeline = Timeline::begin(crate::track::Timestamp::now());
        let job = upload::run(&outputs, &mut early, self.engine, &stop, &mut timeline);
        let mut job = Box::pin(job);
        let outcome = tokio::select! {
            outcome = &mut job => outcome,
            () = termination.received() => {
                // It ends by itself, and leaves nothing unfinished.
                cancel.cancel();
                job.await
            }
        };
        outcome.map(drop)
    }
}

/// An upload that failed, in words: the outputs were read.
fn in_words(error: TrialError) -> Result<Vec<String>, TrialError> {
    match error {
        TrialError::Outputs(error) => Ok(vec![format!("--to: {error}")]),
        error => Err(error),
    }
}

/// The inputs for templates: local data by the path where it was laid out, all else as the platform has it.
fn with_local_paths(given: &LiteralMap, mut laid_out: LiteralMap) -> LiteralMap {
    let mut literals = given.literals.clone();
    for (name, literal) in &mut literals {
        let is_local = literal
            .encode_to_vec()
            .windows(8)
            .any(|text| text == b"file:///");
        if is_local && let Some(found) = laid_out.literals.remove(name) {
            *literal = found;
        }
    }
    LiteralMap { literals }
}

/// A command that failed: a pod would upload nothing.
fn failed(command: CommandEnd, shared: &SharedDirectory) -> TrialResult {
    let own_words = upload::user_error(shared).ok().flatten();
    let problem = own_words.map_or_else(
        || "the command failed: in a pod, its outputs are not uploaded".to_owned(),
        |error| format!("the program reports a failure in _ERROR: {error}"),
    );
    TrialResult {
        command: Some(command),
        outputs: None,
        problems: vec![problem],
        committed: None,
        work_dir: None,
    }
}
