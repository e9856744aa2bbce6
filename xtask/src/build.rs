//! The optimised binary: one static file that runs in an empty image.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{
    command::{cargo, execute, target_directory},
    setup,
};

/// How to build.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Options {
    /// Builds without eBPF.
    #[arg(long)]
    no_ebpf: bool,
    /// Builds with the feature `otlp`: a run's spans go to a collector.
    #[arg(long)]
    otlp: bool,
}

/// Sets up, builds, and prints the path of the binary.
pub fn run(options: Options) -> Result<()> {
    let binary = release(options)?;
    println!("{}", binary.display());
    Ok(())
}

/// The binary runs in an empty image, so it is static. It is small: packed relocations (glibc 2.36) take
/// 10 KB instead of 370 KB, and code that aborts needs no tables for unwinding (350 KB).
const RUSTFLAGS: &str = "-C target-feature=+crt-static -C force-unwind-tables=no \
                         -C link-arg=-Wl,-z,pack-relative-relocs";

/// The environment variable with the path of the binary under test. Without it the binary is built.
const BINARY: &str = "COPILOT_BINARY";

/// Returns the path of the binary under test: the one that is named, or one that is built now.
pub fn under_test() -> Result<PathBuf> {
    match std::env::var_os(BINARY) {
        Some(path) => Ok(path.into()),
        None => release(Options::default()),
    }
}

/// Builds a program of the tests' crate, and returns its path.
pub fn program_of_tests(name: &str) -> Result<PathBuf> {
    let package = ["build", "--locked", "--package", "copilot-tests"];
    execute(cargo().args(package).args(["--bin", name]))?;
    Ok(target_directory().join("debug").join(name))
}

/// Sets up, builds, and returns the path of the binary.
pub fn release(options: Options) -> Result<PathBuf> {
    let target = target_directory();
    let binary = target.join("release/copilot");
    if !may_write(&target) {
        if binary.is_file() {
            eprintln!(
                "build: {} cannot be written; using the binary that is already there",
                target.display()
            );
            return Ok(binary);
        }
        bail!(
            "{} cannot be written and does not contain a binary; run `cargo xtask build` once as its owner",
            target.display()
        );
    }
    if !options.no_ebpf {
        setup::for_building()?;
    }
    compile(options)?;
    let built = target.join(host()?).join("release/copilot");
    place(&built, &binary)?;
    Ok(binary)
}

fn compile(options: Options) -> Result<()> {
    let host = host()?;
    let mut command = cargo();
    // With an explicit target the flags do not apply to build scripts and macros.
    command
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "copilot",
            "--target",
            &host,
        ])
        .env("RUSTFLAGS", RUSTFLAGS);
    if options.no_ebpf {
        command.arg("--no-default-features");
    }
    if options.otlp {
        command.args(["--features", "otlp"]);
    }
    execute(&mut command)
}

/// Puts the binary where people look for it, under both its names.
fn place(built: &Path, binary: &Path) -> Result<()> {
    let directory = binary
        .parent()
        .context("the path of the binary has no folder")?;
    fs::create_dir_all(directory)?;
    // Copied and then renamed, since a running binary cannot be overwritten.
    let beside = directory.join(".copilot.new");
    fs::copy(built, &beside).with_context(|| format!("{} cannot be copied", built.display()))?;
    fs::rename(&beside, binary)?;
    let name = directory.join("flyte-copilot");
    if fs::symlink_metadata(&name).is_err() {
        symlink("copilot", &name)?;
    }
    Ok(())
}

fn may_write(directory: &Path) -> bool {
    let existing = directory.ancestors().find(|ancestor| ancestor.exists());
    existing.is_some_and(|existing| {
        crate::command::succeeds(std::process::Command::new("test").arg("-w").arg(existing))
    })
}

/// The target triple of this machine.
fn host() -> Result<String> {
    let output = std::process::Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc does not report its host")
}
