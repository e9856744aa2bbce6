//! The tracker's core scenarios on other kernels: Debian's, fetched, booted in emulated machines that
//! hold nothing but our two programs.
//!
//! [`fetch`] gets a kernel, [`initramfs`] packs what the machine runs, [`machine`] boots it and reads
//! its console. What is played there, and what must come out, is the program `guest` of the tests'
//! crate. Called by the verb; nothing here knows a scenario.

mod fetch;
mod initramfs;
mod machine;
mod table;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use self::machine::Outcome;
use crate::{build, command::target_directory, setup};

/// Which kernels.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Versions: 5.10, 6.1, 6.12, newest; all if none is given.
    versions: Vec<String>,
}

/// A kernel that is tried, and where Debian has it.
#[derive(Clone, Copy, Debug)]
struct Kernel {
    version: &'static str,
    suite: &'static str,
    /// The values of `cgroups=` with which it is booted.
    hierarchies: &'static [&'static str],
}

/// The older ones are also tried with cgroup v1 only, as nodes of their age are found; between the
/// two the kernel began to keep the ancestors of a cgroup in another way.
const KERNELS: &[Kernel] = &[
    Kernel {
        version: "5.10",
        suite: "bullseye",
        hierarchies: &["v2", "v1"],
    },
    Kernel {
        version: "6.1",
        suite: "bookworm",
        hierarchies: &["v2", "v1"],
    },
    Kernel {
        version: "6.12",
        suite: "trixie",
        hierarchies: &["v2"],
    },
    Kernel {
        version: "newest",
        suite: "sid",
        hierarchies: &["v2"],
    },
];

/// Fetches, builds, boots, reports.
pub fn run(options: &Options) -> Result<()> {
    let kernels = chosen(&options.versions)?;
    if !cfg!(target_arch = "x86_64") {
        bail!("the machines are x86-64 and run what is built here: build on such a machine");
    }
    setup::for_kernels()?;
    let directory = target_directory().join("kernels");
    // First what may be out of reach: nothing else is of use without it.
    let mut images = Vec::new();
    for kernel in &kernels {
        images.push(fetch::image(kernel, &directory.join(kernel.version))?);
    }
    let initramfs = pack(&directory)?;
    let mut outcomes = Vec::new();
    for (kernel, image) in kernels.iter().zip(&images) {
        for hierarchy in kernel.hierarchies {
            let name = format!("{} {hierarchy}", kernel.version);
            let log = directory.join(format!("{}-{hierarchy}.log", kernel.version));
            let outcome = machine::boot(name, image, &initramfs, hierarchy, &log)?;
            eprint!("{}", table::failures(&outcome));
            outcomes.push(outcome);
        }
    }
    print!("{}", table::of(&outcomes));
    if !outcomes.iter().all(Outcome::is_good) {
        bail!(
            "not all scenarios passed; the consoles are in {}",
            directory.display()
        );
    }
    Ok(())
}

fn chosen(versions: &[String]) -> Result<Vec<Kernel>> {
    if versions.is_empty() {
        return Ok(KERNELS.to_vec());
    }
    let find = |version: &String| {
        let found = KERNELS.iter().find(|kernel| kernel.version == version);
        found.copied().ok_or_else(|| {
            let known: Vec<&str> = KERNELS.iter().map(|kernel| kernel.version).collect();
            anyhow::anyhow!("no kernel {version}: there are {}", known.join(", "))
        })
    };
    versions.iter().map(find).collect()
}

fn pack(directory: &std::path::Path) -> Result<PathBuf> {
    let copilot = build::under_test()?;
    let guest = build::program_of_tests("guest")?;
    initramfs::pack(&copilot, &guest, directory)
}
