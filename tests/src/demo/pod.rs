//! Where the demo plays: a pod as kubelet and a container runtime would make one, as far as our
//! rights go.
//!
//! As root each container has its own cgroup below the pod's, so the kernel's events can be used.
//! With or without, each has a mount namespace with kubelet's marks in it (the termination log, the
//! output volume), by which Copilot knows who is who. Where not even that is allowed, SIGTERM is
//! all that a sidecar gets, and the demo plays kubelet and sends it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};

use crate::namespace;
use crate::pod::Pod;
use crate::requirement::Requirement;

const SIDECAR: &str = "flyte-copilot-uploader";

/// As Flyte calls the main container of a pod task.
const MAIN: &str = "primary";

/// Enters the mount namespace's marks, then the cgroup, then becomes the program: so a container's
/// first process begins where a runtime lets it begin.
const CONTAINER: &str = r#"
mount --bind "$1" "$1" && mount --bind "$2" "$2" || exit 125
if [ -n "$3" ]; then echo $$ > "$3/cgroup.procs" || exit 125; fi
shift 3
exec "$@"
"#;

/// The same for a probe, which runs in its container's cgroup only.
const PROBE: &str = r#"
if [ -n "$1" ]; then echo $$ > "$1/cgroup.procs" || exit 125; fi
shift 1
exec "$@"
"#;

/// The demo's pod.
pub(super) struct DemoPod {
    pod: Option<Pod>,
    /// How a mount namespace is made here, if it can be.
    unshare: Option<Vec<&'static str>>,
    kubelet: PathBuf,
}

impl DemoPod {
    /// Builds the best one that our rights allow.
    pub(super) fn build(root: &Path) -> Result<Self> {
        let kubelet = root.join("kubelet/pods").join(uid());
        for name in [SIDECAR, MAIN] {
            fs::create_dir_all(kubelet.join("containers").join(name))?;
            fs::write(kubelet.join("containers").join(name).join("c0ffee00"), "")?;
        }
        let demo = Self {
            pod: Requirement::Cgroups
                .could_be_met()
                .then(Pod::create)
                .transpose()?,
            unshare: namespace::unshare(),
            kubelet,
        };
        fs::create_dir_all(demo.outputs())?;
        Ok(demo)
    }

    /// Main's output directory: a volume of the pod.
    pub(super) fn outputs(&self) -> PathBuf {
        self.kubelet
            .join("volumes/kubernetes.io~empty-dir/flyte-outputs")
    }

    /// In words.
    pub(super) fn describe(&self) -> String {
        match (&self.pod, &self.unshare) {
            (Some(pod), _) => format!("a pod of real cgroups, {}", pod.directory().display()),
            (None, Some(_)) => "containers told apart by their mounts only. Root (or CAP_BPF and \
                 CAP_PERFMON in a real pod) would add: cgroups, so the kernel tells main's end within \
                 microseconds, with its exit status, instead of a look every 100 ms without one"
                .to_owned(),
            (None, None) => "no containers at all: neither cgroups nor namespaces may be made here, \
                 so SIGTERM tells the sidecar that main is over. Root would add both, and with them \
                 the kernel's own word on how main ended"
                .to_owned(),
        }
    }

    /// The sidecar's container, about to run `copilot`; add its arguments.
    pub(super) fn sidecar(&self, copilot: &Path) -> Result<Command> {
        let mut command = self.container(SIDECAR)?;
        command.arg(copilot);
        Ok(command)
    }

    /// What the demo adds to the platform's arguments.
    pub(super) fn sidecar_arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--logger.level=3".to_owned()];
        if self.unshare.is_none() && self.pod.is_none() {
            arguments.push("--watcher=signal".to_owned());
        }
        arguments
    }

    /// Main's container; add program and arguments.
    pub(super) fn main(&self) -> Result<Command> {
        self.container(MAIN)
    }

    /// `copilot ready`, as kubelet runs a startup probe.
    pub(super) fn probe(&self, copilot: &Path) -> Result<Command> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", PROBE, "probe"]);
        command.arg(self.cgroup(SIDECAR)?).arg(copilot).arg("ready");
        Ok(command)
    }

    /// Main has ended: where the sidecar can see nobody, kubelet's SIGTERM comes now.
    pub(super) fn after_main(&self, sidecar: &Child) -> Result<()> {
        if self.pod.is_none()
            && self.unshare.is_none()
            && let Some(pid) = i32::try_from(sidecar.id()).ok().and_then(Pid::from_raw)
        {
            kill_process(pid, Signal::TERM)?;
        }
        Ok(())
    }

    fn container(&self, name: &str) -> Result<Command> {
        let Some(unshare) = &self.unshare else {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", PROBE, name]).arg(self.cgroup(name)?);
            return Ok(command);
        };
        let mut command = Command::new("unshare");
        command
            .args(unshare)
            .args(["/bin/sh", "-c", CONTAINER, name])
            .arg(self.kubelet.join("containers").join(name).join("c0ffee00"))
            .arg(self.outputs())
            .arg(self.cgroup(name)?);
        Ok(command)
    }

    fn cgroup(&self, name: &str) -> Result<PathBuf> {
        Ok(match &self.pod {
            Some(pod) => pod.container(name)?,
            None => PathBuf::new(),
        })
    }
}

/// The pod's uid. Where containers are told apart by their mounts only, two demos that run at once
/// would see each other's main if it were the same.
fn uid() -> String {
    format!("{:08x}-0f6b-4f52-9c68-3f1f5a2c0de0", std::process::id())
}
