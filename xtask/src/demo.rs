//! The main job on real input, end to end. The work is done by the program `demo` of the tests' crate,
//! which shares its pods and its object store with the tests.

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    build,
    command::{cargo, execute, target_directory},
};

/// How to print the result.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Prints one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Sets up, builds and runs.
pub fn run(options: &Options) -> Result<()> {
    let binary = build::release(build::Options::default())?;
    let demo = target_directory().join("debug/demo");
    let built = execute(cargo().args([
        "build",
        "--locked",
        "--package",
        "copilot-tests",
        "--bin",
        "demo",
    ]));
    if let Err(error) = built {
        if !demo.is_file() {
            return Err(error);
        }
        eprintln!("demo: using the program that was built before ({error:#})");
    }
    let mut command = std::process::Command::new(demo);
    command.arg("--copilot").arg(binary);
    if options.json {
        command.arg("--json");
    }
    let status = command.status()?;
    if !status.success() {
        bail!("the demo failed: {status}");
    }
    Ok(())
}
