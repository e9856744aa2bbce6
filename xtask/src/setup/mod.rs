//! Finds what building and testing need, and installs what is missing.
//!
//! Each step says what it uses. Where it cannot install something (without root, without a network),
//! it says exactly what a person has to install.

mod compiler;
mod cross;
mod emulators;
mod linker;
mod packages;
mod peers;
mod python;

#[path = "../../../copilot/build/toolchain.rs"]
mod toolchain;

pub use cross::{find as find_cross, set_up as for_cross};
pub use emulators::go;

use anyhow::Result;
use clap::Args;

use crate::architecture::Architecture;

/// What to set up.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args, Clone, Copy, Debug)]
pub struct Options {
    /// Also sets up what the tests need: a container runtime, Python libraries, object stores.
    #[arg(long)]
    tests: bool,
    /// Also sets up what booting other kernels needs: an emulator.
    #[arg(long)]
    kernels: bool,
    /// Also sets up what nodes with a real kubelet need: a container runtime.
    #[arg(long)]
    kubelet: bool,
    /// Also sets up what builds the binary for this other processor.
    #[arg(long, value_name = "PROCESSOR")]
    cross: Option<Architecture>,
    /// Also sets up the tools that the benches compare Copilot with.
    #[arg(long)]
    benches: bool,
}

/// Sets up what the options ask for.
pub fn run(options: Options) -> Result<()> {
    for_building()?;
    if options.tests {
        for_testing()?;
    }
    if options.kernels {
        for_kernels()?;
    }
    if options.kubelet {
        for_kubelet()?;
    }
    if let Some(architecture) = options.cross {
        for_cross(architecture)?;
    }
    if options.benches {
        for_benches();
    }
    Ok(())
}

/// Sets up what a build needs.
pub fn for_building() -> Result<()> {
    packages::for_building()?;
    compiler::set_up()?;
    linker::set_up()
}

/// Sets up what the tests need in addition.
pub fn for_testing() -> Result<()> {
    packages::for_testing()?;
    python::set_up();
    emulators::set_up();
    // The tests run a small part of each bench.
    peers::set_up();
    Ok(())
}

/// Sets up what booting other kernels needs.
pub fn for_kernels() -> Result<()> {
    packages::for_kernels()
}

/// Sets up what nodes with a real kubelet need.
pub fn for_kubelet() -> Result<()> {
    packages::for_kubelet()
}

/// Sets up what a control plane needs.
pub fn for_cluster() -> Result<()> {
    packages::for_cluster()
}

/// Sets up the tools that the benches compare Copilot with, and the server that all of them use.
pub fn for_benches() {
    emulators::set_up();
    peers::set_up();
}

/// Says what a step found or did.
fn say(step: &str, what: &str) {
    eprintln!("setup: {step}: {what}");
}
