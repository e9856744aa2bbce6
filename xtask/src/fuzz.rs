//! Runs the fuzzer (`fuzz/`) with coverage, one target after the other.
//!
//! The compiler's stable flags give the coverage, so no other toolchain is needed; libFuzzer needs a compiler
//! of C++. New inputs go to the target folder; `--keep` adds those that reach more to the repository.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::command::{cargo, execute, target_directory, workspace};

/// What to fuzz.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Targets, as the folders of fuzz/corpus are called [default: all].
    targets: Vec<String>,
    /// Time for each target.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Adds new inputs to the corpus in the repository.
    #[arg(long)]
    keep: bool,
}

/// The flags of cargo-fuzz, without a sanitizer: nearly all of our code is safe.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// The limits of each input: size in bytes, seconds, and the whole process's memory in MiB.
const LIMITS: &[&str] = &["-max_len=16384", "-timeout=10", "-rss_limit_mb=512"];

/// Where the program is built; flags of coverage do not fit any other build.
fn build_directory() -> PathBuf {
    target_directory().join("fuzz")
}

/// The corpus in the repository.
fn corpus() -> PathBuf {
    workspace().join("fuzz/corpus")
}

/// Builds the fuzzer and runs it. The first finding ends the run, and its input stays in fuzz/artifacts.
pub fn run(options: &Options) -> Result<()> {
    let known = targets()?;
    if let Some(unknown) = options.targets.iter().find(|name| !known.contains(name)) {
        bail!(
            "the target {unknown} is unknown: choose some of {}",
            known.join(", ")
        );
    }
    let program = build()?;
    let chosen = if options.targets.is_empty() {
        &known
    } else {
        &options.targets
    };
    for target in chosen {
        fuzz(&program, target, options)?;
    }
    Ok(())
}

/// The names of all targets: each has a folder with inputs.
fn targets() -> Result<Vec<String>> {
    let path = corpus();
    let entries =
        fs::read_dir(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn build() -> Result<PathBuf> {
    // With `--target` the flags do not reach build scripts.
    let host = "x86_64-unknown-linux-gnu";
    execute(
        cargo()
            .args(["build", "--locked", "--release", "--target", host])
            .args(["--manifest-path", "fuzz/Cargo.toml", "--target-dir"])
            .arg(build_directory())
            .env("RUSTFLAGS", COVERAGE.join(" ")),
    )?;
    Ok(build_directory().join(host).join("release/copilot-fuzz"))
}

fn fuzz(program: &Path, target: &str, options: &Options) -> Result<()> {
    let kept = corpus().join(target);
    let found = build_directory().join("corpus").join(target);
    let artifacts = workspace().join("fuzz/artifacts");
    for directory in [&found, &artifacts] {
        fs::create_dir_all(directory)
            .with_context(|| format!("{} cannot be made", directory.display()))?;
    }
    let fuzzer = || {
        let mut command = Command::new(program);
        command.env("COPILOT_FUZZ_TARGET", target).args(LIMITS);
        command.arg(format!(
            "-artifact_prefix={}/{target}-",
            artifacts.display()
        ));
        command
    };
    let time = format!("-max_total_time={}", options.seconds);
    execute(
        fuzzer()
            .args([&time, "-print_final_stats=1"])
            .args([&found, &kept]),
    )?;
    if options.keep {
        execute(fuzzer().arg("-merge=1").args([&kept, &found]))?;
    }
    Ok(())
}
