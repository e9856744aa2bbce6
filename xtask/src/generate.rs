//! Files of the repository that come from the code: help, manual pages, completions, the reference of settings. The
//! generator is a test of the product's crate, so every run of the tests compares them.

use anyhow::Result;
use clap::Args;

use crate::{
    command::{cargo, execute},
    setup,
};

/// What to do with the files.
#[derive(Args, Clone, Copy, Debug)]
pub struct Options {
    /// Only compares them: fails if one would change.
    #[arg(long)]
    check: bool,
}

/// Writes the files, or compares them.
pub fn run(options: Options) -> Result<()> {
    setup::for_building()?;
    let mut command = cargo();
    command.args(["test", "--locked", "--package", "copilot", "--lib"]);
    command.arg("cli::tests::generated");
    if !options.check {
        command.env("COPILOT_REGENERATE", "1");
    }
    execute(&mut command)
}
