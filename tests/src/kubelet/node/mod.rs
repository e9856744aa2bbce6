//! A node: a mount namespace in which containerd and kubelet find everything as on a real machine.
//!
//! [`inside`] is the process in the namespace, [`view`] makes its mounts, [`config`] the configuration of
//! its programs, and [`end`] ends it. This file starts a node and controls it from outside: it reads
//! kubelet's read-only port and writes files. A node uses only its folder, loopback and its cgroups. This
//! module knows nothing about scenarios. Called by [`super::run`].

pub mod config;
pub mod end;
pub mod inside;
mod view;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::cluster::{self, Cluster};
use super::status::Status;
use crate::{binary, ports};

/// The socket of its container runtime.
pub const SOCKET: &str = "/run/containerd/containerd.sock";

/// The cgroup hierarchies that a node sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Cgroup v1 hierarchies with the controllers, and a cgroup2 tree in addition.
    Hybrid,
    /// One cgroup2 tree.
    V2,
}

impl Kind {
    /// Its name in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::V2 => "v2",
        }
    }
}

/// The cgroup driver of kubelet whose names the containers' cgroups have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupDriver {
    /// `kubepods/besteffort/pod<uid>/<id>`.
    Cgroupfs,
    /// `kubepods.slice/…-pod<uid>.slice/cri-containerd-<id>.scope`.
    Systemd,
}

impl CgroupDriver {
    /// Its name in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cgroupfs => "cgroupfs",
            Self::Systemd => "systemd",
        }
    }
}

/// The settings of a node.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its view of cgroups.
    pub kind: Kind,
    /// The names of its cgroups.
    pub names: CgroupDriver,
    /// Its folder.
    pub directory: PathBuf,
    /// The kubelet that it runs.
    pub kubelet: PathBuf,
    /// The folder of its containerd 2; without one it uses the machine's containerd 1.
    pub containerd: Option<PathBuf>,
    /// The folder of the programs of a control plane, if it has one.
    pub control_plane: Option<PathBuf>,
    /// The archives of its images.
    pub images: Vec<PathBuf>,
}

impl Plan {
    /// Whether its only cgroup2 tree lacks controllers, since the machine uses them in cgroup v1.
    fn is_bare(&self) -> bool {
        self.kind == Kind::V2 && has_v1()
    }

    /// Whether its API server, if it has one, caches changes of pods. Only one kind of node does, so that both
    /// settings are tested.
    #[must_use]
    pub fn caches_watches(&self) -> bool {
        self.kind == Kind::Hybrid
    }

    /// The node's name in Kubernetes.
    #[must_use]
    pub fn name(&self) -> String {
        format!("node-{}", self.kind.name())
    }
}

/// A node that runs; ends when dropped.
#[derive(Debug)]
pub struct Node {
    plan: Plan,
    process: Child,
    port: u16,
    /// Folders that were created on the machine as its mount points.
    made: Vec<PathBuf>,
    cluster: Option<Cluster>,
}

impl Node {
    /// Starts a node and waits until its kubelet answers.
    pub fn start(plan: Plan) -> Result<Self> {
        if plan.directory.exists() {
            fs::remove_dir_all(&plan.directory)
                .with_context(|| plan.directory.display().to_string())?;
        }
        for folder in ["bin", "pods", "manifests", "images"] {
            fs::create_dir_all(plan.directory.join(folder))?;
        }
        let mut ports = [0; 5];
        for port in &mut ports {
            *port = ports::free()?;
        }
        let [port, own, api, etcd, peer] = ports;
        let name = plan.name();
        let control = plan.control_plane.as_ref().map(|programs| {
            let folder = plan.directory.join("cluster");
            let cache = plan.caches_watches();
            cluster::prepare(&folder, programs, &name, cache, [api, etcd, peer])
        });
        let settings = json!({
            "name": name,
            "cluster": control.transpose()?,
            "directory": plan.directory,
            "kind": plan.kind.name(),
            "containerd": plan.containerd,
            "names": plan.names.name(),
            "read_only_port": port,
            "port": own,
            "bare": plan.is_bare(),
        });
        fs::write(plan.directory.join("node.json"), settings.to_string())?;
        binary::place(&plan.kubelet, &plan.directory.join("bin/kubelet"))?;
        binary::place(&std::env::current_exe()?, &plan.directory.join("bin/runc"))?;
        for image in &plan.images {
            let name = image.file_name().context("an archive has a name")?;
            binary::place(image, &plan.directory.join("images").join(name))?;
        }
        let made = make_places()?;
        let process = spawn(&plan)?;
        let mut node = Self {
            plan,
            process,
            port,
            made,
            cluster: None,
        };
        node.await_ready()?;
        if node.plan.control_plane.is_some() {
            let folder = node.plan.directory.join("cluster");
            node.cluster = Some(Cluster::join(&folder, api, &name)?);
        }
        Ok(node)
    }

    fn await_ready(&mut self) -> Result<()> {
        let stdout = self.process.stdout.take().context("its output is a pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(
            line.trim() == inside::READY,
            "the node does not come up: {}; its logs are in {}",
            line.trim(),
            self.plan.directory.display()
        );
        Ok(())
    }

    /// Its settings.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its folder on the machine.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.plan.directory
    }

    /// The status of its pods: from the API if it has one, since kubelet's own port then reports the same
    /// later.
    pub fn status(&self) -> Result<Status> {
        match &self.cluster {
            Some(cluster) => cluster.status(),
            None => Status::ask(self.port),
        }
    }

    /// Its control plane, if it has one.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// Creates a pod, through the API server if there is one, and returns its uid.
    pub fn place(&self, name: &str, pod: &Value) -> Result<String> {
        if let Some(cluster) = &self.cluster {
            return cluster.create_pod(pod);
        }
        let beside = self
            .plan
            .directory
            .join("pods")
            .join(format!("{name}.json"));
        fs::write(&beside, pod.to_string())?;
        fs::rename(beside, self.manifest(name))?;
        let uid = pod["metadata"]["uid"].as_str();
        Ok(uid.context("a static pod has a uid")?.to_owned())
    }

    /// Deletes a pod.
    pub fn remove(&self, name: &str) {
        if let Some(cluster) = &self.cluster {
            // The file may already be gone.
            let _ = cluster.delete_pod(name);
            let _ = cluster.delete_job(name);
        }
        let _ = fs::remove_file(self.manifest(name));
    }

    fn manifest(&self, name: &str) -> PathBuf {
        self.plan
            .directory
            .join("manifests")
            .join(format!("{name}.json"))
    }

    /// The command that runs a program in the node's mount and cgroup namespaces.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg("-t")
            .arg(self.process.id().to_string())
            .args(["-m", "-C", "--", program])
            .stdin(Stdio::null());
        command
    }

    /// The command of the container runtime's own client.
    #[must_use]
    pub fn ctr(&self, namespace: &str) -> Command {
        let own = self
            .plan
            .containerd
            .as_ref()
            .map(|folder| folder.join("ctr"));
        let program = own.unwrap_or_else(|| "ctr".into());
        let mut command = self.command(&program.to_string_lossy());
        command.args(["-a", SOCKET, "-n", namespace]);
        command
    }

    /// The first process of a running container.
    #[must_use]
    pub fn first_process(&self, container: &str) -> Option<i32> {
        let file = self
            .plan
            .directory
            .join("run-containerd/io.containerd.runtime.v2.task/k8s.io")
            .join(container)
            .join("init.pid");
        fs::read_to_string(file).ok()?.trim().parse().ok()
    }

    /// The inode number of a running container's cgroup: a sidecar that cannot read cgroup names uses it as
    /// the container's name.
    #[must_use]
    pub fn cgroup(&self, container: &str) -> Option<u64> {
        let pid = self.first_process(container)?;
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
        // The process may have ended; the parent's cgroup would be wrong.
        let own = path.contains(container);
        let directory = crate::pod::cgroup2_mount().filter(|_| own)?.join(path);
        Some(fs::metadata(directory).ok()?.ino())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // At the end of its standard input it ends everything that it has started.
        drop(self.process.stdin.take());
        if let Err(error) = self.process.wait() {
            eprintln!("kubelet: a node could not be waited for: {error}");
        }
        for place in self.made.iter().rev() {
            let _ = fs::remove_dir(place);
        }
    }
}

/// Creates the mount points of a node, and returns those that did not exist.
fn make_places() -> Result<Vec<PathBuf>> {
    let mut made = Vec::new();
    for (place, _) in view::PLACES {
        let mut missing: Vec<&Path> = Path::new(place)
            .ancestors()
            .take_while(|place| !place.exists())
            .collect();
        while let Some(place) = missing.pop() {
            fs::create_dir(place).with_context(|| place.display().to_string())?;
            made.push(place.to_owned());
        }
    }
    Ok(made)
}

fn spawn(plan: &Plan) -> Result<Child> {
    let log = fs::File::create(plan.directory.join("node.log"))?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    if plan.is_bare() {
        // The v1 hierarchies exist, too: in them a process without a cgroup is at the top.
        command.arg("--cgroup");
    }
    command
        .arg("--")
        .arg(std::env::current_exe()?)
        .arg("node")
        .arg(&plan.directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log);
    command.spawn().context("unshare")
}

/// Whether the machine has cgroup v1 hierarchies.
#[must_use]
pub fn has_v1() -> bool {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().any(|line| line.contains(" - cgroup "))
}
