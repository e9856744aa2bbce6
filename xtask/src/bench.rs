//! Measurements, as ratios within one run: machines differ and are noisy.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::{
    build,
    command::{cargo, execute, target_directory},
    setup,
};

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The bench.
    what: Bench,
    /// Passed on to the bench.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Bench {
    /// Time from main's last time stamp until the sidecar knows its end, compared with a waiting parent.
    Detect,
    /// Time from exec to ready, compared with only loading the same programs; and the cost of idling.
    Start,
    /// Time and memory for a plan of a hundred thousand literals, and for the JSON of a large struct.
    Literal,
    /// Large transfers within 128 MiB and half a CPU. Arguments: a directory on disk, the MiB of the
    /// large object, the number of small files.
    Memory,
    /// Uploads and downloads, compared with other tools and with a bare loop over the store library.
    Transfer,
    /// Time from main's end to the commit, with and without uploads while main runs.
    Eager,
}

/// Builds and measures.
pub fn run(options: &Options) -> Result<()> {
    let binary = match options.what {
        // It measures the library alone.
        Bench::Literal => PathBuf::from("-"),
        _ => build::release(build::Options::default())?,
    };
    execute(cargo().args([
        "build",
        "--profile",
        "bench",
        "--locked",
        "--package",
        "copilot-tests",
        "--bin",
        "bench",
    ]))?;
    let what = options.what.to_possible_value();
    let mut bench = Command::new(target_directory().join("release/bench"));
    bench
        .arg("--copilot")
        .arg(binary)
        .args(what.map(|value| value.get_name().to_owned()));
    if matches!(options.what, Bench::Transfer | Bench::Eager) {
        setup::for_benches();
    }
    if matches!(options.what, Bench::Transfer) {
        beside_floor(&mut bench)?;
    }
    let status = bench.args(&options.arguments).status()?;
    if !status.success() {
        bail!("the bench failed: {status}");
    }
    Ok(())
}

/// Builds the bare program, which is the lower bound, with the product's settings.
fn beside_floor(bench: &mut Command) -> Result<()> {
    execute(cargo().args([
        "build",
        "--release",
        "--locked",
        "--package",
        "copilot-tests",
        "--no-default-features",
        "--features",
        "bare",
        "--bin",
        "bare",
    ]))?;
    let floor = target_directory().join("release/bare");
    bench
        .arg("--program")
        .arg(format!("bare={}", floor.display()));
    Ok(())
}
