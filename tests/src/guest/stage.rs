//! A pod of real cgroups with the built sidecar in it, a directory between it and main, and a store
//! on disk.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{
    Literal, LiteralMap, Message as _, SimpleType, decode_error_document, decode_literal_map,
    primitive,
};
use serde_json::Value;
use tempfile::TempDir;

use super::COPILOT;
use super::init::Hierarchy;
use crate::binary::{self, Ended, Running};
use crate::pod::Pod;
use crate::task::{interface, simple};

/// What a pod's manifest asks for: these rights, and no other.
pub const RIGHTS: &str = ",+bpf,+perfmon";

/// Limits of locked memory in KiB, soft and hard: the old default of the kernel, which a program may
/// raise to the newer one. It binds BPF before Linux 5.11.
pub const LOCKED: [u32; 2] = [64, 8192];

/// The only output.
const OUTPUT: &str = "word";

/// How a sidecar is started.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// In which hierarchy its pod lies.
    pub hierarchy: Hierarchy,
    /// What it is started through: a program and its arguments, to which others are added.
    pub through: &'a [&'a str],
    /// Its capabilities, as setpriv takes them: each after a comma.
    pub rights: &'a str,
    /// The limits of its locked memory in KiB, soft and hard.
    pub locked: [u32; 2],
    /// Its own options.
    pub options: &'a [&'a str],
}

impl Start<'_> {
    /// The same without any right.
    pub fn powerless(self) -> Self {
        Self { rights: "", ..self }
    }

    /// The same, and it takes the best watcher that works.
    pub fn auto(self) -> Self {
        Self {
            options: &[],
            ..self
        }
    }
}

/// A pod with a sidecar at work in it.
pub struct Stage {
    hierarchy: Hierarchy,
    directory: TempDir,
    pod: Pod,
    /// The sidecar.
    pub sidecar: Running,
}

impl Stage {
    /// Starts a sidecar in a new pod and waits until it watches.
    pub fn set(start: Start<'_>) -> Result<Self> {
        let (directory, pod) = prepare(start.hierarchy)?;
        let sidecar = watching(&directory, &pod, start)?;
        Ok(Self {
            hierarchy: start.hierarchy,
            directory,
            pod,
            sidecar,
        })
    }

    /// Starts a sidecar that must refuse to watch, for a reason with these words.
    pub fn refused(start: Start<'_>, words: &[&str]) -> Result<()> {
        let (directory, pod) = prepare(start.hierarchy)?;
        let ended = binary::run(&mut sidecar(&directory, &pod, start)?);
        ensure!(ended.status.code() == Some(2), "{ended:?}");
        says(&ended, words)
    }

    /// Kills the sidecar, as the OOM killer may, and starts it again, as kubelet does.
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

    /// The same in a container of that name, which is entered through a program.
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

    /// Limits the memory of main's container to so many bytes.
    pub fn limit_memory(&self, bytes: u64) -> Result<()> {
        let container = self.pod.container("main")?;
        let limit = match self.hierarchy {
            Hierarchy::Legacy => "memory.limit_in_bytes",
            Hierarchy::Unified => {
                let above: Vec<&Path> = container.ancestors().skip(1).take(3).collect();
                // A controller comes down level by level.
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

    /// Waits for the sidecar's end.
    pub fn ended(self) -> Result<Outcome> {
        let ended = self.sidecar.ended();
        let read = |name: &str| fs::read(self.directory.path().join(name)).ok();
        let outputs = read("store/data/out/outputs.pb")
            .map(|bytes| decode_literal_map(bytes.as_slice()))
            .transpose()?;
        let document = read("store/data/out/error.pb")
            .map(|bytes| decode_error_document(bytes.as_slice()))
            .transpose()?;
        let timeline = read("timeline.json");
        Ok(Outcome {
            timeline: match timeline {
                Some(text) => serde_json::from_slice(&text)?,
                None => Value::Null,
            },
            code: document
                .and_then(|document| document.error)
                .map(|error| error.code),
            outputs,
            ended,
        })
    }
}

fn prepare(hierarchy: Hierarchy) -> Result<(TempDir, Pod)> {
    let directory = tempfile::tempdir()?;
    for name in ["outputs", "store/data"] {
        fs::create_dir_all(directory.path().join(name))?;
    }
    Ok((directory, Pod::create_in(&hierarchy.mounts())?))
}

/// Whether all of these words are in its log.
fn says(ended: &Ended, words: &[&str]) -> Result<()> {
    for word in words {
        ensure!(
            ended.stderr.contains(word),
            "{word:?} is not said: {}",
            ended.stderr
        );
    }
    Ok(())
}

/// Starts a sidecar and waits until it watches.
fn watching(directory: &TempDir, pod: &Pod, start: Start<'_>) -> Result<Running> {
    let mut running = Running::start(&mut sidecar(directory, pod, start)?);
    // A message of the log, not the thread's name: whoever it is started through may be its parent.
    binary::wait_until("the sidecar watches or has ended", || {
        running.has_said("watching") || !running.runs()
    });
    ensure!(running.runs(), "it does not watch: {:?}", running.ended());
    Ok(running)
}

fn sidecar(directory: &TempDir, pod: &Pod, start: Start<'_>) -> Result<Command> {
    let [soft, hard] = start.locked;
    let limits = format!(r#"ulimit -S -l {soft} && ulimit -H -l {hard} && exec "$@""#);
    let mut command = pod.command("sidecar", "/bin/sh")?;
    binary::isolate(&mut command);
    command
        .args(["-c", &limits, "limits"])
        .args(start.through)
        .arg("/bin/setpriv")
        .arg(format!("--bounding-set=-all{}", start.rights))
        .arg("--inh-caps=-all");
    let interface = interface([(OUTPUT, simple(SimpleType::String))]);
    command
        .args([
            "--",
            COPILOT,
            "--storage.type=stow",
            "--storage.stow.kind=local",
        ])
        .arg("--storage.container=data")
        .arg("--storage.stow.config")
        .arg(format!("path={}", directory.path().join("store").display()))
        .args(["sidecar", "--logger.level=4"])
        .args([
            "--to-output-prefix=file://data/out",
            "--to-raw-output=file://data/raw",
        ])
        .arg("--from-local-dir")
        .arg(directory.path().join("outputs"))
        .arg("--interface")
        .arg(BASE64_STANDARD.encode(interface.encode_to_vec()))
        .arg("--timeline")
        .arg(directory.path().join("timeline.json"))
        .args(start.options);
    Ok(command)
}

/// How the sidecar ended, and what is in the store then.
pub struct Outcome {
    /// Its end and its log.
    pub ended: Ended,
    timeline: Value,
    /// The code of the error document.
    code: Option<String>,
    outputs: Option<LiteralMap>,
}

impl Outcome {
    /// Which watcher saw what of main.
    pub fn seen(&self, watcher: &str, status: &str) -> Result<()> {
        let said = |name: &str| self.timeline[name].as_str().unwrap_or_default();
        ensure!(
            (said("watcher"), said("status")) == (watcher, status),
            "expected {status:?} by {watcher}, but {} saw {:?}\n{}",
            said("watcher"),
            said("status"),
            self.ended.stderr
        );
        Ok(())
    }

    /// All of these words are in its log.
    pub fn says(&self, words: &[&str]) -> Result<()> {
        says(&self.ended, words)
    }

    /// The outputs are committed, and no error document is there.
    pub fn committed(&self, word: &str) -> Result<()> {
        let log = &self.ended.stderr;
        ensure!(
            self.ended.status.code() == Some(0),
            "{}\n{log}",
            self.ended.status
        );
        ensure!(self.code.is_none(), "{:?}\n{log}", self.code);
        let literal = self
            .outputs
            .as_ref()
            .and_then(|map| map.literals.get(OUTPUT));
        let expected = Literal::from(primitive::Value::StringValue(word.to_owned()));
        ensure!(literal == Some(&expected), "{:?}\n{log}", self.outputs);
        Ok(())
    }

    /// Nothing is committed, and the error document has this code.
    pub fn reported(&self, code: &str) -> Result<()> {
        let log = &self.ended.stderr;
        ensure!(
            self.ended.status.code() == Some(1),
            "{}\n{log}",
            self.ended.status
        );
        ensure!(self.code.as_deref() == Some(code), "{:?}\n{log}", self.code);
        ensure!(self.outputs.is_none(), "{:?}\n{log}", self.outputs);
        Ok(())
    }
}
