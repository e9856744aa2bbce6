//! The command line of the program `bench`, as `cargo xtask bench` passes it.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};

use super::{detect, document, eager, literal, memory, start, transfer};

/// Measures Copilot, compared with other programs in the same run.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask bench", disable_help_subcommand = true)]
pub struct Arguments {
    /// The program under test. `cargo xtask bench` passes it; without it, the one on PATH.
    #[arg(long, hide = true, default_value = "copilot")]
    pub copilot: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// A bench, or what is done with its figures.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Time from main's last time stamp until the sidecar knows its end, compared with a waiting parent
    Detect(Bench<detect::Options>),
    /// Time from exec to ready, compared with only loading the same programs; and the cost of idling
    Start(Bench<start::Options>),
    /// Time and memory for a plan of a hundred thousand literals, and for the JSON of a large struct
    Literal(Bench<literal::Options>),
    /// Large transfers within 128 MiB and half a CPU; as root
    Memory(Bench<memory::Options>),
    /// Uploads and downloads, compared with other tools and with a bare loop over the store library
    Transfer(Bench<transfer::Options>),
    /// Time from main's end to the commit, with and without uploads while main runs
    Eager(Bench<eager::Options>),
    /// Writes the tables of docs/performance.md from the files of --json, or checks them
    Report(document::Options),
}

/// A bench's own options, and what all benches have.
#[derive(Args, Clone, Debug)]
pub struct Bench<T: Args> {
    /// The bench's own options.
    #[command(flatten)]
    pub own: T,
    /// Writes the figures of every run, the medians, the machine and the programs' versions as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Runs a small part, in seconds: shows that the bench works; the figures mean nothing
    #[arg(long)]
    pub part: bool,
}

impl Arguments {
    /// Parses the arguments after the program's name. An error lists the options that exist, if it is about one
    /// that does not.
    pub fn parse_from_words(words: &[String]) -> Result<Self, clap::Error> {
        let name = "cargo xtask bench".to_owned();
        Self::try_parse_from(std::iter::once(&name).chain(words)).map_err(|error| {
            if error.kind() != ErrorKind::UnknownArgument {
                return error;
            }
            let mut command = Self::command();
            command.build();
            let verbs = command.get_subcommands();
            let mut verbs = verbs.filter(|verb| words.iter().any(|word| word == verb.get_name()));
            let Some(verb) = verbs.next() else {
                return error;
            };
            let options = verb.get_arguments().filter_map(clap::Arg::get_long);
            let options: Vec<String> = options.map(|name| format!("--{name}")).collect();
            // The message ends with usage and advice; the list comes after them.
            let text = error.render().to_string();
            let text = text.trim_start_matches("error: ").trim_end();
            let text = format!(
                "{text}\n\n`bench {}` has: {}\n",
                verb.get_name(),
                options.join(", ")
            );
            clap::Error::raw(ErrorKind::UnknownArgument, text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BENCHES: [&str; 6] = ["detect", "start", "literal", "memory", "transfer", "eager"];

    fn parse(line: &str) -> Result<Arguments, String> {
        let words = format!("--copilot copilot {line}");
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        Arguments::parse_from_words(&words).map_err(|error| error.to_string())
    }

    /// What the bench needs beside options.
    fn called(bench: &str) -> String {
        let more = if bench == "memory" { " /tmp" } else { "" };
        format!("{bench}{more}")
    }

    #[test]
    fn the_command_line_is_declared_well() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_bench_writes_json_and_runs_in_part() {
        for bench in BENCHES {
            let parsed = parse(&format!("{} --part --json x.json", called(bench)));
            assert!(parsed.is_ok(), "{bench}: {parsed:?}");
        }
    }

    #[test]
    fn an_unknown_option_is_named_with_those_that_exist() {
        for bench in BENCHES {
            let error = parse(&format!("{} --jsonn x", called(bench))).unwrap_err();
            assert!(error.contains("'--jsonn'"), "{error}");
            assert!(error.contains("--json, --part"), "{error}");
        }
        let error = parse("transfer --what").unwrap_err();
        for option in ["--rounds", "--rtt", "--bandwidth", "--tls", "--peers"] {
            assert!(error.contains(option), "{option}: {error}");
        }
        let error = parse("detect 600").unwrap_err();
        assert!(
            error.contains("'600'") && error.contains("--exits"),
            "{error}"
        );
        let error = parse("report --what").unwrap_err();
        assert!(error.contains("--check, --document"), "{error}");
    }

    #[test]
    fn every_bench_has_help() {
        for bench in BENCHES.into_iter().chain(["report"]) {
            let help = parse(&format!("{bench} --help")).unwrap_err();
            assert!(
                help.contains("Usage: cargo xtask bench") && help.contains(bench),
                "{help}"
            );
        }
    }

    #[test]
    fn a_median_wants_one_run_at_least() {
        for line in [
            "transfer --rounds 0",
            "eager --rounds 0",
            "start --rounds 0",
            "detect --exits 0",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        for (line, word) in [
            ("transfer --rtt 20", "20ms"),
            ("transfer --rtt=-1ms", "20ms"),
            ("transfer --rtt 11s", "10 s"),
            ("transfer --bandwidth 0", "0"),
            ("transfer --shape huge", "large"),
            ("transfer --only cp", "rclone"),
            ("transfer --program cp=/bin/cp", "rclone"),
            ("transfer --program s5cmd", "NAME=PATH"),
            ("transfer --peers wanted", "required"),
            ("detect --only nothing", "crowd"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(word), "{line}: {error}");
        }
    }
}
