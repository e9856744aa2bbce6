//! The benchmarks, as `cargo xtask bench` runs them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use copilot_tests::bench::{detect, eager, literal, memory, start, transfer};

fn main() -> Result<()> {
    let program = std::env::current_exe()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ["--copilot", copilot, verb, rest @ ..] = words.as_slice() else {
        bail!("run it by `cargo xtask bench`");
    };
    match (*verb, rest) {
        ("detect", ["cost"]) => detect::cost(&program),
        ("detect", []) => detect::run(&program, Path::new(copilot), 600),
        ("detect", [exits]) => detect::run(&program, Path::new(copilot), exits.parse()?),
        ("start", []) => start::run(&program, Path::new(copilot), 21),
        ("start", [rounds]) => start::run(&program, Path::new(copilot), rounds.parse()?),
        ("literal", []) => literal::run(&program),
        ("literal-part", [name, file]) => literal::part(name, Path::new(file)),
        ("memory", [place]) => memory::run(Path::new(copilot), Path::new(place), 10_240, 100_000),
        ("memory", [place, mebibytes, files]) => memory::run(
            Path::new(copilot),
            Path::new(place),
            mebibytes.parse()?,
            files.parse()?,
        ),
        ("transfer", arguments) => transfer::run(&program, Path::new(copilot), arguments),
        ("transfer-run", words) => transfer::measured(words),
        ("relay", words) => transfer::relay(words),
        ("eager", arguments) => eager::run(&program, Path::new(copilot), arguments),
        ("eager-main", [shape, directory]) => eager::main(shape, Path::new(directory)),
        ("bare", []) => start::bare(),
        ("probe", [stamp]) => detect::probe(&PathBuf::from(stamp)),
        ("storm", []) => detect::storm(false),
        ("storm", ["paced"]) => detect::storm(true),
        _ => bail!("no such bench: {verb} {rest:?}"),
    }
}
