//! What a test needs of the machine. A test that is skipped says why; in CI it fails if the machine could
//! run it.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::emulator;
use crate::faulty_disk::DEVICE;

/// Options of `setpriv` for a user without any privilege.
pub const NOBODY: [&str; 5] = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];

/// Something that a test needs and a machine may lack.
#[derive(Clone, Copy, Debug)]
pub enum Requirement {
    /// Uid 0 and a writable cgroup2 hierarchy, to make pods.
    Cgroups,
    /// Uid 0 and a writable cgroup hierarchy that counts memory, to limit a process.
    MemoryLimits,
    /// The same as `Cgroups`, and the right to load BPF programs.
    Bpf,
    /// A mount namespace, as root or as root of a user namespace.
    Mounts,
    /// The same as `Cgroups`, a container runtime, a static busybox, and the right to make namespaces.
    Containers,
    /// The same as `Containers`, and containerd.
    Containerd,
    /// Uid 0, to become other users.
    Root,
    /// Uid 0, loop devices, and what makes an ext4 file system on one.
    LoopDevices,
    /// Uid 0, and file systems in user space.
    FaultyDisks,
    /// Uid 0 and a writable cgroup hierarchy of version 1 that counts processes.
    PidLimits,
    /// Python with flytekit, and the libraries that read Flyte's messages and YAML.
    Python,
    /// Uid 0, to become a user without any privilege, and user namespaces for such a user.
    Nobody,
    /// The language R, to run an example in it.
    R,
    /// An emulator of a store, by the name of its program.
    Emulator(&'static str),
    /// A tool that benches compare Copilot with, by the name of its program.
    Peer(&'static str),
}

impl Requirement {
    /// Whether the machine has it. If not, the reason is logged and noted.
    ///
    /// # Panics
    ///
    /// In CI (`CI=true`) if the machine could have it: there nothing may be skipped.
    #[must_use]
    pub fn is_met(self) -> bool {
        let Some(missing) = self.missing() else {
            return true;
        };
        // An emulator can be installed where its language is, also without root.
        let can = match self {
            Self::Emulator(program) => emulator::is_installable(program),
            Self::Peer(_) => true,
            _ => is_root(),
        };
        let must = env::var("CI").is_ok_and(|value| value == "true") && can;
        assert!(!must, "CI must not skip this test: {missing}");
        eprintln!("SKIPPED: {missing}");
        note_skip(&missing);
        false
    }

    /// Whether the machine has it. Logs nothing.
    #[must_use]
    pub fn could_be_met(self) -> bool {
        self.missing().is_none()
    }

    fn missing(self) -> Option<String> {
        if let Self::Mounts = self {
            let way = crate::namespace::unshare();
            return way
                .is_none()
                .then(|| format!("{self:?} needs the right to unshare"));
        }
        if let Self::Python = self {
            let advice = "Python needs flyteidl, flytekit, s3fs, pandas, pyarrow, pydantic and PyYAML: run `cargo xtask setup --tests`";
            return crate::python::path().is_none().then(|| advice.to_owned());
        }
        if let Self::R = self {
            let found = Command::new("Rscript").arg("--version").output();
            return found.is_err().then(|| {
                "the example in R needs Rscript (`cargo xtask setup --tests` installs it)"
                    .to_owned()
            });
        }
        if let Self::Emulator(program) = self {
            return emulator::find(program).is_none().then(|| {
                format!(
                    "{program} is not installed (`cargo xtask setup --tests` installs it with Go or npm)"
                )
            });
        }
        if let Self::Peer(program) = self {
            let advice = "is not installed (`cargo xtask setup --tests` installs it)";
            return emulator::find(program)
                .is_none()
                .then(|| format!("{program} {advice}"));
        }
        if !is_root() {
            return Some(format!("{self:?} needs root"));
        }
        if matches!(self, Self::Root) {
            return None;
        }
        if matches!(self, Self::LoopDevices) {
            let lacking = "loop devices, losetup and mkfs.ext4";
            return (!can_make_file_systems()).then(|| format!("{self:?} needs {lacking}"));
        }
        if matches!(self, Self::FaultyDisks) {
            let is_there = Path::new(DEVICE).exists();
            return (!is_there).then(|| format!("{self:?} needs {DEVICE}"));
        }
        if matches!(self, Self::PidLimits) {
            let is_there = Path::new(PIDS).is_dir();
            return (!is_there).then(|| format!("{self:?} needs {PIDS}"));
        }
        if matches!(self, Self::MemoryLimits) {
            let lacking = "a writable cgroup hierarchy that counts memory";
            return (!crate::bounded::is_possible()).then(|| format!("{self:?} needs {lacking}"));
        }
        if matches!(self, Self::Nobody) {
            let lacking = "user namespaces for every user (kernel.unprivileged_userns_clone)";
            return (!nobody_may_make_namespaces()).then(|| format!("{self:?} needs {lacking}"));
        }
        let Some(mount) = crate::pod::cgroup2_mount() else {
            return Some(format!("{self:?} needs a mounted cgroup2 hierarchy"));
        };
        let writable = rustix::fs::access(&mount, rustix::fs::Access::WRITE_OK).is_ok();
        if !writable {
            return Some(format!("{self:?} needs {} to be writable", mount.display()));
        }
        let lacking = match self {
            Self::Containers => crate::container::obstacle(),
            Self::Containerd => crate::container::obstacle().or_else(crate::containerd::obstacle),
            _ => None,
        }?;
        Some(format!("{self:?} needs {lacking}"))
    }
}

/// The hierarchy that counts processes, in version 1 of cgroups.
pub const PIDS: &str = "/sys/fs/cgroup/pids";

fn can_make_file_systems() -> bool {
    let works = |program: &str, argument: &str| {
        let done = Command::new(program).arg(argument).output();
        done.is_ok_and(|output| output.status.success())
    };
    Path::new("/dev/loop-control").exists()
        && works("losetup", "--find")
        && works("mkfs.ext4", "-V")
}

/// Names a file that collects skips for the summary of `cargo xtask test`: the test harness shows what a
/// test prints only if the test fails.
const SKIPS: &str = "COPILOT_TEST_SKIPS";

fn note_skip(missing: &str) {
    let Some(path) = env::var_os(SKIPS) else {
        return;
    };
    let test = thread::current();
    let line = format!("{}: {missing}\n", test.name().unwrap_or("a test"));
    let file = OpenOptions::new().append(true).create(true).open(path);
    // One write: lines of tests that run at the same time must not mix.
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        eprintln!("the skip cannot be written to {SKIPS}: {error}");
    }
}

/// Whether we are uid 0.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn nobody_may_make_namespaces() -> bool {
    let mut command = Command::new("setpriv");
    command.args(NOBODY);
    command.args(["unshare", "--user", "--map-root-user", "--mount", "true"]);
    command.output().is_ok_and(|output| output.status.success())
}

/// Whether a pidfd tells how its process ended: from Linux 6.15 on.
#[must_use]
pub fn pidfds_tell_exit_codes() -> bool {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy();
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(15))
}
