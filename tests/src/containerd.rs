//! Debian's containerd, started for one test: it loads images and runs containers.
//!
//! It has a folder, a socket and a mount namespace of its own, and no network. What it mounts vanishes with it, and so
//! does what its shims leave in `/run/containerd`. Never here: kubelet's part, which [`crate::container::Sandbox`]
//! plays, and real nodes, which are in [`crate::kubelet`]. Called by the tests of the image.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::binary::{Ended, Running, run, wait_until};

/// The name of the product's image.
pub use crate::kubelet::image::COPILOT;

/// containerd's own kind of namespace, which keeps images and containers apart.
const NAMESPACE: &str = "copilot-test";

/// Starts containerd in the place of this shell, with a `/run/containerd` of its own.
const START: &str = "mkdir -p /run/containerd && mount -t tmpfs tmpfs /run/containerd && exec containerd --config \"$0\"";

/// The archive of the product's image: `COPILOT_IMAGE`, else the last one that was packed beside the running test.
///
/// # Panics
/// If it does not exist.
#[must_use]
pub fn archive() -> PathBuf {
    let named = env::var_os("COPILOT_IMAGE").map(PathBuf::from);
    let packed = || {
        let test = env::current_exe().ok()?;
        let mut candidates = test
            .ancestors()
            .map(|folder| folder.join("image/copilot.tar"));
        candidates.find(|candidate| candidate.is_file())
    };
    let found = named.filter(|path| path.is_file()).or_else(packed);
    found.expect(
        "the image is not packed: run `cargo xtask image`, or name its archive in COPILOT_IMAGE",
    )
}

/// What is missing to run it here, or `None`.
#[must_use]
pub fn obstacle() -> Option<&'static str> {
    let works = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let found = works("containerd") && works("ctr");
    (!found).then_some("containerd (cargo xtask setup --tests installs it)")
}

/// A running containerd.
#[derive(Debug)]
pub struct Containerd {
    daemon: Running,
    directory: tempfile::TempDir,
}

impl Containerd {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// Its files cannot be written.
    ///
    /// # Panics
    /// If it never answers.
    pub fn start() -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("copilot-containerd-")
            .tempdir()?;
        let config = directory.path().join("config.toml");
        fs::write(&config, configuration(directory.path()))?;
        let mut daemon = Command::new("unshare");
        daemon
            .args(["--mount", "--propagation", "private", "--"])
            .args(["/bin/sh", "-c", START])
            .arg(config);
        let started = Self {
            daemon: Running::start(&mut daemon),
            directory,
        };
        wait_until("containerd answers", || {
            let version = started.ctr(&["version"]).output();
            version.is_ok_and(|output| output.status.success())
        });
        Ok(started)
    }

    /// Loads an archive.
    ///
    /// # Panics
    /// If it cannot be loaded.
    pub fn import(&self, archive: &Path) {
        let archive = archive.to_string_lossy();
        self.succeed(&["images", "import", &archive]);
    }

    /// What `ctr images list` prints.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn images(&self) -> String {
        self.succeed(&["images", "list"])
    }

    /// Writes the root of an image, as a container gets it, into a directory.
    ///
    /// # Errors
    /// The directory cannot be made.
    ///
    /// # Panics
    /// If the image cannot be unpacked.
    pub fn unpack(&self, image: &str, to: &Path) -> io::Result<()> {
        let mounted = self.directory.path().join("mounted");
        fs::create_dir_all(&mounted)?;
        fs::create_dir_all(to)?;
        let mount_point = mounted.to_string_lossy();
        self.succeed(&["images", "mount", image, &mount_point]);
        let copied = run(self.inside("cp").arg("-a").arg(mounted.join(".")).arg(to));
        assert_eq!(copied.code(), 0, "{}", copied.stderr);
        self.succeed(&["images", "unmount", "--rm", &mount_point]);
        Ok(())
    }

    /// Runs a container of an image: this command, else the image's entry point. Its root is read-only, it has the
    /// network of this machine, and directories of it at places of the container. Waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    #[must_use]
    pub fn run(&self, image: &str, volumes: &[(&Path, &str)], command: &[String]) -> Ended {
        let id = new_id();
        // Like all cgroups of tests; no other container is below it.
        let cgroup = format!("copilot-test-containerd-{id}");
        let mut client = self.ctr(&["run", "--rm", "--read-only", "--net-host"]);
        client.args(["--cgroup", &format!("/{cgroup}/{id}")]);
        for (source, target) in volumes {
            let source = source.display();
            client.arg(format!(
                "--mount=type=bind,src={source},dst={target},options=rbind:rw"
            ));
        }
        let ended = run(client.args([image, &id]).args(command));
        crate::container::remove_cgroups(&cgroup);
        ended
    }

    /// Runs a container with the configuration of a bundle.
    #[must_use]
    pub fn start_bundle(&self, id: &str, bundle: &Path) -> Task<'_> {
        let mut command = self.ctr(&["run", "--rm", "--config"]);
        command.arg(bundle.join("config.json")).arg(id);
        Task {
            containerd: self,
            id: id.to_owned(),
            client: Some(Running::start(&mut command)),
        }
    }

    fn succeed(&self, words: &[&str]) -> String {
        let ended = run(&mut self.ctr(words));
        assert_eq!(ended.code(), 0, "ctr {words:?}: {}", ended.stderr);
        ended.stdout
    }

    /// containerd's own client.
    fn ctr(&self, words: &[&str]) -> Command {
        let mut command = self.inside("ctr");
        command
            .arg("--address")
            .arg(socket(self.directory.path()))
            .args(["--namespace", NAMESPACE])
            .args(words);
        command
    }

    /// A program in its mount namespace.
    fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--mount", "--target", &self.daemon.id().to_string()])
            .args(["--", program])
            .stdin(Stdio::null());
        command
    }
}

/// A container that containerd runs. When it is dropped, it is killed and removed.
#[derive(Debug)]
pub struct Task<'a> {
    containerd: &'a Containerd,
    id: String,
    /// Until it was waited for.
    client: Option<Running>,
}

impl Task<'_> {
    /// Waits until a command in the container, with its user and capabilities, succeeds, as kubelet asks a startup
    /// probe.
    ///
    /// # Panics
    /// If it never does.
    pub fn wait_for_probe(&self, command: &[&str]) {
        wait_until("the startup probe succeeds", || {
            let mut exec = self
                .containerd
                .ctr(&["tasks", "exec", "--exec-id", &new_id()]);
            let probed = exec.arg(&self.id).args(command).output();
            probed.is_ok_and(|output| output.status.success())
        });
    }

    /// Waits for its end. Its log is `stderr` of the result.
    ///
    /// # Panics
    /// If it does not end.
    #[must_use]
    pub fn wait(mut self) -> Ended {
        let client = self.client.take();
        client.expect("it is waited for once").ended()
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        if self.client.take().is_some() {
            let mut remove = self
                .containerd
                .ctr(&["tasks", "delete", "--force", &self.id]);
            // It may have ended, and been removed, in this moment.
            let _ = remove.output();
        }
    }
}

fn socket(directory: &Path) -> PathBuf {
    directory.join("containerd.sock")
}

fn configuration(directory: &Path) -> String {
    let socket = socket(directory);
    format!(
        r#"version = 2
root = "{here}/root"
state = "{here}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{here}/opt"
"#,
        here = directory.display(),
        socket = socket.display()
    )
}

fn new_id() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{count}", std::process::id())
}
