//! The edge: from a typed request to an exit code.
//!
//! It loads the settings, sets up the log, runs a job (`download`, `sidecar`, `trial`), and reports the end: in the
//! error document, the termination message, the last line on standard error, and the exit code. Only
//! `main` calls [`run`] and [`reject`]. Never here: what a job does.

mod conclude;
mod confinement;
mod doctor;
mod inspect;
mod log;
mod monitor;
mod report_file;
mod request;
mod rest;
mod session;
mod spans;
mod times;
mod trial;

use std::process::ExitCode;

pub use request::{Command, Global, Invocation, Reportable, ReportedExit};
pub use session::own_settings;

use self::conclude::{Ended, ReportPlace, RunExit};
use self::session::Session;
use self::times::Times;
use crate::download::tree::TreeDownloadRequest;
use crate::download::{self, DownloadMode, DownloadRequest};
use crate::report::tree::MainEnd;
use crate::report::{Failure, Timeline, bounded};
use crate::sidecar::{self, SidecarRequest, UploadTarget};
use crate::store::Reference;
use crate::template;
use crate::termination::Termination;
use crate::track::{Timestamp, readiness};

/// Carries out a command line. `begun` is the time when the process began.
pub async fn run(
    invocation: Invocation,
    mut termination: Termination,
    begun: Timestamp,
) -> ExitCode {
    let exit = match invocation {
        Invocation::Help(text) => print(&text),
        Invocation::Version => print(&format!("copilot {}\n", env!("CARGO_PKG_VERSION"))),
        Invocation::Ready(_) => ready(),
        Invocation::Inspect(global, request) => {
            inspect::inspect(&global, &request, &mut termination).await
        }
        Invocation::Make(request) => inspect::make(&request),
        Invocation::Template(request) => print(&template::text(&request)),
        Invocation::Run(global, request) => trial::run(&global, &request, &mut termination).await,
        Invocation::Doctor(global, request) => {
            doctor::run(&global, &request, &mut termination).await
        }
        Invocation::Watch(global, request) => {
            monitor::run(&global, &request, &mut termination).await
        }
        Invocation::Download(global, request) => {
            download(&global, &request, &mut termination, begun).await
        }
        Invocation::DownloadTree(global, request) => {
            download_tree(&global, &request, &mut termination, begun).await
        }
        Invocation::Sidecar(global, request) => {
            sidecar(&global, &request, &mut termination, begun).await
        }
    };
    exit.into()
}

/// Reports a refused command line; to the platform as well, if the reference does.
pub async fn reject(message: &str, reportable: Option<&Reportable>) -> ExitCode {
    let Some(reportable) = reportable else {
        conclude::last_line(message, None);
        return RunExit::Usage.into();
    };
    // The same flags are wrong in the next run, too.
    let failure = match reportable.command {
        Command::Download => Failure::from_download(message).lasting(),
        _ => Failure::from_upload(message).lasting(),
    };
    let exit = match Session::open(&reportable.global, &reportable.to_output_prefix) {
        Ok(session) => {
            let place = ReportPlace::Documents(&reportable.to_output_prefix);
            let ended = Ended::new(&reportable.global, place);
            let conclusion = ended.failed(&session.engine, &failure).await;
            conclusion.of_usage().say()
        }
        Err(error) => usage(&reportable.global, &format!("{message}; and {error}")),
    };
    exit.into()
}

async fn download(
    global: &Global,
    request: &DownloadRequest,
    termination: &mut Termination,
    begun: Timestamp,
) -> RunExit {
    let session = match Session::open(global, &request.to_output_prefix) {
        Ok(session) => session,
        Err(error) => return usage(global, &error.to_string()),
    };
    let times = request.timeline.as_deref().map(Times::at);
    let mut timeline = Timeline::begin(begun);
    timeline.note("command", "download");
    let ended = Ended::new(global, ReportPlace::Documents(&request.to_output_prefix));
    let engine = session.engine.writing_at_most(request.volume_size_limit);
    let engine = &engine;
    let conclude = async |outcome| ended.concluded(engine, outcome).await;
    let conclusion = if request.mode == DownloadMode::Stream {
        let attached = match download::stream::attach(request).await {
            Ok(attached) => attached,
            Err(error) => return usage(global, &error.to_string()),
        };
        let watch = Some(attached.watch());
        confinement::for_download(global, request, engine.stores(), watch).await;
        let timeline = &mut timeline;
        let run = download::stream::run(request, attached, engine, termination, timeline, conclude);
        Box::pin(run).await
    } else {
        confinement::for_download(global, request, engine.stores(), None).await;
        let run = download::run(request, engine, termination, &mut timeline);
        conclude(Box::pin(run).await).await
    };
    session::write_timeline(&mut timeline, times.as_ref(), &conclusion, engine).await;
    spans::send(&timeline, termination, None).await;
    conclusion.say()
}

/// A download without Flyte.
async fn download_tree(
    global: &Global,
    request: &TreeDownloadRequest,
    termination: &mut Termination,
    begun: Timestamp,
) -> RunExit {
    let session = match Session::for_tree(global, "--from", Reference::parse(&request.from)) {
        Ok(session) => session,
        Err(error) => return usage(global, &error.to_string()),
    };
    let times = request.timeline.as_deref().map(Times::at);
    let mut timeline = Timeline::begin(begun);
    timeline.note("command", "download");
    let ended = Ended::new(global, ReportPlace::Nowhere);
    let engine = &session.engine.writing_at_most(request.volume_size_limit);
    confinement::for_tree_download(global, request, engine.stores()).await;
    let run = download::tree::run(request, engine, termination, &mut timeline);
    let conclusion = ended.concluded(engine, Box::pin(run).await).await;
    session::write_timeline(&mut timeline, times.as_ref(), &conclusion, engine).await;
    spans::send(&timeline, termination, None).await;
    conclusion.say()
}

async fn sidecar(
    global: &Global,
    request: &SidecarRequest,
    termination: &mut Termination,
    begun: Timestamp,
) -> RunExit {
    let place = match &request.upload {
        Some(UploadTarget::Outputs(target)) => ReportPlace::Documents(&target.to_output_prefix),
        Some(UploadTarget::Tree(target)) => ReportPlace::Tree(&target.to),
        None => ReportPlace::Documents(""),
    };
    let session = match place {
        ReportPlace::Tree(to) => Session::for_tree(global, "--to", Reference::prefix(to)),
        ReportPlace::Documents(prefix) => Session::open(global, prefix),
        ReportPlace::Nowhere => Session::open(global, ""),
    };
    let session = match session {
        Ok(session) => session,
        Err(error) => return usage(global, &error.to_string()),
    };
    let times = request.timeline.as_deref().map(Times::at);
    let ended = Ended::new(global, place);
    let mut timeline = Timeline::begin(begun);
    timeline.note("command", "sidecar");
    let mut attached = match sidecar::attach(request).await {
        Ok(attached) => attached,
        Err(error) => return usage(global, &error.to_string()),
    };
    confinement::for_sidecar(global, request, session.engine.stores(), attached.watch()).await;
    let ended = ended.of_sidecar(attached.is_flytes());
    attached.announce();
    // Main may start meanwhile: the watcher's events wait.
    rest::unmap_program();
    let outcome = sidecar::run(
        request,
        attached,
        &session.engine,
        termination,
        &mut timeline,
    )
    .await;
    let ended = ended.with_main(MainEnd::noted(&timeline));
    let conclusion = ended.concluded(&session.engine, outcome).await;
    session::write_timeline(&mut timeline, times.as_ref(), &conclusion, &session.engine).await;
    spans::send(&timeline, termination, request.timeout).await;
    conclusion.say()
}

/// Prints an answer on standard output.
fn print(text: &str) -> RunExit {
    use std::io::Write as _;
    // A reader that stops early (`| head`) has what it wants.
    let _ = std::io::stdout().write_all(text.as_bytes());
    RunExit::Done
}

/// Answers a startup probe.
fn ready() -> RunExit {
    match readiness::probe() {
        Ok(true) => RunExit::Done,
        Ok(false) => {
            conclude::last_line(
                "not ready: in this container no sidecar has attached its watcher, and no streaming \
                 download has written its metadata files",
                None,
            );
            RunExit::NotReady
        }
        Err(error) => {
            let message =
                format!("cannot tell whether the sidecar is ready: /proc cannot be read: {error}");
            conclude::last_line(&message, None);
            RunExit::NotReady
        }
    }
}

/// Reports wrong flags or settings. Without a store, no error document can be written.
fn usage(global: &Global, message: &str) -> RunExit {
    let message = bounded(&global.own_sources.named(message));
    conclude::TerminationLog::at(global).write(&message);
    conclude::last_line(&message, None);
    RunExit::Usage
}
