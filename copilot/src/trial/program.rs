//! The task's program as a process: started, told to stop, and ended with all that it has started.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tracing::debug;

use super::cgroup::TaskCgroup;
use super::error::TrialError;
use super::image::ImageRun;
use crate::termination::Termination;

/// How long the removal of a container may take.
const FOR_REMOVAL: Duration = Duration::from_secs(20);

/// The pause between two looks at it.
const PAUSE: Duration = Duration::from_millis(20);

/// What ends a task.
#[derive(Debug)]
pub(super) struct TaskProcesses {
    group: Pid,
    cgroup: Option<TaskCgroup>,
    image: Option<ImageRun>,
}

/// Starts a program in a process group of its own, and in the cgroup if there is one. It reads nothing, as in a pod.
/// `only_stderr`: its standard output goes to standard error.
pub(super) fn start(
    words: &[String],
    only_stderr: bool,
    cgroup: Option<TaskCgroup>,
    image: Option<ImageRun>,
) -> Result<(Child, TaskProcesses), TrialError> {
    let started = match &cgroup {
        // Where we may make a cgroup we may still not be allowed to move a process into it.
        Some(made) => spawn(words, only_stderr, Some(made))
            .map(|child| (child, true))
            .or_else(|error| {
                debug!(%error, "the task's cgroup cannot be entered, or the program cannot be started");
                spawn(words, only_stderr, None).map(|child| (child, false))
            }),
        None => spawn(words, only_stderr, None).map(|child| (child, false)),
    };
    let (child, has_entered) = started.map_err(|cause| failed(words, cause))?;
    let processes = TaskProcesses {
        group: Pid::from_child(&child),
        cgroup: cgroup.filter(|_| has_entered),
        image,
    };
    Ok((child, processes))
}

fn spawn(words: &[String], only_stderr: bool, cgroup: Option<&TaskCgroup>) -> io::Result<Child> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let entrance = cgroup.map(TaskCgroup::entrance).transpose()?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .process_group(0);
    if only_stderr {
        let stderr: OwnedFd = io::stderr().as_fd().try_clone_to_owned()?;
        command.stdout(stderr);
    }
    // SAFETY: between fork and exec only calls that are safe there are made: signal(2) and write(2). Nothing is
    // allocated.
    unsafe {
        command.pre_exec(move || {
            // We ignore it, and a program inherits that.
            libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
            match &entrance {
                Some(entrance) => rustix::io::write(entrance, b"0")
                    .map(drop)
                    .map_err(Into::into),
                None => Ok(()),
            }
        });
    }
    command.spawn()
}

fn failed(words: &[String], cause: io::Error) -> TrialError {
    let program = words.first().cloned().unwrap_or_default();
    let advice = match cause.kind() {
        io::ErrorKind::NotFound if program.contains('/') => {
            ". Does the file exist, and the interpreter in its first line?"
        }
        io::ErrorKind::NotFound => ". It is not in PATH: a program of this directory is ./NAME",
        io::ErrorKind::PermissionDenied => ". Make it executable: chmod +x",
        _ => "",
    };
    TrialError::Start {
        program,
        cause,
        advice,
    }
}

impl TaskProcesses {
    /// The cgroup that the task has of its own.
    pub(super) fn cgroup(&self) -> Option<&TaskCgroup> {
        self.cgroup.as_ref()
    }

    /// Passes the first signal on as SIGTERM, as kubelet does when it stops a pod. Never returns.
    pub(super) async fn pass_on(&self, termination: &mut Termination) -> std::convert::Infallible {
        termination.received().await;
        self.send(Signal::TERM);
        std::future::pending().await
    }

    /// Ends whatever is left, as a runtime does when a container's first process has ended.
    pub(super) async fn end(self, is_running: bool) {
        if let Some(image) = self.image.as_ref().filter(|_| is_running) {
            remove_container(image).await;
        }
        if let Some(cgroup) = &self.cgroup {
            cgroup.kill();
        }
        self.send(Signal::KILL);
        if let Some(cgroup) = self.cgroup {
            cgroup.remove().await;
        }
    }

    fn send(&self, signal: Signal) {
        if let Err(error) = kill_process_group(self.group, signal) {
            debug!(%error, ?signal, "no process of the task's group takes the signal");
        }
    }
}

/// Removes a container that runs on. Its tool has been killed, which may not have stopped it.
async fn remove_container(image: &ImageRun) {
    let mut command = Command::new(&image.tool);
    command.args(["rm", "--force", &image.name]);
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = match quiet.spawn() {
        Ok(child) => child,
        Err(error) => {
            tracing::warn!(container = image.name, %error, "the container cannot be removed");
            return;
        }
    };
    let deadline = tokio::time::Instant::now() + FOR_REMOVAL;
    while let Ok(None) = child.try_wait() {
        if tokio::time::Instant::now() >= deadline {
            tracing::warn!(
                container = image.name,
                "the container's removal takes too long: it may run on"
            );
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
