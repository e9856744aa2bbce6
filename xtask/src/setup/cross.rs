//! What builds the binary for another processor: a C compiler with its static C library, and Rust's standard library.

use std::{path::Path, process::Command};

use anyhow::{Result, bail};

use super::{
    packages, say,
    toolchain::{BpfToolchain, NIGHTLY},
};
use crate::{
    architecture::Architecture,
    command::{execute, output},
};

const STEP: &str = "standard library for another processor";

/// How a build gets Rust's standard library for the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardLibrary {
    /// rustup has installed it.
    Installed,
    /// This toolchain builds it from its source.
    FromSource(&'static str),
}

/// Finds everything.
///
/// # Errors
/// What is missing, and what installs it.
pub fn find(architecture: Architecture) -> Result<StandardLibrary> {
    let library = library(architecture);
    let packages = packages::missing_for_cross(architecture);
    let mut missing: Vec<String> = packages.into_iter().map(str::to_owned).collect();
    if library.is_none() {
        missing.push(format!(
            "Rust's standard library for {}",
            architecture.target()
        ));
    }
    match library {
        Some(library) if missing.is_empty() => Ok(library),
        _ => bail!(
            "not installed: {}; `cargo xtask setup --cross {}` installs what is missing",
            missing.join(", "),
            architecture.name()
        ),
    }
}

/// Finds everything, or installs it.
pub fn set_up(architecture: Architecture) -> Result<StandardLibrary> {
    packages::for_cross(architecture)?;
    let target = architecture.target();
    if library(architecture) != Some(StandardLibrary::Installed) {
        say(STEP, "trying to install it with rustup");
        let mut rustup = Command::new("rustup");
        if let Err(error) = execute(rustup.args(["target", "add", &target])) {
            say(STEP, &format!("not installed: {error:#}"));
        }
    }
    match library(architecture) {
        Some(StandardLibrary::Installed) => say(STEP, &format!("found {target}")),
        Some(StandardLibrary::FromSource(toolchain)) => {
            say(STEP, &format!("{toolchain} builds it from its source"));
        }
        None => bail!(
            "no standard library of Rust for {target}, and none could be installed. Install one of:\n  \
             rustup target add {target}\n  \
             rustup toolchain install {NIGHTLY} --profile minimal --component rust-src"
        ),
    }
    find(architecture)
}

fn library(architecture: Architecture) -> Option<StandardLibrary> {
    let installed =
        output(Command::new("rustc").args(["--print", "sysroot"])).is_ok_and(|sysroot| {
            let rustlib = Path::new(sysroot.trim()).join("lib/rustlib");
            rustlib.join(architecture.target()).join("lib").is_dir()
        });
    if installed {
        return Some(StandardLibrary::Installed);
    }
    // The compiler of the BPF programs has its source.
    let has_source = BpfToolchain::find() == Some(BpfToolchain::Nightly);
    has_source.then_some(StandardLibrary::FromSource(NIGHTLY))
}
