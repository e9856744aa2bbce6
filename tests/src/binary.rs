//! The built program, run as a platform runs it, and kept away from every cloud: its environment is empty,
//! and the metadata services and Kubernetes' API are at a closed port of this machine.

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

/// A run or a wait that takes longer than this is stuck. It is far more than any test needs.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The program under test: `COPILOT_BINARY`, else the last one that was built beside the running test.
///
/// # Panics
/// If it does not exist.
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

/// A command that runs the program. Add arguments.
#[must_use]
pub fn command() -> Command {
    let mut command = Command::new(path());
    isolate(&mut command);
    command
}

/// A command that runs the program as a user to whom permissions apply: as another user where we are root.
/// That user may have no access to the original, so a copy is made at `copy`.
///
/// # Panics
/// If the program cannot be copied.
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

/// A command that runs a copy of the program, at `copy`, as this user. The user's own group has the same
/// number; `groups` are further groups. Only root may run it.
///
/// # Panics
/// If the program cannot be copied.
#[must_use]
pub fn as_user(copy: &Path, user: u32, groups: &[u32]) -> Command {
    place(&path(), copy).expect("the program can be copied");
    let mut command = becoming(user, groups);
    command.arg(copy);
    command
}

/// Links a program to `target`, or copies it if that is on another file system.
///
/// Another process makes the copy. If this one wrote it, a process that another thread forks at that moment
/// would hold the file open for writing, and the kernel does not run such a file ("Text file busy").
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

/// A command that runs a program as this user. Add the program.
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

/// A command that runs a program as a user who owns nothing. Add the program.
#[must_use]
pub fn nobody() -> Command {
    let mut command = Command::new("setpriv");
    isolate(&mut command);
    command.args(NOBODY).arg("--");
    command
}

/// Keeps the machine's own settings, and every cloud, away from a command.
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
    /// Its exit code or signal.
    pub status: ExitStatus,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error: its log, then its message.
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

    /// The message at the end of standard error: the last line that begins with `Error: `, and all that
    /// follows it. Empty without such a line.
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

/// Runs a download of the task at `from`, which must fail, with this command and its root flags. `to` is
/// the folder for inputs.
///
/// # Panics
/// If it succeeds.
pub fn fail_download(command: &mut Command, from: &str, to: &Path) -> Ended {
    command.args(["download", "--from-remote", &format!("{from}/inputs.pb")]);
    command.args(["--to-output-prefix", &format!("{from}/out")]);
    let ended = run(command.arg("--to-local-dir").arg(to));
    assert_ne!(ended.code(), 0, "{}", ended.stderr);
    ended
}

/// A process that is killed when it is dropped.
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
        // Files, and not pipes: a full pipe would block the process.
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

    /// Whether it still runs.
    ///
    /// # Panics
    /// If the kernel does not tell.
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
    pub fn ended(self) -> Ended {
        self.ended_within(PATIENCE)
    }

    /// The same for a process that may take longer than others.
    ///
    /// # Panics
    /// If it does not end within this time.
    #[must_use]
    pub fn ended_within(mut self, limit: Duration) -> Ended {
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
                begun.elapsed() < limit,
                "the process does not end; its log: {}",
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

    /// Waits until its standard output holds these words.
    ///
    /// # Panics
    /// If it never does.
    pub fn prints(&self, words: &str) {
        wait_until(words, || content(&self.stdout).contains(words));
    }

    /// Whether its log holds these words.
    #[must_use]
    pub fn has_said(&self, words: &str) -> bool {
        content(&self.stderr).contains(words)
    }

    /// Waits until `copilot ready` would succeed: the sidecar watches.
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
                "the sidecar has ended and never watched: {}",
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

/// Waits until a condition holds.
///
/// # Panics
/// If it does not hold in time.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn file() -> File {
    tempfile::tempfile().expect("a temporary file can be made")
}

/// Reads a file from its beginning. The child shares the file's offset, so that must not move.
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
