//! What a test needs of the machine, said aloud: a test is never skipped in silence, and in CI a
//! skip of something that the machine can do is a failure.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::Command;
use std::thread;

use crate::emulator;

/// Options of `setpriv` for a user without any right.
pub const NOBODY: [&str; 5] = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];

/// Something that a machine may lack.
#[derive(Clone, Copy, Debug)]
pub enum Requirement {
    /// Uid 0 and a cgroup2 hierarchy that may be written: to make pods.
    Cgroups,
    /// Uid 0 and a cgroup hierarchy that counts memory and may be written: to bound a process.
    MemoryLimits,
    /// What `Cgroups` says, and the right to load BPF programs.
    Bpf,
    /// A mount namespace, as root or as root of a user namespace.
    Mounts,
    /// What `Cgroups` says, a container runtime, a static busybox and the right to make namespaces.
    Containers,
    /// Uid 0, to become other users.
    Root,
    /// Python with the libraries that read Flyte's messages and YAML.
    Python,
    /// Uid 0, to become somebody without any right, who may make user namespaces all the same.
    Nobody,
    /// The language R: to run an example in it.
    R,
    /// An emulator of a store, by the name of its program.
    Emulator(&'static str),
}

impl Requirement {
    /// Whether the machine has it; if not, says so, and fails where it must not be missing.
    ///
    /// # Panics
    ///
    /// In CI (`CI=true`), where the machine could have it: there nothing may be skipped.
    #[must_use]
    pub fn is_met(self) -> bool {
        let Some(missing) = self.missing() else {
            return true;
        };
        // An emulator can be had where its language is, and nobody needs to be root for that.
        let can = match self {
            Self::Emulator(program) => emulator::is_installable(program),
            _ => is_root(),
        };
        let must = env::var("CI").is_ok_and(|value| value == "true") && can;
        assert!(!must, "skipped in CI, where it must run: {missing}");
        eprintln!("SKIPPED: {missing}");
        note_skip(&missing);
        false
    }

    /// Whether the machine has it, without a word.
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
            let advice = "Python needs flyteidl and PyYAML: run `cargo xtask setup --tests`";
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
                    "{program} is not installed (`cargo xtask setup --tests` does, with Go or npm)"
                )
            });
        }
        if !is_root() {
            return Some(format!("{self:?} needs root"));
        }
        if matches!(self, Self::Root) {
            return None;
        }
        if matches!(self, Self::MemoryLimits) {
            let lacking = "a cgroup hierarchy that counts memory, to be writable";
            return (!crate::bounded::is_possible()).then(|| format!("{self:?} needs {lacking}"));
        }
        if matches!(self, Self::Nobody) {
            let lacking = "user namespaces for everybody (kernel.unprivileged_userns_clone)";
            return (!nobody_may_make_namespaces()).then(|| format!("{self:?} needs {lacking}"));
        }
        let Some(mount) = crate::pod::cgroup2_mount() else {
            return Some(format!("{self:?} needs a mounted cgroup2 hierarchy"));
        };
        let writable = rustix::fs::access(&mount, rustix::fs::Access::WRITE_OK).is_ok();
        if !writable {
            return Some(format!("{self:?} needs {} to be writable", mount.display()));
        }
        let runtime = matches!(self, Self::Containers).then(crate::container::obstacle);
        let lacking = runtime.flatten()?;
        Some(format!("{self:?} needs {lacking}"))
    }
}

/// The test harness shows what a test prints only if it fails. So a skip also goes to the file that
/// `cargo xtask test` names here, for its summary.
const SKIPS: &str = "COPILOT_TEST_SKIPS";

fn note_skip(missing: &str) {
    let Some(path) = env::var_os(SKIPS) else {
        return;
    };
    let test = thread::current();
    let line = format!("{}: {missing}\n", test.name().unwrap_or("a test"));
    let file = OpenOptions::new().append(true).create(true).open(path);
    // One write, so that lines of tests that run side by side stay whole.
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        eprintln!("the skip cannot be noted: {error}");
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

/// Whether the kernel tells exit codes through pidfds: from Linux 6.15 on.
#[must_use]
pub fn pidfds_tell_exit_codes() -> bool {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy();
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(15))
}
