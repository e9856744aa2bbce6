//! A complete task on real input: inputs are downloaded from an object store, a main process runs in
//! its own container of the pod, its outputs are uploaded.
//!
//! The object store is an S3 server in this process, over a directory. Everything else is real: the
//! built binary, cgroups (as root) or namespaces (otherwise), and the kernel.

mod data;
mod pod;
mod story;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use copilot::track::readiness;
use serde_json::Value;

use self::pod::DemoPod;
pub use self::story::Story;
use crate::s3::S3Server;

/// The bucket.
pub(crate) const BUCKET: &str = "flyte";

/// How long each step of the demo may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs the demo with a built binary.
pub fn run(copilot: &Path) -> Result<Story> {
    let copilot = fs::canonicalize(copilot).context("the binary is not there")?;
    let root = root()?;
    let store = root.join("store");
    fs::create_dir_all(store.join(BUCKET))?;
    let server = S3Server::start(&store)?;
    data::put(&server)?;
    let pod = DemoPod::build(&root)?;

    let inputs = root.join("inputs");
    let mut download = Command::new(&copilot);
    download
        .args(server.flags(BUCKET))
        .args(data::download_arguments(&inputs));
    succeed(&mut download)?;

    let timeline = root.join("timeline.json");
    let mut sidecar = pod.sidecar(&copilot)?;
    sidecar
        .args(server.flags(BUCKET))
        .args(data::sidecar_arguments(&pod.outputs()))
        .arg("--timeline")
        .arg(&timeline)
        .args(pod.sidecar_arguments());
    let mut sidecar = SidecarProcess(sidecar.spawn()?);
    wait_until_ready(&pod, &copilot, &mut sidecar)?;

    let mut main = pod.main()?;
    let main = main
        .args(data::main_arguments(
            &inputs,
            &pod.outputs(),
            pod.main_seconds(),
        ))
        .status()?;
    pod.after_main(&sidecar.0)?;
    let status = sidecar.wait()?;
    let timeline: Value = serde_json::from_slice(&fs::read(&timeline)?)?;
    Ok(Story {
        place: pod.describe(),
        main: main.to_string(),
        timeline,
        outputs: data::outputs(&server)?,
        exit_code: status.code(),
        root,
    })
}

/// Creates a directory for this run. Its files are kept, so that a person can look at them.
fn root() -> Result<PathBuf> {
    let root = tempfile::Builder::new().prefix("copilot-demo-").tempdir()?;
    // Main may run as another user.
    let mut permissions = fs::metadata(root.path())?.permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(root.path(), permissions)?;
    Ok(root.keep())
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if !status.success() {
        bail!("{} failed: {status}", command.get_program().display());
    }
    Ok(())
}

/// Waits as kubelet does with a startup probe: main starts only afterwards.
fn wait_until_ready(pod: &DemoPod, copilot: &Path, sidecar: &mut SidecarProcess) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = sidecar.0.try_wait()? {
            bail!("the sidecar ended before main began: {status}");
        }
        let mut probe = pod.probe(copilot)?;
        let probed = probe.stderr(std::process::Stdio::null()).status()?;
        // Without cgroups of its own a probe also finds the sidecars of others on this machine.
        if probed.success() && is_ready(&sidecar.0) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("the sidecar attached no watcher")
}

/// Whether this sidecar's main thread has the name that `copilot ready` looks for.
fn is_ready(sidecar: &Child) -> bool {
    fs::read(format!("/proc/{}/comm", sidecar.id()))
        .is_ok_and(|name| name.trim_ascii_end() == readiness::NAME.to_bytes())
}

/// The sidecar's process; killed when dropped.
struct SidecarProcess(Child);

impl SidecarProcess {
    fn wait(&mut self) -> Result<std::process::ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("the sidecar does not end")
    }
}

impl Drop for SidecarProcess {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
