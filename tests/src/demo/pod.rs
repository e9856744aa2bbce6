//! The demo's pod: like one that kubelet and a container runtime create, as far as our privileges
//! allow.
//!
//! As root each container has its own cgroup below the pod's, so the kernel's events can be used.
//! Root or not, each has a mount namespace with the mounts by which Copilot tells containers apart (the
//! termination log, the output volume). If not even that is allowed, the sidecar only gets SIGTERM,
//! which the demo sends in place of kubelet.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};

use crate::namespace;
use crate::pod::Pod;
use crate::requirement::Requirement;

const SIDECAR: &str = "flyte-copilot-uploader";

/// Flyte's name for the main container of a pod task.
const MAIN: &str = "primary";

/// Makes the mounts, enters the cgroup, then executes the program: so a container's first process
/// starts in the same state as under a container runtime.
const CONTAINER: &str = r#"
mount --bind "$1" "$1" && mount --bind "$2" "$2" || exit 125
if [ -n "$3" ]; then echo $$ > "$3/cgroup.procs" || exit 125; fi
shift 3
exec "$@"
"#;

/// The same for a probe, which only enters its container's cgroup.
const PROBE: &str = r#"
if [ -n "$1" ]; then echo $$ > "$1/cgroup.procs" || exit 125; fi
shift 1
exec "$@"
"#;

/// The demo's pod.
pub(super) struct DemoPod {
    pod: Option<Pod>,
    /// The options of `unshare` that make a mount namespace here, if that is possible.
    unshare: Option<Vec<&'static str>>,
    kubelet: PathBuf,
}

impl DemoPod {
    /// Creates the pod with all the isolation that our privileges allow.
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

    /// Describes the pod, for a person.
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

    /// The command that runs `copilot` in the sidecar's container; add its arguments.
    pub(super) fn sidecar(&self, copilot: &Path) -> Result<Command> {
        let mut command = self.container(SIDECAR)?;
        command.arg(copilot);
        Ok(command)
    }

    /// The arguments that the demo adds to those of the platform.
    pub(super) fn sidecar_arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--logger.level=3".to_owned()];
        if self.unshare.is_none() && self.pod.is_none() {
            arguments.push("--watcher=signal".to_owned());
        }
        arguments
    }

    /// The command that runs a program in main's container; add the program and its arguments.
    pub(super) fn main(&self) -> Result<Command> {
        self.container(MAIN)
    }

    /// How long main runs at least. Without the kernel's events the sidecar must find it in a scan of
    /// `/proc`, which can take seconds on a busy machine.
    pub(super) fn main_seconds(&self) -> u8 {
        if self.pod.is_some() { 1 } else { 5 }
    }

    /// `copilot ready`, as kubelet runs a startup probe.
    pub(super) fn probe(&self, copilot: &Path) -> Result<Command> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", PROBE, "probe"]);
        command.arg(self.cgroup(SIDECAR)?).arg(copilot).arg("ready");
        Ok(command)
    }

    /// Call this when main has ended: if the sidecar cannot see main, it gets SIGTERM, as from kubelet.
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

/// The pod's uid, different for each demo: where containers are told apart by their mounts only, two
/// demos with the same uid would see each other's main.
fn uid() -> String {
    format!("{:08x}-0f6b-4f52-9c68-3f1f5a2c0de0", std::process::id())
}
