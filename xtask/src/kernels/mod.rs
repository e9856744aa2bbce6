//! The tracker's core scenarios on other kernels: Debian's kernels, booted in emulated machines that
//! contain only our two programs.
//!
//! [`fetch`] gets a kernel, [`initramfs`] packs what the machine runs, [`machine`] boots it and reads
//! its console. The scenarios and their expected results are in the program `guest` of the tests'
//! crate.

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
    /// Versions: 5.10, 6.1, 6.12, newest [default: all].
    versions: Vec<String>,
}

/// A kernel to test, and the Debian suite that contains it.
#[derive(Clone, Copy, Debug)]
struct Kernel {
    version: &'static str,
    suite: &'static str,
    /// The values of `cgroups=` that it is booted with.
    hierarchies: &'static [&'static str],
}

/// The older ones are also tested with cgroup v1 only, which nodes of their age often use. Between
/// these two versions the kernel changed how it stores the ancestors of a cgroup.
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

/// Fetches the kernels, builds the programs, boots the machines and reports the results.
pub fn run(options: &Options) -> Result<()> {
    let kernels = chosen(&options.versions)?;
    if !cfg!(target_arch = "x86_64") {
        bail!("the emulated machines are x86-64 and run what is built here: use an x86-64 machine");
    }
    setup::for_kernels()?;
    let directory = target_directory().join("kernels");
    // Fetch first, since the archive may be out of reach and everything else needs the kernels.
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
    print!("{}", table::render(&outcomes));
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
            anyhow::anyhow!(
                "unknown kernel {version}; the known ones are {}",
                known.join(", ")
            )
        })
    };
    versions.iter().map(find).collect()
}

fn pack(directory: &std::path::Path) -> Result<PathBuf> {
    let copilot = build::under_test()?;
    let guest = build::program_of_tests("guest")?;
    initramfs::pack(&copilot, &guest, directory)
}
