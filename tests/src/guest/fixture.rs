//! A pod of real cgroups in the virtual machine: the built sidecar, a directory that it shares with main,
//! and a store on disk.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{Message as _, SimpleType};
use tempfile::TempDir;

use super::COPILOT;
use super::init::Hierarchy;
use crate::binary::{self, Running};
use crate::fixture::Outcome;
use crate::flags;
use crate::pod::Pod;
use crate::task::{interface, simple};

/// The capabilities that the manifest of a pod adds.
pub const CAPABILITIES: &str = ",+bpf,+perfmon";

/// Limits of locked memory in KiB, soft and hard: the old default of the kernel, and the newer one, up to
/// which a program may raise it. Before Linux 5.11 BPF maps count as locked memory.
pub const LOCKED: [u32; 2] = [64, 8192];

/// The only output.
const OUTPUT: &str = "word";

/// How a sidecar is started.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The hierarchy of its pod's cgroup.
    pub hierarchy: Hierarchy,
    /// A program and its arguments that start the sidecar: its command line follows.
    pub through: &'a [&'a str],
    /// Its capabilities, in the form of setpriv: each after a comma.
    pub capabilities: &'a str,
    /// The limits of its locked memory in KiB, soft and hard.
    pub locked: [u32; 2],
    /// Its own options.
    pub options: &'a [&'a str],
}

impl Start<'_> {
    /// The same without any capability.
    pub fn unprivileged(self) -> Self {
        Self {
            capabilities: "",
            ..self
        }
    }

    /// The same with `--watcher auto`.
    pub fn auto(self) -> Self {
        Self {
            options: &[],
            ..self
        }
    }
}

/// A pod with a sidecar at work in it.
pub struct GuestFixture {
    hierarchy: Hierarchy,
    directory: TempDir,
    pod: Pod,
    /// The sidecar.
    pub sidecar: Running,
}

impl GuestFixture {
    /// Starts a sidecar in a new pod and waits until it watches.
    pub fn start(start: Start<'_>) -> Result<Self> {
        let (directory, pod) = prepare(start.hierarchy)?;
        let sidecar = watching(&directory, &pod, start)?;
        Ok(Self {
            hierarchy: start.hierarchy,
            directory,
            pod,
            sidecar,
        })
    }

    /// Starts a sidecar that must refuse to watch, and must log all of these words.
    pub fn refused(start: Start<'_>, words: &[&str]) -> Result<()> {
        let (directory, pod) = prepare(start.hierarchy)?;
        let ended = binary::run(&mut sidecar(&directory, &pod, start)?);
        ensure!(ended.status.code() == Some(2), "{ended:?}");
        ended.assert_logged(words);
        Ok(())
    }

    /// Kills the sidecar, as the OOM killer does, and starts it again, as kubelet does.
    pub fn restart(self, start: Start<'_>) -> Result<Self> {
        self.sidecar.signal(rustix::process::Signal::KILL);
        let ended = self.sidecar.ended();
        ensure!(
            ended.status.code().is_none(),
            "it ended by itself: {ended:?}"
        );
        let sidecar = watching(&self.directory, &self.pod, start)?;
        Ok(Self { sidecar, ..self })
    }

    /// Starts a shell as main, in its output directory.
    pub fn main(&self, script: &str) -> Result<Running> {
        self.main_in("main", &[], script)
    }

    /// The same in the container of this name; `through` is a program that starts the shell.
    pub fn main_in(&self, container: &str, through: &[&str], script: &str) -> Result<Running> {
        let enter = self.pod.command(container, "/bin/sh")?;
        let words: Vec<&OsStr> = through
            .iter()
            .map(OsStr::new)
            .chain([enter.get_program()])
            .chain(enter.get_args())
            .collect();
        let mut command = Command::new(words[0]);
        binary::isolate(&mut command);
        command
            .args(&words[1..])
            .args(["-c", script])
            .current_dir(self.outputs());
        Ok(Running::start(&mut command))
    }

    /// Limits the memory of main's container to this number of bytes.
    pub fn limit_memory(&self, bytes: u64) -> Result<()> {
        let container = self.pod.container("main")?;
        let limit = match self.hierarchy {
            Hierarchy::Legacy => "memory.limit_in_bytes",
            Hierarchy::Unified => {
                let above: Vec<&Path> = container.ancestors().skip(1).take(3).collect();
                // A controller must be enabled level by level, from the top.
                for directory in above.into_iter().rev() {
                    fs::write(directory.join("cgroup.subtree_control"), "+memory")
                        .with_context(|| directory.display().to_string())?;
                }
                "memory.max"
            }
        };
        fs::write(container.join(limit), bytes.to_string())?;
        Ok(())
    }

    /// Main's output directory.
    pub fn outputs(&self) -> PathBuf {
        self.directory.path().join("outputs")
    }

    /// Waits for the sidecar's end and reads what it left.
    pub fn outcome(self) -> Result<Outcome> {
        let place = self.directory.path();
        let (results, timeline) = (place.join("store/data/out"), place.join("timeline.json"));
        Ok(Outcome::read(self.sidecar.ended(), &results, &timeline)?)
    }
}

fn prepare(hierarchy: Hierarchy) -> Result<(TempDir, Pod)> {
    let directory = tempfile::tempdir()?;
    for name in ["outputs", "store/data"] {
        fs::create_dir_all(directory.path().join(name))?;
    }
    Ok((directory, Pod::create_in(&hierarchy.mounts())?))
}

/// Starts a sidecar and waits until it watches.
fn watching(directory: &TempDir, pod: &Pod, start: Start<'_>) -> Result<Running> {
    let mut running = Running::start(&mut sidecar(directory, pod, start)?);
    // The log says so as well as the thread's name does, and the name may be that of the program which
    // starts the sidecar and stays its parent.
    binary::wait_until("the sidecar watches or has ended", || {
        running.has_said("watching") || !running.runs()
    });
    ensure!(running.runs(), "it does not watch: {:?}", running.ended());
    Ok(running)
}

fn sidecar(directory: &TempDir, pod: &Pod, start: Start<'_>) -> Result<Command> {
    let [soft, hard] = start.locked;
    let limits = format!(r#"ulimit -S -l {soft} && ulimit -H -l {hard} && exec "$@""#);
    let place = directory.path();
    let store = place.join("store").display().to_string();
    let interface = interface([(OUTPUT, simple(SimpleType::String))]);
    let mut command = pod.command("sidecar", "/bin/sh")?;
    binary::isolate(&mut command);
    command
        .args(["-c", &limits, "limits"])
        .args(start.through)
        .arg("/bin/setpriv")
        .arg(format!("--bounding-set=-all{}", start.capabilities))
        .args(["--inh-caps=-all", "--", COPILOT])
        .args(flags::stow("local", "data", &[("path", &store)]))
        .args(["sidecar", "--logger.level=4"])
        .args([
            "--to-output-prefix=file://data/out",
            "--to-raw-output=file://data/raw",
        ])
        .arg("--from-local-dir")
        .arg(place.join("outputs"))
        .arg("--interface")
        .arg(BASE64_STANDARD.encode(interface.encode_to_vec()))
        .arg("--timeline")
        .arg(place.join("timeline.json"))
        .args(start.options);
    Ok(command)
}
