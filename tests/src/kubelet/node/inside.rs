//! The process of a node: it makes the mounts, starts containerd and kubelet, adopts orphaned
//! processes, and ends everything at the end of its standard input, which also happens when the run
//! itself dies.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{WaitOptions, getpid, set_child_subreaper, setsid, wait};
use serde_json::Value;

use super::{SOCKET, config, end, view};
use crate::kubelet::cluster::control;
use crate::kubelet::status::Status;

/// The line that it prints when kubelet answers.
pub const READY: &str = "ready";

/// How long a program may take until it answers, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs the node in this folder.
pub fn run(directory: &Path) -> Result<()> {
    // Ctrl-C is meant for the run, which then ends this process.
    setsid()?;
    // Shims leave their parent and become children of this process.
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
    let here = directory.to_str().context("a folder has a name")?;
    fs::create_dir_all(directory.join("tmp"))?;
    let containerd = directory.join("containerd.toml");
    let own = settings["containerd"].as_str().map(Path::new);
    let programs = own.unwrap_or(Path::new(""));
    fs::write(
        &containerd,
        match own {
            Some(_) => config::containerd_2(here),
            None => config::containerd(here),
        },
    )?;
    let kubelet = directory.join("kubelet.json");
    fs::write(&kubelet, config::kubelet(here, settings).to_string())?;

    program(directory, &programs.join("containerd"))?
        .arg("--config")
        .arg(containerd)
        .spawn()
        .context("containerd")?;
    until("containerd answers", || {
        ctr(programs, &["version"]).is_ok_and(|status| status)
    })?;
    import(programs, &directory.join("images"))?;
    let mut kubelet_program = program(directory, &directory.join("bin/kubelet"))?;
    kubelet_program
        .arg("--config")
        .arg(kubelet)
        .arg("--root-dir")
        .arg(directory.join("kubelet"))
        .arg("--cert-dir")
        .arg(directory.join("pki"))
        .arg("--hostname-override")
        .arg(settings["name"].as_str().unwrap_or("node"))
        .args(["-v", "3"]);
    if settings["cluster"].is_object() {
        let networks = directory.join("cni/net.d");
        fs::create_dir_all(&networks)?;
        fs::write(
            networks.join("10-none.conflist"),
            config::network().to_string(),
        )?;
        control::start(directory, settings)?;
        kubelet_program
            .arg("--kubeconfig")
            .arg(directory.join("cluster/node.json"));
    }
    kubelet_program.spawn().context("kubelet")?;
    let port = settings["read_only_port"].as_u64();
    let port = port.and_then(|port| u16::try_from(port).ok());
    let port = port.context("a node has a port")?;
    until("kubelet answers", || Status::ask(port).is_ok())
}

/// Imports the images, for kubelet and for the load.
fn import(programs: &Path, images: &Path) -> Result<()> {
    for image in fs::read_dir(images)? {
        let image = image?.path();
        for namespace in ["k8s.io", crate::kubelet::load::NAMESPACE] {
            let path = image.to_string_lossy();
            let words = ["-n", namespace, "images", "import", &path];
            ensure!(ctr(programs, &words)?, "{path} cannot be imported");
        }
    }
    Ok(())
}

/// Starts a program of the node, with its own log file.
pub fn program(directory: &Path, path: &Path) -> Result<Command> {
    let name = path.file_name().context("a program has a name")?;
    let log = File::create(directory.join(name).with_extension("log"))?;
    let mut command = Command::new(path);
    command
        .env("TMPDIR", directory.join("tmp"))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

/// The command of the container runtime's own client, from the same folder.
fn ctr(programs: &Path, words: &[&str]) -> Result<bool> {
    let mut command = Command::new(programs.join("ctr"));
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
