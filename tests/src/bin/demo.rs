//! The demo, as `cargo xtask demo` runs it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use copilot_tests::demo;

fn main() -> ExitCode {
    match show() {
        Ok(good) => ExitCode::from(u8::from(!good)),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs and prints; returns whether everything went well.
fn show() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (copilot, json) = match words.as_slice() {
        ["--copilot", copilot] => (copilot, false),
        ["--copilot", copilot, "--json"] => (copilot, true),
        _ => bail!("run it by `cargo xtask demo`"),
    };
    let story = demo::run(Path::new(copilot))?;
    if json {
        println!("{}", story.to_json());
    } else {
        println!("{story}");
    }
    Ok(story.is_good())
}
