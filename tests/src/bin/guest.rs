//! The first process in the virtual machines of `cargo xtask kernels`, and the programs that it starts.

use std::process::ExitCode;

use anyhow::{Result, bail};
use copilot_tests::guest::{init, parts, scenarios};

fn main() -> ExitCode {
    match run() {
        Ok(good) => ExitCode::from(u8::from(!good)),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] if std::process::id() == 1 => init::run(),
        ["scenarios", hierarchy] => scenarios::run(hierarchy.parse()?),
        ["leader-first"] => parts::leader_first(),
        ["hog"] => parts::hog(),
        _ => bail!("run it by `cargo xtask kernels`"),
    }
}
