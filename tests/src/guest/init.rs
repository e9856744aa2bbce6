//! The first process of the machine: it mounts file systems, starts the scenarios, adopts orphans, and
//! switches the machine off.
//!
//! The scenarios run in a child: if the first process crashed, the kernel would panic.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, WaitOptions, wait};
use rustix::system::{RebootCommand, reboot, uname};

use super::{PROGRAM, REPORT};

/// Where cgroup hierarchies are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Controllers of cgroup v1, each with a hierarchy of its own, as in the legacy layout of systemd.
const CONTROLLERS: &[&str] = &["memory", "pids", "cpu,cpuacct"];

/// The cgroup version of the machine: the value of `cgroups=` on the kernel's command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hierarchy {
    /// cgroup2 only.
    Unified,
    /// cgroup v1 only: a hierarchy for each controller.
    Legacy,
}

impl FromStr for Hierarchy {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "v2" => Ok(Self::Unified),
            "v1" => Ok(Self::Legacy),
            other => bail!("cgroups={other} on the kernel's command line: use v1 or v2"),
        }
    }
}

impl Hierarchy {
    /// The mount points of its hierarchies.
    #[must_use]
    pub fn mounts(self) -> Vec<std::path::PathBuf> {
        match self {
            Self::Unified => vec![CGROUPS.into()],
            Self::Legacy => CONTROLLERS
                .iter()
                .map(|controllers| Path::new(CGROUPS).join(controllers))
                .collect(),
        }
    }
}

/// Sets the machine up, runs the scenarios, and switches it off. Returns only if that fails.
///
/// # Errors
/// If the machine cannot be switched off.
pub fn run() -> Result<bool> {
    let kernel = uname();
    println!("{REPORT} kernel {}", kernel.release().to_string_lossy());
    if let Err(error) = set_up_and_run() {
        println!("{REPORT} fail setup\n{error:#}");
    }
    println!("{REPORT} done");
    reboot(RebootCommand::PowerOff).context("the machine cannot be switched off")?;
    Ok(false)
}

fn set_up_and_run() -> Result<()> {
    // The kernel passes words that it does not know as environment variables.
    let word = env::var("cgroups").context("the kernel's command line has no cgroups=")?;
    let hierarchy: Hierarchy = word.parse()?;
    for (kind, target) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("tmpfs", "/tmp"),
    ] {
        mount_at(kind, target, "")?;
    }
    match hierarchy {
        Hierarchy::Unified => mount_at("cgroup2", CGROUPS, "")?,
        Hierarchy::Legacy => {
            mount_at("tmpfs", CGROUPS, "")?;
            for controllers in CONTROLLERS {
                mount_at("cgroup", &format!("{CGROUPS}/{controllers}"), controllers)?;
            }
        }
    }
    // It keeps existing programs, and prints a message for each.
    Command::new("/bin/busybox")
        .args(["--install", "-s", "/bin"])
        .output()?;
    let scenarios = Command::new(PROGRAM).args(["scenarios", &word]).spawn()?;
    wait_for(&scenarios)
}

fn mount_at(kind: &str, target: &str, data: &str) -> Result<()> {
    fs::create_dir_all(target)?;
    let data = std::ffi::CString::new(data)?;
    mount(kind, target, kind, MountFlags::empty(), data.as_c_str())
        .with_context(|| format!("{kind} cannot be mounted at {target}"))
}

/// Adopts orphans until the scenarios have ended.
fn wait_for(scenarios: &Child) -> Result<()> {
    let wanted = i32::try_from(scenarios.id()).ok().and_then(Pid::from_raw);
    loop {
        let ended = wait(WaitOptions::empty())?;
        let Some((pid, status)) = ended.filter(|(pid, _)| Some(*pid) == wanted) else {
            continue;
        };
        return match status.exit_status() {
            Some(0 | 1) => Ok(()),
            _ => bail!("the scenarios ended without a result ({pid:?}: {status:?})"),
        };
    }
}
