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
    /// From main's last own time stamp until its end is known, beside a parent that waits for it.
    Detect,
    /// From exec to ready, beside a bare load and attach of the same programs; and the cost of idling.
    Start,
    /// A plan of a hundred thousand literals, and the JSON of a large struct: time and memory.
    Literal,
    /// Large amounts through 128 MiB and half a CPU: where (a directory on disk), MiB of the large
    /// object, number of small files.
    Memory,
    /// Moving data both ways, beside other tools and a bare loop over the store library.
    Transfer,
    /// From main's end to the commit, with outputs that went up while it ran and without.
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

/// Builds the floor as the product is built.
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
