//! The pod: its pause container, the files that kubelet keeps for it, and how its containers are made.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::cgroups;
use super::layout::Layout;
use super::network::Network;
use super::running::{Container, Runtime};
use super::spec::{Image, Spec, open_directory};

/// The pause container: it adopts the pod's orphans until SIGTERM.
const PAUSE: &str = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done";

/// Whether the pod's containers see each other's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pids {
    /// `shareProcessNamespace: true`: pause is pid 1 of all.
    Shared,
    /// A pid namespace each.
    Separate,
}

/// A running pod. Its containers borrow it, and it ends when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    pause: Pause,
    pids: Pids,
    network: Network,
    node: PodFiles,
}

/// The pause container.
#[derive(Debug)]
struct Pause {
    runtime: Runtime,
    pid: i32,
}

/// The pod's files and names on the node.
#[derive(Debug)]
struct PodFiles {
    directory: tempfile::TempDir,
    name: String,
    uid: String,
    sandbox: String,
    /// The top directory of its cgroups, without a slash.
    cgroup: String,
    /// Whether another pod made that directory, and will remove it.
    is_guest: bool,
    layout: Layout,
}

impl Sandbox {
    /// Starts a pod called `name`.
    pub fn start(name: &str, pids: Pids) -> io::Result<Self> {
        Self::start_on(Layout::default(), name, pids)
    }

    /// The same on a node with this layout of cgroups.
    pub fn start_on(layout: Layout, name: &str, pids: Pids) -> io::Result<Self> {
        // As in the shim of a runtime: the first processes of containers become children of this process,
        // which so learns how they end.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        Self::start_in(PodFiles::prepare(name, layout)?, pids)
    }

    /// Starts another pod on the same node, with cgroups in the same top directory. Drop it first.
    pub fn neighbour(&self, name: &str) -> io::Result<Self> {
        let mut node = PodFiles::prepare(name, self.node.layout)?;
        node.cgroup.clone_from(&self.node.cgroup);
        node.is_guest = true;
        Self::start_in(node, self.pids)
    }

    fn start_in(node: PodFiles, pids: Pids) -> io::Result<Self> {
        let (runtime, pid) = node.pause()?;
        let pause = Pause { runtime, pid };
        let network = Network::from_process(pid)?;
        Ok(Self {
            pause,
            pids,
            network,
            node,
        })
    }

    /// The pod's network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The pod's uid.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.node.uid
    }

    /// A directory of the node for the files of a test. It vanishes with the pod.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.node.directory.path()
    }

    /// The directory of a volume of the pod on the node. The first call makes it.
    pub fn volume(&self, name: &str) -> io::Result<PathBuf> {
        let volumes = self.node.kubelet().join("volumes/kubernetes.io~empty-dir");
        let path = volumes.join(name);
        open_directory(&path)?;
        Ok(path)
    }

    /// Makes a container. Its program waits for [`Container::start`].
    pub fn create(&self, spec: &Spec) -> io::Result<Container<'_>> {
        let id = new_id();
        let log = self.node.directory.path().join("logs").join(&id);
        fs::create_dir_all(log.parent().unwrap_or(&log))?;
        let runtime = self.prepare(spec, &id)?;
        let pid = runtime.create(&File::create(&log)?)?;
        Ok(Container::new(runtime, pid, log))
    }

    /// Prepares a container that another runtime makes. Returns its id, and the bundle: a folder with its
    /// configuration and root.
    pub fn bundle(&self, spec: &Spec) -> io::Result<(String, PathBuf)> {
        Ok(self.prepare(spec, &new_id())?.into_bundle())
    }

    fn prepare(&self, spec: &Spec, id: &str) -> io::Result<Runtime> {
        let spec = self.node.with_kubelet_mounts(spec.clone(), id)?;
        let mut namespaces: Vec<Value> = ["network", "ipc", "uts"]
            .iter()
            .map(|kind| self.shared_namespace(kind))
            .collect();
        namespaces.push(match self.pids {
            Pids::Shared => self.shared_namespace("pid"),
            Pids::Separate => json!({"type": "pid"}),
        });
        self.node.bundle(&spec, id, namespaces, None)
    }

    /// Makes a container and starts its program.
    pub fn run(&self, spec: &Spec) -> io::Result<Container<'_>> {
        let container = self.create(spec)?;
        container.start()?;
        Ok(container)
    }

    fn shared_namespace(&self, kind: &str) -> Value {
        let file = if kind == "network" { "net" } else { kind };
        json!({"type": kind, "path": format!("/proc/{}/ns/{file}", self.pause.pid)})
    }
}

impl PodFiles {
    fn prepare(name: &str, layout: Layout) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = tempfile::Builder::new().prefix("copilot-pod-").tempdir()?;
        let node = Self {
            directory,
            name: name.to_owned(),
            uid: format!("{:08x}-0000-4000-9000-{count:012x}", process::id()),
            sandbox: new_id(),
            cgroup: format!("copilot-test-runc-{}-{count}", process::id()),
            is_guest: false,
            layout,
        };
        // Every user of a container may enter its volumes.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(node.directory.path(), open)?;
        let files = node.sandbox_files();
        fs::create_dir_all(&files)?;
        fs::write(files.join("resolv.conf"), "nameserver 127.0.0.1\n")?;
        fs::write(files.join("hostname"), format!("{name}\n"))?;
        fs::create_dir_all(node.kubelet())?;
        fs::write(node.kubelet().join("etc-hosts"), "127.0.0.1 localhost\n")?;
        Ok(node)
    }

    fn pause(&self) -> io::Result<(Runtime, i32)> {
        let spec = Spec::script("pause", PAUSE)
            .user(65535)
            .mount(self.sandbox_files().join("resolv.conf"), "/etc/resolv.conf");
        let own = ["network", "ipc", "uts", "pid"];
        let namespaces = own.iter().map(|kind| json!({"type": kind})).collect();
        let runtime = self.bundle(&spec, &self.sandbox, namespaces, Some(&self.name))?;
        let log = self.directory.path().join("pause.log");
        let pid = runtime.create(&File::create(log)?)?;
        runtime.start()?;
        Ok((runtime, pid))
    }

    /// Kubelet's directory of the pod.
    fn kubelet(&self) -> PathBuf {
        self.directory.path().join("kubelet/pods").join(&self.uid)
    }

    fn sandbox_files(&self) -> PathBuf {
        self.directory.path().join("sandboxes").join(&self.sandbox)
    }

    fn with_kubelet_mounts(&self, spec: Spec, id: &str) -> io::Result<Spec> {
        if spec.bare {
            return Ok(spec);
        }
        let log = self.kubelet().join("containers").join(&spec.name);
        fs::create_dir_all(&log)?;
        let log = log.join(&id[..8]);
        fs::write(&log, "")?;
        let hosts = self.kubelet().join("etc-hosts");
        let files = self.sandbox_files();
        let mut spec = spec.mount(log, "/dev/termination-log");
        for (source, target) in [
            (hosts, "/etc/hosts"),
            (files.join("hostname"), "/etc/hostname"),
            (files.join("resolv.conf"), "/etc/resolv.conf"),
        ] {
            let taken = |(_, other): &(PathBuf, PathBuf)| other == Path::new(target);
            if !spec.mounts.iter().any(taken) {
                spec = spec.mount(source, target);
            }
        }
        Ok(spec)
    }

    /// Makes the bundle from which the runtime makes a container.
    fn bundle(
        &self,
        spec: &Spec,
        id: &str,
        namespaces: Vec<Value>,
        host_name: Option<&str>,
    ) -> io::Result<Runtime> {
        let bundle = self.directory.path().join("bundles").join(id);
        let root = bundle.join("rootfs");
        fs::create_dir_all(&root)?;
        spec.image.unpack(&root)?;
        let cgroup = self.layout.path(&self.cgroup, &self.uid, id);
        let config = spec.config(&root, &cgroup, namespaces, host_name);
        fs::write(bundle.join("config.json"), config.to_string())?;
        Ok(Runtime::new(self.directory.path(), bundle, id))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.pause.runtime.delete(self.pause.pid);
        if !self.node.is_guest {
            cgroups::remove(&self.node.cgroup);
        }
    }
}

/// An id in the form of a runtime's.
fn new_id() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // The beginning differs: the termination log uses only that.
    format!("{:08x}{:056x}", count ^ 0xC0FF_EE00, process::id())
}

/// Why the runtime cannot make containers here, or `None` if it can.
#[must_use]
pub fn obstacle() -> Option<&'static str> {
    let works = |command: &mut Command| {
        command
            .stdout(process::Stdio::null())
            .stderr(process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !works(Command::new("runc").arg("--version")) {
        return Some("runc (cargo xtask setup --tests installs it)");
    }
    if !Path::new(Image::BUSYBOX).is_file() {
        return Some("a static busybox (cargo xtask setup --tests installs it)");
    }
    let namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork"];
    let may_make = works(Command::new("unshare").args(namespaces).arg("true"));
    (!may_make).then_some("the right to make namespaces")
}
