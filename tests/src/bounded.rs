//! A container's cgroup with limits on memory, page cache included, and on CPU time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binary;
use crate::pod::Pod;

/// The period of a CPU limit, in microseconds: the default of the kernel and of Kubernetes.
const PERIOD: u64 = 100_000;

/// A cgroup with limits; removed when dropped.
#[derive(Debug)]
pub struct Bounded {
    pod: Pod,
    hierarchy: Controllers,
    /// The cgroup's directory where memory is counted.
    memory: PathBuf,
}

/// Where memory and CPU time are counted on this machine.
#[derive(Clone, Debug)]
enum Controllers {
    /// Version 2: both in one.
    Unified(PathBuf),
    /// Version 1: each in its own.
    Split { memory: PathBuf, cpu: PathBuf },
}

/// Whether this machine has a writable hierarchy that counts memory.
#[must_use]
pub fn is_possible() -> bool {
    hierarchy().is_some_and(|hierarchy| {
        let mount = &hierarchy.mounts()[0];
        rustix::fs::access(mount, rustix::fs::Access::WRITE_OK).is_ok()
    })
}

impl Bounded {
    /// A cgroup that may use `memory` bytes and, if `cpu` is given, that many thousandths of a CPU.
    ///
    /// # Errors
    /// If the cgroup cannot be made here.
    pub fn create(memory: u64, cpu: Option<u64>) -> io::Result<Self> {
        let hierarchy = hierarchy().ok_or_else(|| io::Error::other("no cgroup counts memory"))?;
        let pod = Pod::create_in(&hierarchy.mounts())?;
        let directory = pod.container(NAME)?;
        let quota = cpu.map(|cpu| cpu * PERIOD / 1000);
        match &hierarchy {
            Controllers::Unified(mount) => {
                let above = directory.ancestors().skip(1);
                let above: Vec<&Path> = above.take_while(|path| path.starts_with(mount)).collect();
                for directory in above.into_iter().rev() {
                    let switches = directory.join("cgroup.subtree_control");
                    fs::write(switches, "+memory +cpu")?;
                }
                fs::write(directory.join("memory.max"), memory.to_string())?;
                if let Some(quota) = quota {
                    fs::write(directory.join("cpu.max"), format!("{quota} {PERIOD}"))?;
                }
            }
            Controllers::Split { memory: mount, cpu } => {
                let limit = directory.join("memory.limit_in_bytes");
                fs::write(limit, memory.to_string())?;
                if let (Some(quota), Ok(below)) = (quota, directory.strip_prefix(mount)) {
                    let limit = cpu.join(below).join("cpu.cfs_quota_us");
                    fs::write(limit, quota.to_string())?;
                }
            }
        }
        Ok(Self {
            pod,
            hierarchy,
            memory: directory,
        })
    }

    /// A command of Copilot that enters it. Add the arguments.
    ///
    /// # Errors
    /// If the cgroup is gone.
    pub fn copilot(&self) -> io::Result<Command> {
        self.command(&binary::path())
    }

    /// A command that enters it, kept away from every cloud. Add the program's arguments.
    ///
    /// # Errors
    /// If the cgroup is gone.
    pub fn command(&self, program: &Path) -> io::Result<Command> {
        let mut command = self.pod.command(NAME, program)?;
        binary::isolate(&mut command);
        Ok(command)
    }

    /// Makes the kernel drop the page cache that ended processes left in this cgroup.
    ///
    /// # Errors
    /// If the kernel refuses. Cache that cannot be dropped is not an error.
    pub fn forget_cache(&self) -> io::Result<()> {
        match self.hierarchy {
            // The write fails if less could be dropped. The file exists from 5.19 on.
            Controllers::Unified(_) => {
                let _ = fs::write(self.memory.join("memory.reclaim"), "1T");
                Ok(())
            }
            Controllers::Split { .. } => fs::write(self.memory.join("memory.force_empty"), "0"),
        }
    }

    /// How many of its processes the OOM killer has killed.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn kills(&self) -> io::Result<u64> {
        let file = match self.hierarchy {
            Controllers::Unified(_) => "memory.events",
            Controllers::Split { .. } => "memory.oom_control",
        };
        let text = fs::read_to_string(self.memory.join(file))?;
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        let count = line.and_then(|count| count.parse().ok());
        count.ok_or_else(|| io::Error::other(format!("{file} does not count kills")))
    }

    /// The peak of its memory in bytes, page cache included.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn peak(&self) -> io::Result<u64> {
        let file = match self.hierarchy {
            Controllers::Unified(_) => "memory.peak",
            Controllers::Split { .. } => "memory.max_usage_in_bytes",
        };
        let text = fs::read_to_string(self.memory.join(file))?;
        text.trim().parse().map_err(io::Error::other)
    }
}

/// The name of the container.
const NAME: &str = "bounded";

impl Controllers {
    fn mounts(&self) -> Vec<PathBuf> {
        match self {
            Self::Unified(mount) => vec![mount.clone()],
            Self::Split { memory, cpu } => vec![memory.clone(), cpu.clone()],
        }
    }
}

fn hierarchy() -> Option<Controllers> {
    let unified = crate::pod::cgroup2_mount().filter(|mount| {
        let controllers = fs::read_to_string(mount.join("cgroup.controllers"));
        controllers.is_ok_and(|names| names.split_whitespace().any(|name| name == "memory"))
    });
    if let Some(mount) = unified {
        return Some(Controllers::Unified(mount));
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let of = |controller: &str| {
        mounts.lines().find_map(|line| {
            let (mount, kind) = line.split_once(" - cgroup ")?;
            let options = kind.split_whitespace().last()?;
            let fields: Vec<&str> = mount.split(' ').collect();
            let is_it = options.split(',').any(|option| option == controller);
            (is_it && fields.get(3) == Some(&"/")).then(|| PathBuf::from(fields[4]))
        })
    };
    Some(Controllers::Split {
        memory: of("memory")?,
        cpu: of("cpu")?,
    })
}
