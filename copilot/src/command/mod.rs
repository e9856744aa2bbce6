//! The edge: from a typed request to an exit code.
//!
//! Settings are loaded, the log is set up, a job runs (`download`, `sidecar`), and how it ended
//! goes to whoever must know: the error document, the termination message, the last line on
//! standard error, the exit code. `main` calls [`run`] or [`reject`]; nothing within calls them.
//! Never here: what a job does.

mod conclude;
mod log;
mod request;
mod session;

use std::process::ExitCode;

pub use request::{Command, Global, Invocation, Reportable};

use self::conclude::{Ended, Exit};
use self::session::Session;
use crate::download::{self, DownloadMode, DownloadRequest};
use crate::report::{Failure, Timeline, bounded};
use crate::sidecar::{self, SidecarRequest, Watching};
use crate::termination::Termination;
use crate::track::{Timestamp, readiness};

/// Carries out what a command line asks for. `begun` is when the process began.
pub async fn run(
    invocation: Invocation,
    mut termination: Termination,
    begun: Timestamp,
) -> ExitCode {
    let exit = match invocation {
        Invocation::Help(text) => print(&text),
        Invocation::Version => print(&format!("copilot {}\n", env!("CARGO_PKG_VERSION"))),
        Invocation::Ready(_) => ready(),
        Invocation::Download(global, request) => {
            download(&global, &request, &mut termination, begun).await
        }
        Invocation::Sidecar(global, request) => {
            sidecar(&global, &request, &mut termination, begun).await
        }
    };
    exit.into()
}

/// Reports a command line that was refused: to the platform, where the reference does so too.
pub async fn reject(message: &str, reportable: Option<&Reportable>) -> ExitCode {
    let Some(reportable) = reportable else {
        conclude::last_line(message);
        return Exit::Usage.into();
    };
    let failure = match reportable.command {
        Command::Download => Failure::of_download(message),
        Command::Sidecar | Command::Ready => Failure::of_upload(message),
    };
    let exit = match Session::open(&reportable.global, &reportable.to_output_prefix) {
        Ok(session) => {
            let ended = Ended::new(&reportable.global, &reportable.to_output_prefix);
            ended.failed(&session.engine, &failure).await.say()
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
) -> Exit {
    let session = match Session::open(global, &request.to_output_prefix) {
        Ok(session) => session,
        Err(error) => return usage(global, &error.to_string()),
    };
    let mut timeline = Timeline::begin(begun);
    timeline.note("command", "download");
    let ended = Ended::new(global, &request.to_output_prefix);
    let engine = session.engine.writing_at_most(request.volume_size_limit);
    let engine = &engine;
    let conclude = async |outcome| ended.concluded(engine, outcome).await;
    let conclusion = if request.mode == DownloadMode::Stream {
        let run = download::stream::run(request, engine, termination, &mut timeline, conclude);
        match Box::pin(run).await {
            Ok(conclusion) => conclusion,
            Err(error) => return usage(global, &error.to_string()),
        }
    } else {
        let run = download::run(request, engine, termination, &mut timeline);
        conclude(Box::pin(run).await).await
    };
    session::write_timeline(&mut timeline, request.timeline.as_deref(), conclusion.exit);
    conclusion.say()
}

async fn sidecar(
    global: &Global,
    request: &SidecarRequest,
    termination: &mut Termination,
    begun: Timestamp,
) -> Exit {
    let prefix = request
        .upload
        .as_ref()
        .map_or("", |target| target.to_output_prefix.as_str());
    let session = match Session::open(global, prefix) {
        Ok(session) => session,
        Err(error) => return usage(global, &error.to_string()),
    };
    let mut timeline = Timeline::begin(begun);
    timeline.note("command", "sidecar");
    let watching = match Watching::attach(request).await {
        Ok(watching) => watching,
        Err(error) => return usage(global, &error.to_string()),
    };
    if watching.is_alone() {
        tracing::info!("no pod is around us and no outputs are declared: nothing to do");
        return Exit::Done;
    }
    let outcome = sidecar::run(
        request,
        watching,
        &session.engine,
        termination,
        &mut timeline,
    )
    .await;
    let ended = Ended::new(global, prefix);
    let conclusion = ended.concluded(&session.engine, outcome).await;
    session::write_timeline(&mut timeline, request.timeline.as_deref(), conclusion.exit);
    conclusion.say()
}

/// An answer for standard output.
fn print(text: &str) -> Exit {
    use std::io::Write as _;
    // Whoever reads only its beginning (`| head`) has what they want.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Exit::Done
}

/// What a startup probe asks.
fn ready() -> Exit {
    match readiness::is_announced() {
        Ok(true) => Exit::Done,
        Ok(false) => {
            conclude::last_line(
                "not yet: no sidecar of this container has attached its watcher, and no streaming \
                 download has its metadata files in place",
            );
            Exit::NotReady
        }
        Err(error) => {
            conclude::last_line(&format!(
                "/proc cannot be read, so nothing can be said: {error}"
            ));
            Exit::NotReady
        }
    }
}

/// What is wrong with flags or settings: no store was reached, so no document can be written.
fn usage(global: &Global, message: &str) -> Exit {
    let message = bounded(message);
    conclude::write_termination_log(global, &message);
    conclude::last_line(&message);
    Exit::Usage
}
