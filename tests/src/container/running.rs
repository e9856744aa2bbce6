//! A container: the runtime's commands for it, and its end.

use std::fs::{self, File};
use std::io;
use std::marker::PhantomData;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::sandbox::Sandbox;
use crate::binary::{Ended, PATIENCE};

/// The runtime, with the state of one container.
#[derive(Debug)]
pub(super) struct Runtime {
    state: PathBuf,
    bundle: PathBuf,
    id: String,
}

impl Runtime {
    pub(super) fn new(node: &Path, bundle: PathBuf, id: &str) -> Self {
        Self {
            state: node.join("runc"),
            bundle,
            id: id.to_owned(),
        }
    }

    /// The container's id, and the folder of its configuration and root.
    pub(super) fn into_bundle(self) -> (String, PathBuf) {
        (self.id, self.bundle)
    }

    /// Makes the container. Returns the pid of its first process, which waits for `start`.
    pub(super) fn create(&self, output: &File) -> io::Result<i32> {
        let pid_file = self.bundle.join("pid");
        let mut command = self.command("create");
        command
            .arg("--bundle")
            .arg(&self.bundle)
            .arg("--pid-file")
            .arg(&pid_file)
            .arg(&self.id)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?);
        self.succeed(&mut command)?;
        let pid = fs::read_to_string(pid_file)?;
        pid.parse().map_err(io::Error::other)
    }

    pub(super) fn start(&self) -> io::Result<()> {
        self.succeed(self.command("start").arg(&self.id))
    }

    /// Kills the container's processes and removes it. Its first process is a child of this one.
    pub(super) fn delete(&self, pid: i32) {
        // This fails if the container has ended.
        let mut kill = self.command("kill");
        let _ = kill.args([&self.id, "KILL"]).stderr(Stdio::null()).status();
        // This fails if the process was waited for before.
        let _ = waitpid(Pid::from_raw(pid), WaitOptions::empty());
        if let Err(error) = self.succeed(self.command("delete").arg("--force").arg(&self.id)) {
            eprintln!("container {} could not be removed: {error}", self.id);
        }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new("runc");
        command.arg("--root").arg(&self.state);
        command.arg("--log").arg(self.bundle.join("runc.log"));
        command.arg(verb);
        command
    }

    fn succeed(&self, command: &mut Command) -> io::Result<()> {
        if command.status()?.success() {
            return Ok(());
        }
        let log = fs::read_to_string(self.bundle.join("runc.log")).unwrap_or_default();
        Err(io::Error::other(format!("{command:?} failed: {log}")))
    }
}

/// A container of a pod. When it is dropped, it is killed and removed.
#[derive(Debug)]
pub struct Container<'pod> {
    runtime: Runtime,
    pid: i32,
    log: PathBuf,
    pod: PhantomData<&'pod Sandbox>,
}

impl Container<'_> {
    pub(super) fn new(runtime: Runtime, pid: i32, log: PathBuf) -> Self {
        Self {
            runtime,
            pid,
            log,
            pod: PhantomData,
        }
    }

    /// The container id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.runtime.id
    }

    /// The pid of its first process, in the namespace of the test process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Starts its program.
    pub fn start(&self) -> io::Result<()> {
        self.runtime.start()
    }

    /// A command that runs in the container, with its user and capabilities, like `kubectl exec`.
    #[must_use]
    pub fn exec(&self, program: &[&str]) -> Command {
        let mut command = self.runtime.command("exec");
        command.arg(&self.runtime.id).args(program);
        command.stdin(Stdio::null());
        command
    }

    /// Freezes its processes with their cgroup.
    pub fn freeze(&self) -> io::Result<()> {
        self.runtime
            .succeed(self.runtime.command("pause").arg(&self.runtime.id))
    }

    /// Lets them run again.
    pub fn thaw(&self) -> io::Result<()> {
        self.runtime
            .succeed(self.runtime.command("resume").arg(&self.runtime.id))
    }

    /// Sends a signal to its first process.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = Pid::from_raw(self.pid).ok_or(io::ErrorKind::NotFound)?;
        Ok(kill_process(pid, signal)?)
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How its first process ended, or `None` while it runs. Call it until the process has ended, and not
    /// again.
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        let ended = waitpid(Pid::from_raw(self.pid), WaitOptions::NOHANG)?;
        Ok(ended.map(|(_, status)| ExitStatus::from_raw(status.as_raw())))
    }

    /// Waits for its end. Standard output and standard error are one log, as Kubernetes keeps them: it
    /// is `stderr` of the result. Fails with that log if the end takes too long.
    pub fn wait(&self) -> io::Result<Ended> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.try_wait()? {
                return Ok(Ended {
                    status,
                    stdout: String::new(),
                    stderr: self.log(),
                });
            }
            thread::sleep(Duration::from_millis(2));
        }
        let log = self.log();
        Err(io::Error::other(format!(
            "the container does not end; its log:\n{log}"
        )))
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.runtime.delete(self.pid);
        if thread::panicking() {
            eprintln!("--- container {}\n{}", self.runtime.id, self.log());
        }
    }
}
