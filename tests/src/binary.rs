//! The built program, run as a platform would run it, and away from every cloud: an empty
//! environment, metadata services and Kubernetes' API at a closed port of this machine.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use copilot::track::readiness;
use rustix::process::{Pid, Signal, kill_process};

use crate::requirement::{NOBODY, is_root};

/// How long a run may take before it is called stuck; none of the tests' waits comes near it.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The program under test: `COPILOT_BINARY`, else what was last built beside the running test.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn path() -> PathBuf {
    let named = env::var_os("COPILOT_BINARY").map(PathBuf::from);
    let built = || {
        let test = env::current_exe().ok()?;
        let builds = ["release/copilot", "debug/copilot"];
        let mut candidates = test
            .ancestors()
            .flat_map(|folder| builds.map(|build| folder.join(build)));
        candidates.find(|candidate| candidate.is_file())
    };
    let found = named.filter(|path| path.is_file()).or_else(built);
    found.expect("the program is not built: run `cargo xtask build`, or name it in COPILOT_BINARY")
}

/// The program, to be given arguments.
#[must_use]
pub fn command() -> Command {
    let mut command = Command::new(path());
    isolate(&mut command);
    command
}

/// The program as a user whom permissions bind: as somebody else where we are root. `copy` is where
/// a copy of it may lie, since that user may have no way to the original.
///
/// # Panics
/// If the copy cannot be made.
#[must_use]
pub fn unprivileged(copy: &Path) -> Command {
    if !is_root() {
        return command();
    }
    place(&path(), copy).expect("the program can be copied");
    let mut command = nobody();
    command.arg(copy);
    command
}

/// A command that runs the program, or a copy of it at `copy`, as this user, in a group of their own
/// number and in these groups besides. Only root may run it.
///
/// # Panics
/// If the copy cannot be made.
#[must_use]
pub fn as_user(copy: &Path, user: u32, groups: &[u32]) -> Command {
    place(&path(), copy).expect("the program can be copied");
    let mut command = becoming(user, groups);
    command.arg(copy);
    command
}

/// Links a program to `target`, or copies it to another file system.
///
/// The copy is made by another process: one that we write would be open for writing in whatever
/// another thread forks just then, and the kernel runs no such file ("Text file busy").
///
/// # Errors
///
/// The program cannot be copied: `cp` says why on standard error.
pub fn place(program: &Path, target: &Path) -> io::Result<()> {
    if fs::hard_link(program, target).is_ok() {
        return Ok(());
    }
    let status = Command::new("cp")
        .arg("--")
        .args([program, target])
        .status()?;
    if status.success() {
        return Ok(());
    }
    let paths = format!("{} to {}", program.display(), target.display());
    Err(io::Error::other(format!("cp {paths}: {status}")))
}

/// A command that runs, as such a user, the program that is to be added.
#[must_use]
pub fn becoming(user: u32, groups: &[u32]) -> Command {
    let mut command = Command::new("setpriv");
    isolate(&mut command);
    let user = user.to_string();
    command.args(["--reuid", &user, "--regid", &user]);
    if groups.is_empty() {
        command.arg("--clear-groups");
    } else {
        let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
        command.args(["--groups", &groups.join(",")]);
    }
    command.arg("--");
    command
}

/// A command that runs, as a user who owns nothing, the program that is to be added.
#[must_use]
pub fn nobody() -> Command {
    let mut command = Command::new("setpriv");
    isolate(&mut command);
    command.args(NOBODY).arg("--");
    command
}

/// Takes the machine's own settings away from a command.
pub fn isolate(command: &mut Command) {
    command
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")
        .env("GCE_METADATA_HOST", "127.0.0.1:9")
        .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
        .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .env("KUBERNETES_SERVICE_PORT", "9")
        .env("NO_PROXY", "*")
        .stdin(Stdio::null());
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it printed on standard output.
    pub stdout: String,
    /// Its log and last words.
    pub stderr: String,
}

impl Ended {
    /// The exit code.
    ///
    /// # Panics
    /// If a signal ended it.
    #[must_use]
    pub fn code(&self) -> i32 {
        let code = self.status.code();
        code.unwrap_or_else(|| panic!("{}: {}", self.status, self.stderr))
    }

    /// The message that ends standard error: the last line that begins with `Error: `, and all
    /// after it. Empty if there is none.
    #[must_use]
    pub fn message(&self) -> &str {
        let begin = match self.stderr.rfind("\nError: ") {
            Some(position) => position + 1,
            None if self.stderr.starts_with("Error: ") => 0,
            None => return "",
        };
        self.stderr[begin..].trim_end()
    }

    /// The log holds all of these words.
    ///
    /// # Panics
    /// If it lacks one.
    #[track_caller]
    pub fn assert_logged(&self, words: &[&str]) {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?}: {}", self.stderr);
        }
    }
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started or does not end.
pub fn run(command: &mut Command) -> Ended {
    Running::start(command).ended()
}

/// A process that does not outlive the test.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Running {
    /// Starts a command.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        // Files, so that a run that says much is not held up.
        let (stdout, stderr) = (file(), file());
        let copy = |file: &File| file.try_clone().expect("a descriptor is free");
        command.stdout(copy(&stdout)).stderr(copy(&stderr));
        let started = command.spawn();
        Self {
            child: started.unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}")),
            stdout,
            stderr,
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    ///
    /// # Panics
    /// If that cannot be told.
    #[must_use]
    pub fn runs(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("a child can be waited for")
            .is_none()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If it cannot be sent.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has an id"), signal)
            .expect("it has not been waited for");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    #[must_use]
    pub fn ended(mut self) -> Ended {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return Ended {
                    status,
                    stdout: content(&self.stdout),
                    stderr: content(&self.stderr),
                };
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "it does not end; it said: {}",
                content(&self.stderr)
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until its log holds these words.
    ///
    /// # Panics
    /// If it never does.
    pub fn says(&self, words: &str) {
        wait_until(words, || self.has_said(words));
    }

    /// Whether its log holds these words.
    #[must_use]
    pub fn has_said(&self, words: &str) -> bool {
        content(&self.stderr).contains(words)
    }

    /// Waits until `copilot ready` would say that the sidecar watches.
    ///
    /// # Panics
    /// If it never does.
    pub fn watches(&mut self) {
        let name = format!("/proc/{}/comm", self.id());
        wait_until("the sidecar watches", || {
            let found = fs::read(&name);
            let is_ready =
                found.is_ok_and(|found| found.trim_ascii_end() == readiness::NAME.to_bytes());
            assert!(
                is_ready || self.runs(),
                "it has ended before it watched: {}",
                content(&self.stderr)
            );
            is_ready
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Waits until something is so.
///
/// # Panics
/// If it never is.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn file() -> File {
    tempfile::tempfile().expect("a temporary file can be made")
}

/// Reads a file from its beginning. Its offset is the child's as well and must stay where it is.
fn content(file: &File) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    loop {
        let read = file.read_at(&mut piece, bytes.len() as u64);
        match read.expect("a temporary file can be read") {
            0 => return String::from_utf8_lossy(&bytes).into_owned(),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}
