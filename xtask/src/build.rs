//! The optimised binary: one static file that runs in an empty image.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{
    architecture::Architecture,
    command::{cargo, execute, output, target_directory},
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
    let mut command = optimised(&host()?);
    command.env("RUSTFLAGS", RUSTFLAGS);
    if options.no_ebpf {
        command.arg("--no-default-features");
    }
    if options.otlp {
        command.args(["--features", "otlp"]);
    }
    execute(&mut command)
}

/// The command that builds the product for a target. With an explicit target, flags of rustc do not apply to build
/// scripts and macros.
fn optimised(target: &str) -> Command {
    let mut command = cargo();
    command
        .args(["build", "--release", "--locked", "--package", "copilot"])
        .args(["--target", target]);
    command
}

/// Builds the binary for another processor, and returns its path.
pub fn cross(architecture: Architecture) -> Result<PathBuf> {
    setup::for_building()?;
    setup::for_cross(architecture)?;
    let target = architecture.target();
    // rustc's own linker, which it also uses for this machine: GNU's cannot pack relocations for every processor.
    let linker = sysroot()?.join("lib/rustlib").join(host()?);
    let linker = linker.join("bin/gcc-ld");
    let linker = [
        "-Clink-arg=-fuse-ld=lld".to_owned(),
        format!("-Clink-arg=-B{}", linker.display()),
    ];
    let flags = RUSTFLAGS.split_whitespace().map(str::to_owned);
    let flags: Vec<String> = flags.chain(linker).collect();
    let mut command = optimised(&target);
    command
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env(
            format!(
                "CARGO_TARGET_{}_LINKER",
                target.to_uppercase().replace('-', "_")
            ),
            architecture.c_compiler(),
        );
    execute(&mut command)?;
    Ok(target_directory().join(target).join("release/copilot"))
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
        crate::command::succeeds(Command::new("test").arg("-w").arg(existing))
    })
}

/// The target triple of this machine.
fn host() -> Result<String> {
    let text = output(Command::new("rustc").arg("-vV"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("rustc does not report its host")
}

/// The folder of the compiler.
pub fn sysroot() -> Result<PathBuf> {
    let path = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(path.trim_end().into())
}
