//! The machine that a bench runs on, as the kernel describes it.

use std::fmt;
use std::fs;
use std::thread;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// A machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The kernel's name and release.
    kernel: String,
    /// The model of the CPUs; if the kernel does not tell it, their architecture.
    cpu: String,
    /// How many CPUs this process may use.
    cpus: usize,
    /// All memory in bytes.
    memory_bytes: u64,
}

impl Machine {
    /// This machine.
    pub fn this() -> Result<Self> {
        let name = rustix::system::uname();
        let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
        let memory = fs::read_to_string("/proc/meminfo")?;
        let kib = field(&memory, "MemTotal")
            .and_then(|value| value.split(' ').next()?.parse::<u64>().ok());
        Ok(Self {
            kernel: format!("{} {}", text(name.sysname()), text(name.release())),
            cpu: field(&fs::read_to_string("/proc/cpuinfo")?, "model name")
                .map_or_else(|| text(name.machine()), str::to_owned),
            cpus: thread::available_parallelism()?.get(),
            memory_bytes: kib.context("/proc/meminfo has no MemTotal")? << 10,
        })
    }
}

/// The first value of this name in a file of lines `name: value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim())
    })
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} × {}, {} GiB, {}",
            self.cpus,
            self.cpu,
            self.memory_bytes >> 30,
            self.kernel
        )
    }
}
