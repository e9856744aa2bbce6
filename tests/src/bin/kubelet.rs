//! Runs nodes and pods with a real kubelet, for `cargo xtask kubelet`. It is also the process of a node,
//! and, by the name `runc`, the container runtime of that node.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use copilot_tests::kubelet::node::inside;
use copilot_tests::kubelet::options::Options;
use copilot_tests::kubelet::{run, runtime};

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<ExitCode> {
    let mut arguments = env::args();
    let program = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    if Path::new(&program).ends_with(runtime::NAME) {
        return runtime::run(Path::new(&program), &arguments);
    }
    match arguments.split_first() {
        Some((verb, rest)) if verb == "run" => {
            let good = run::run(&Options::parse(rest)?)?;
            Ok(ExitCode::from(u8::from(!good)))
        }
        Some((verb, [directory])) if verb == "node" => {
            inside::run(Path::new(directory))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("run it by `cargo xtask kubelet`"),
    }
}
