//! All tests, with what they need.

use anyhow::Result;
use clap::Args;

use crate::{
    build,
    command::{cargo, execute},
    setup,
};

/// Which tests.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Passed on to the test programs, such as a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Where every cloud's metadata service is during tests: a closed port of this machine.
const CLOSED: &str = "http://127.0.0.1:9";

/// Sets up, builds the binary that the end-to-end tests run, and runs all tests.
pub fn run(options: &Options) -> Result<()> {
    let binary = build::release(build::Options::default())?;
    setup::for_testing()?;
    let mut command = cargo();
    command
        .args([
            "test",
            "--locked",
            "--workspace",
            "--exclude",
            "copilot-ebpf",
            // All that fails is told at once.
            "--no-fail-fast",
        ])
        .env("COPILOT_BINARY", binary)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", CLOSED)
        .env("GCE_METADATA_HOST", "127.0.0.1:9")
        .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", CLOSED)
        .arg("--")
        .args(&options.arguments);
    execute(&mut command)
}
