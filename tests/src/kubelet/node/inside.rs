//! The process that holds a node: it lays out the mounts, starts containerd and kubelet, takes in
//! orphans, and ends everything when its standard input ends, which also tells it that the run has
//! died.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{WaitOptions, getpid, set_child_subreaper, setsid, wait};
use serde_json::Value;

use super::{HERE, SOCKET, config, end, view};
use crate::kubelet::status::Status;

/// What it prints once kubelet answers.
pub const READY: &str = "ready";

/// How long a program may take to answer, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Holds the node whose folder this is.
pub fn run(directory: &Path) -> Result<()> {
    // A key press is meant for the run, which ends us in order.
    setsid()?;
    // Shims leave their parent: they become children of ours.
    set_child_subreaper(Some(getpid()))?;
    let settings: Value = serde_json::from_slice(&fs::read(directory.join("node.json"))?)?;
    let started = start(directory, &settings);
    match &started {
        Ok(()) => println!("{READY}"),
        Err(error) => println!("{}", format!("{error:#}").replace('\n', " ")),
    }
    io::stdout().flush()?;
    if started.is_ok() {
        thread::spawn(take_in_orphans);
        let _ = io::stdin().read_to_end(&mut Vec::new());
    }
    end::end();
    started
}

fn start(directory: &Path, settings: &Value) -> Result<()> {
    view::prepare(directory, settings)?;
    fs::create_dir_all(format!("{HERE}/tmp"))?;
    fs::write(format!("{HERE}/containerd.toml"), config::containerd())?;
    let kubelet = config::kubelet(settings);
    fs::write(format!("{HERE}/kubelet.json"), kubelet.to_string())?;
    program("containerd", "containerd")?
        .args(["--config", &format!("{HERE}/containerd.toml")])
        .spawn()
        .context("containerd")?;
    until("containerd answers", || {
        ctr(&["version"]).is_ok_and(|status| status)
    })?;
    for image in fs::read_dir(format!("{HERE}/images"))? {
        let image = image?.path();
        for namespace in ["k8s.io", crate::kubelet::load::NAMESPACE] {
            let path = image.to_string_lossy();
            let words = ["-n", namespace, "images", "import", &path];
            ensure!(ctr(&words)?, "{path} cannot be imported");
        }
    }
    program(&format!("{HERE}/bin/kubelet"), "kubelet")?
        .args(["--config", &format!("{HERE}/kubelet.json")])
        .args(["--root-dir", "/var/lib/kubelet", "--cert-dir"])
        .arg(format!("{HERE}/pki"))
        .arg("--hostname-override")
        .arg(format!(
            "node-{}",
            settings["kind"].as_str().unwrap_or_default()
        ))
        .args(["-v", "3"])
        .spawn()
        .context("kubelet")?;
    let port = settings["read_only_port"]
        .as_u64()
        .and_then(|port| u16::try_from(port).ok());
    let port = port.context("a node has a port")?;
    until("kubelet answers", || Status::ask(port).is_ok())
}

/// A program of the node, with a log of its own.
fn program(path: &str, name: &str) -> Result<Command> {
    let log = File::create(format!("{HERE}/{name}.log"))?;
    let mut command = Command::new(path);
    command
        .env("TMPDIR", format!("{HERE}/tmp"))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

fn ctr(words: &[&str]) -> Result<bool> {
    let mut command = Command::new("ctr");
    command.args(["-a", SOCKET]).args(words);
    let output = command.stdin(Stdio::null()).output().context("ctr")?;
    if !output.status.success() {
        eprintln!("ctr {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.status.success())
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > PATIENCE {
            bail!("never: {what}");
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn take_in_orphans() {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(_) => {}
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}
