//! The main job on real input, end to end. The doing is the program `demo` of the tests' crate,
//! beside the pods and the object store that it shares with them.

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    build,
    command::{cargo, execute, target_directory},
};

/// How to show it.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Print one JSON object instead of words.
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
        eprintln!("demo: taking the program that is there ({error:#})");
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
