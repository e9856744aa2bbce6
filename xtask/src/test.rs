//! Runs all tests, with everything that they need.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{
    build,
    command::{cargo, target_directory},
    image, setup,
};

/// Which tests to run.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Arguments for the test programs, such as part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// The address of every cloud's metadata service during tests: a closed port of this machine.
const CLOSED: &str = "http://127.0.0.1:9";

/// Sets up, builds the binary that the end-to-end tests run, and runs all tests, even if some fail.
/// Prints a summary at the end: which tests failed, which were skipped, and why.
pub fn run(options: &Options) -> Result<()> {
    let binary = build::release(build::Options::default())?;
    setup::for_testing()?;
    let image = image::for_tests(&binary)?;
    let skips = target_directory().join("skipped-tests.txt");
    fs::write(&skips, "").with_context(|| format!("{} cannot be written", skips.display()))?;
    let mut command = cargo();
    command
        .args([
            "test",
            "--locked",
            "--workspace",
            "--exclude",
            "copilot-ebpf",
            "--no-fail-fast",
            // The binary under test lacks spans; the tests of the spans run a program of their own.
            "--features",
            "copilot/otlp",
        ])
        .env("COPILOT_BINARY", binary)
        .env("COPILOT_IMAGE", image)
        .env("COPILOT_TEST_SKIPS", &skips)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", CLOSED)
        .env("GCE_METADATA_HOST", "127.0.0.1:9")
        .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", CLOSED)
        .arg("--")
        .args(&options.arguments);
    let results = run_all(&mut command)?;
    results.summarise(&skips)
}

/// The results that the test programs printed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Results {
    passed: u32,
    failed: Vec<String>,
    /// The test whose line was begun, and whose result comes at the end of what it prints.
    running: Option<String>,
    /// Whether cargo and all test programs ended well.
    ended_well: bool,
}

/// Runs the tests, and copies what they print to standard error.
fn run_all(command: &mut Command) -> Result<Results> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo cannot be run")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut results = Results::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("the output of the tests cannot be read")?;
        let line = String::from_utf8_lossy(&line);
        eprintln!("{line}");
        results.take(&line);
    }
    results.ended_well = child
        .wait()
        .context("cargo's end cannot be read")?
        .success();
    Ok(results)
}

impl Results {
    /// On a machine with one core the harness prints a test's name before it runs the test, and its
    /// result afterwards: what the test's child processes print comes between them.
    fn take(&mut self, line: &str) {
        let begun = line
            .strip_prefix("test ")
            .and_then(|line| line.split_once(" ... "));
        let result = match begun {
            Some((name, result)) => {
                self.running = Some(name.to_owned());
                result
            }
            None => line,
        };
        match (result, &self.running) {
            ("ok", Some(_)) => self.passed += 1,
            ("FAILED", Some(name)) => self.failed.push(name.clone()),
            _ if result.starts_with("ignored") => {}
            _ => return,
        }
        self.running = None;
    }

    fn summarise(&self, skips: &Path) -> Result<()> {
        let skipped = fs::read_to_string(skips).unwrap_or_default();
        eprintln!(
            "\ntests: {} passed, {} failed, {} skipped in part or whole",
            self.passed,
            self.failed.len(),
            skipped.lines().count()
        );
        for line in skipped.lines() {
            eprintln!("skipped: {line}");
        }
        for name in &self.failed {
            eprintln!("failed:  {name}");
        }
        if self.ended_well {
            return Ok(());
        }
        bail!("not all tests passed, or not all could be built: see above")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted_by_the_lines_of_the_harness() {
        let mut results = Results::default();
        for line in [
            "running 3 tests",
            "test pods::endings::exit_0::ebpf ... ok",
            "test a_test ... ignored",
            "test stores::tls ... FAILED",
            "test result: FAILED. 1 passed; 1 failed; 1 ignored",
        ] {
            results.take(line);
        }
        assert_eq!(results.passed, 1);
        assert_eq!(results.failed, ["stores::tls"]);
    }

    #[test]
    fn output_between_a_name_and_its_result_is_skipped() {
        let mut results = Results::default();
        for line in [
            "test stop::twice ... a line of the test's child",
            "another line",
            "ok",
            "ok",
            "test stores::tls ... a line",
            "FAILED",
            "test stores::web ... ok",
        ] {
            results.take(line);
        }
        assert_eq!(results.passed, 2);
        assert_eq!(results.failed, ["stores::tls"]);
    }
}
