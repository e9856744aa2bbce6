//! The description of a container: image, program, capabilities, mounts. And the runtime's configuration
//! for it, in the form that containerd writes for Kubernetes.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::binary;

/// The content of a container's root file system.
#[derive(Clone, Debug)]
pub enum Image {
    /// The static binary under test, under both its names, and nothing else.
    Copilot(PathBuf),
    /// Busybox: for pause and main.
    Busybox,
    /// A copy of this directory, into which a runtime has unpacked an image.
    Unpacked(PathBuf),
}

impl Image {
    /// The static busybox of Debian's package.
    pub const BUSYBOX: &str = "/bin/busybox";

    /// Writes the image to `root`.
    pub(super) fn unpack(&self, root: &Path) -> io::Result<()> {
        let programs = root.join("bin");
        match self {
            Self::Unpacked(source) => copy_tree(source, root),
            Self::Copilot(program) => {
                fs::create_dir_all(&programs)?;
                binary::place(program, &programs.join("copilot"))?;
                symlink("copilot", programs.join("flyte-copilot"))
            }
            Self::Busybox => {
                fs::create_dir_all(&programs)?;
                binary::place(Path::new(Self::BUSYBOX), &programs.join("busybox"))?;
                ["grep", "md5sum", "sh", "sleep", "true"]
                    .iter()
                    .try_for_each(|name| symlink("busybox", programs.join(name)))
            }
        }
    }
}

/// The description of a container.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(super) name: String,
    pub(super) image: Image,
    program: Vec<String>,
    environment: Vec<String>,
    user: u32,
    capabilities: Vec<String>,
    pub(super) mounts: Vec<(PathBuf, PathBuf)>,
    private_cgroups: bool,
    /// Whether `/proc` hides the processes of other users.
    hides_processes: bool,
    /// In bytes.
    memory: Option<u64>,
    /// Whether the mounts that kubelet adds to each container are left out.
    pub(super) bare: bool,
}

impl Spec {
    /// A container of this image and program: uid 0 without any capability.
    #[must_use]
    pub fn new<S: Into<String>>(
        name: &str,
        image: Image,
        program: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            image,
            program: program.into_iter().map(Into::into).collect(),
            environment: vec!["PATH=/bin".to_owned()],
            user: 0,
            capabilities: Vec::new(),
            mounts: Vec::new(),
            private_cgroups: false,
            hides_processes: false,
            memory: None,
            bare: false,
        }
    }

    /// A container that runs a shell script with busybox.
    #[must_use]
    pub fn script(name: &str, script: &str) -> Self {
        Self::new(name, Image::Busybox, ["/bin/sh", "-c", script])
    }

    /// Gives it another name.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Takes another image.
    #[must_use]
    pub fn image(mut self, image: Image) -> Self {
        self.image = image;
        self
    }

    /// Adds an argument of the program.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.program.push(argument.to_owned());
        self
    }

    /// Runs as this user and group.
    #[must_use]
    pub fn user(mut self, id: u32) -> Self {
        self.user = id;
        self
    }

    /// Adds a variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push(format!("{name}={value}"));
        self
    }

    /// Adds capabilities, such as `BPF`.
    #[must_use]
    pub fn capabilities(mut self, names: &[&str]) -> Self {
        let names = names.iter().map(|name| format!("CAP_{name}"));
        self.capabilities.extend(names);
        self
    }

    /// Mounts a file or directory of the node, such as a volume.
    #[must_use]
    pub fn mount(mut self, source: impl Into<PathBuf>, target: &str) -> Self {
        self.mounts.push((source.into(), target.into()));
        self
    }

    /// Gives it a cgroup namespace of its own, as runtimes do on nodes with cgroup v2 only.
    #[must_use]
    pub fn private_cgroups(mut self) -> Self {
        self.private_cgroups = true;
        self
    }

    /// Mounts a `/proc` that shows it no process of another user.
    #[must_use]
    pub fn hidden_processes(mut self) -> Self {
        self.hides_processes = true;
        self
    }

    /// Limits its memory to this number of bytes, swap included.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// Leaves out the mounts that kubelet adds to each container: the root holds only the image, and what
    /// every runtime mounts.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// The runtime's configuration. `namespaces` are all but the mount and cgroup namespaces.
    pub(super) fn config(
        &self,
        root: &Path,
        cgroup: &str,
        mut namespaces: Vec<Value>,
        host_name: Option<&str>,
    ) -> Value {
        namespaces.push(json!({"type": "mount"}));
        if self.private_cgroups {
            namespaces.push(json!({"type": "cgroup"}));
        }
        // Without `rlimits` and `oomScoreAdj`: to raise them takes privileges that a test may not have.
        let mut config = json!({
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": self.user, "gid": self.user},
                "args": self.program,
                "env": self.environment,
                "cwd": "/",
                "noNewPrivileges": true,
                "capabilities": {
                    "bounding": self.capabilities,
                    "effective": self.capabilities,
                    "permitted": self.capabilities,
                },
            },
            "root": {"path": root, "readonly": true},
            "mounts": self.all_mounts(),
            "linux": {
                "cgroupsPath": cgroup,
                "namespaces": namespaces,
                "resources": {"devices": [{"allow": false, "access": "rwm"}]},
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
            },
        });
        if let Some(bytes) = self.memory {
            config["linux"]["resources"]["memory"] = json!({"limit": bytes, "swap": bytes});
        }
        if let Some(name) = host_name {
            config["hostname"] = name.into();
        }
        config
    }

    fn all_mounts(&self) -> Vec<Value> {
        let proc = if self.hides_processes {
            &["nosuid", "noexec", "nodev", "hidepid=2"][..]
        } else {
            &["nosuid", "noexec", "nodev"]
        };
        let system = [
            ("/proc", "proc", proc),
            ("/dev", "tmpfs", &["nosuid", "mode=755", "size=65536k"]),
            ("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev"]),
            ("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
            (
                "/sys/fs/cgroup",
                "cgroup",
                &["nosuid", "noexec", "nodev", "ro"],
            ),
        ];
        let system = system.iter().map(|(target, kind, options)| {
            json!({"destination": target, "type": kind, "source": kind, "options": options})
        });
        let bound = self.mounts.iter().map(|(source, target)| {
            json!({
                "destination": target,
                "type": "bind",
                "source": source,
                "options": ["rbind", "rprivate", "rw"],
            })
        });
        system.chain(bound).collect()
    }
}

/// Copies what is in a directory, with links, modes and owners.
fn copy_tree(source: &Path, target: &Path) -> io::Result<()> {
    let mut copy = Command::new("cp");
    let status = copy.arg("-a").arg(source.join(".")).arg(target).status()?;
    if status.success() {
        return Ok(());
    }
    let paths = format!("{} to {}", source.display(), target.display());
    Err(io::Error::other(format!("cp -a {paths}: {status}")))
}

/// Makes a directory that every user may write to, as kubelet makes an `emptyDir`.
pub(super) fn open_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o777))
}
