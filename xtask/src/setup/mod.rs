//! What building and testing need: found, or else installed.
//!
//! Each step says what it took. Where it may not install (no root, no network), it says exactly
//! what a person must.

mod compiler;
mod emulators;
mod linker;
mod packages;
mod peers;
mod python;

#[path = "../../../copilot/build/toolchain.rs"]
mod toolchain;

pub use emulators::go;

use anyhow::Result;
use clap::Args;

/// What to set up.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args, Clone, Copy, Debug)]
pub struct Options {
    /// Also what the tests need: a container runtime and the like.
    #[arg(long)]
    tests: bool,
    /// Also what booting other kernels needs: an emulator.
    #[arg(long)]
    kernels: bool,
    /// Also what nodes of a real kubelet need: a container runtime.
    #[arg(long)]
    kubelet: bool,
    /// Also what the benches measure ours beside.
    #[arg(long)]
    benches: bool,
}

/// Sets up.
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
    if options.benches {
        for_benches();
    }
    Ok(())
}

/// What a build needs.
pub fn for_building() -> Result<()> {
    packages::for_building()?;
    compiler::set_up()?;
    linker::set_up()
}

/// What the tests need beyond that.
pub fn for_testing() -> Result<()> {
    packages::for_testing()?;
    python::set_up();
    emulators::set_up();
    Ok(())
}

/// What booting other kernels needs.
pub fn for_kernels() -> Result<()> {
    packages::for_kernels()
}

/// What nodes of a real kubelet need.
pub fn for_kubelet() -> Result<()> {
    packages::for_kubelet()
}

/// What a control plane of our own needs.
pub fn for_cluster() -> Result<()> {
    packages::for_cluster()
}

/// What the benches measure ours beside, and the server that all of them meet.
pub fn for_benches() {
    emulators::set_up();
    peers::set_up();
}

/// Says what a step found or did.
fn say(step: &str, what: &str) {
    eprintln!("setup: {step}: {what}");
}
