//! Measurements, as ratios within one run: machines differ and are noisy.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use crate::{
    build,
    command::{cargo, execute, target_directory},
    setup,
};

/// What to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(subcommand)]
    what: Bench,
}

/// The benches. Each has its own options, which the program `bench` parses.
#[derive(Clone, Debug, Subcommand)]
enum Bench {
    /// Time from main's last time stamp until the sidecar knows its end, compared with a waiting parent.
    Detect(Arguments),
    /// Time from exec to ready, compared with only loading the same programs; and the cost of idling.
    Start(Arguments),
    /// Time and memory for a plan of a hundred thousand literals, and for the JSON of a large struct.
    Literal(Arguments),
    /// Large transfers within 128 MiB and half a CPU.
    Memory(Arguments),
    /// Uploads and downloads, compared with other tools and with a bare loop over the store library.
    Transfer(Arguments),
    /// Time from main's end to the commit, with and without uploads while main runs.
    Eager(Arguments),
    /// Writes the tables of docs/performance.md from the files of --json, or checks them.
    Report(Arguments),
}

/// Passed on to the program `bench`; `--help` lists its options.
#[derive(Args, Clone, Debug)]
#[command(disable_help_flag = true)]
struct Arguments {
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "OPTIONS"
    )]
    arguments: Vec<String>,
}

impl Bench {
    /// Its name on the command line, and its arguments.
    fn words(&self) -> (&'static str, &[String]) {
        let (name, arguments) = match self {
            Self::Detect(arguments) => ("detect", arguments),
            Self::Start(arguments) => ("start", arguments),
            Self::Literal(arguments) => ("literal", arguments),
            Self::Memory(arguments) => ("memory", arguments),
            Self::Transfer(arguments) => ("transfer", arguments),
            Self::Eager(arguments) => ("eager", arguments),
            Self::Report(arguments) => ("report", arguments),
        };
        (name, &arguments.arguments)
    }
}

/// Builds and measures.
pub fn run(options: &Options) -> Result<()> {
    let (what, arguments) = options.what.words();
    let help = |word: &String| word == "--help" || word == "-h";
    let is_measured = !matches!(options.what, Bench::Report(_)) && !arguments.iter().any(help);
    let binary = if is_measured && !matches!(options.what, Bench::Literal(_)) {
        build::release(build::Options::default())?
    } else {
        // Nothing is measured, or the library alone.
        PathBuf::from("none")
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
    let mut bench = Command::new(target_directory().join("release/bench"));
    bench.arg("--copilot").arg(binary).arg(what);
    if is_measured && matches!(options.what, Bench::Transfer(_) | Bench::Eager(_)) {
        setup::for_benches();
    }
    if is_measured && matches!(options.what, Bench::Transfer(_)) {
        beside_floor(&mut bench)?;
    }
    let status = bench.args(arguments).status()?;
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn a_benchs_options_are_passed_on_with_its_help() {
        for words in [
            &["--help"][..],
            &["--json", "x.json"],
            &["600"],
            &["--what", "--part"],
            &[],
        ] {
            let line = ["xtask", "detect"].into_iter().chain(words.iter().copied());
            let line = Line::try_parse_from(line).expect("everything is passed on");
            let (name, passed) = line.options.what.words();
            assert_eq!(
                (name, passed),
                (
                    "detect",
                    &words
                        .iter()
                        .map(|word| (*word).to_owned())
                        .collect::<Vec<_>>()[..]
                )
            );
        }
        assert!(Line::try_parse_from(["xtask", "nothing"]).is_err());
    }
}
