//! The sidecar's own budget, kept by the kernel: half a CPU, 128 MiB with page cache counted. In cgroups
//! of version 2, or of version 1 where the controllers are still there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Bytes of memory.
const MEMORY: u64 = 128 << 20;
/// Microseconds of CPU in each period.
const QUOTA: u64 = 50_000;
/// The period.
const PERIOD: u64 = 100_000;

/// Where cgroups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";

/// The cgroups; removed when dropped.
#[derive(Debug)]
pub struct Budget {
    groups: Vec<PathBuf>,
    memory: PathBuf,
}

impl Budget {
    /// Makes the cgroups. `None` where we may not.
    pub fn set_up() -> Result<Option<Self>> {
        let name = format!("copilot-bench-{}", std::process::id());
        let mount = Path::new(MOUNT);
        if mount.join("memory").is_dir() {
            return Self::legacy(mount, &name);
        }
        let group = mount.join(name);
        // Unless somebody has done so already.
        let _ = fs::write(mount.join("cgroup.subtree_control"), "+cpu +memory");
        if fs::create_dir(&group).is_err() {
            return Ok(None);
        }
        let budget = Self {
            groups: vec![group.clone()],
            memory: group.clone(),
        };
        write(&group, "memory.max", &MEMORY.to_string())?;
        write(&group, "cpu.max", &format!("{QUOTA} {PERIOD}"))?;
        Ok(Some(budget))
    }

    fn legacy(mount: &Path, name: &str) -> Result<Option<Self>> {
        let memory = mount.join("memory").join(name);
        let cpu = mount.join("cpu").join(name);
        if fs::create_dir(&memory).is_err() {
            return Ok(None);
        }
        let budget = Self {
            groups: vec![memory.clone(), cpu.clone()],
            memory: memory.clone(),
        };
        fs::create_dir(&cpu).with_context(|| cpu.display().to_string())?;
        write(&memory, "memory.limit_in_bytes", &MEMORY.to_string())?;
        write(&cpu, "cpu.cfs_period_us", &PERIOD.to_string())?;
        write(&cpu, "cpu.cfs_quota_us", &QUOTA.to_string())?;
        Ok(Some(budget))
    }

    /// The cgroups that a process must enter.
    pub fn groups(&self) -> Vec<String> {
        let shown = |group: &PathBuf| group.display().to_string();
        self.groups.iter().map(shown).collect()
    }

    /// Drops the cache that the last run has left, so that each begins alike.
    pub fn forget_cache(&self) -> Result<()> {
        let legacy = self.memory.join("memory.force_empty");
        if legacy.exists() {
            return Ok(fs::write(legacy, "0")?);
        }
        // What cannot be reclaimed is no fault of ours; 5.19 has the file.
        let _ = fs::write(self.memory.join("memory.reclaim"), MEMORY.to_string());
        Ok(())
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        for group in &self.groups {
            let _ = fs::remove_dir(group);
        }
    }
}

fn write(group: &Path, file: &str, text: &str) -> Result<()> {
    let path = group.join(file);
    fs::write(&path, text).with_context(|| path.display().to_string())
}
