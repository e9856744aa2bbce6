//! What builds the binary for another processor: a C compiler with its static C library, and Rust's standard library.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{packages, say};
use crate::{architecture::Architecture, build::sysroot, command::execute};

const STEP: &str = "standard library for another processor";

/// Finds everything.
///
/// # Errors
/// What is missing, and what installs it.
pub fn find(architecture: Architecture) -> Result<()> {
    let packages = packages::missing_for_cross(architecture);
    let mut missing: Vec<String> = packages.into_iter().map(str::to_owned).collect();
    if !has_library(architecture)? {
        missing.push(format!(
            "Rust's standard library for {}",
            architecture.target()
        ));
    }
    ensure!(
        missing.is_empty(),
        "not installed: {}; `cargo xtask setup --cross {}` installs what is missing",
        missing.join(", "),
        architecture.name()
    );
    Ok(())
}

/// Finds everything, or installs it.
pub fn set_up(architecture: Architecture) -> Result<()> {
    packages::for_cross(architecture)?;
    let target = architecture.target();
    if !has_library(architecture)? {
        say(STEP, &format!("installing {target} with rustup"));
        execute(Command::new("rustup").args(["target", "add", &target]))
            .with_context(|| format!("install it yourself: rustup target add {target}"))?;
    }
    say(STEP, &format!("found {target}"));
    Ok(())
}

fn has_library(architecture: Architecture) -> Result<bool> {
    let installed = sysroot()?.join("lib/rustlib");
    Ok(installed.join(architecture.target()).join("lib").is_dir())
}
