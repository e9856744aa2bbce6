//! The benchmarks, as `cargo xtask bench` runs them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use copilot_tests::bench::arguments::{Arguments, Bench, Verb};
use copilot_tests::bench::report::Report;
use copilot_tests::bench::{detect, document, eager, literal, memory, start, transfer};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(result) = helper(&words) {
        return result;
    }
    let arguments = Arguments::parse_from_words(&words).unwrap_or_else(|error| error.exit());
    let program = std::env::current_exe()?;
    let copilot = arguments.copilot.as_path();
    match arguments.verb {
        Verb::Detect(bench) => measure(&bench, |own, part| {
            detect::run(&program, copilot, own, part)
        }),
        Verb::Start(bench) => measure(&bench, |own, part| start::run(&program, copilot, own, part)),
        Verb::Literal(bench) => measure(&bench, |_, part| literal::run(&program, part)),
        Verb::Memory(bench) => measure(&bench, |own, part| memory::run(copilot, own, part)),
        Verb::Transfer(bench) => measure(&bench, |own, part| {
            transfer::run(&program, copilot, own, part)
        }),
        Verb::Eager(bench) => measure(&bench, |own, part| eager::run(&program, copilot, own, part)),
        Verb::Report(options) => document::run(&options),
    }
}

/// Runs a bench, writes its report if a file is named, and prints its tables.
fn measure<T: clap::Args>(
    bench: &Bench<T>,
    run: impl FnOnce(&T, bool) -> Result<Report>,
) -> Result<()> {
    bench.json.as_deref().map(Report::prepare).transpose()?;
    let report = run(&bench.own, bench.part)?;
    bench
        .json
        .as_deref()
        .map(|file| report.write(file))
        .transpose()?;
    for table in document::tables(&report)? {
        println!("\n{}\n\n{}", table.name, table.text);
    }
    Ok(())
}

/// The processes that benches start, which are this program, too: they have no program under test.
fn helper(words: &[String]) -> Option<Result<()>> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["--copilot", "-", verb, rest @ ..] = words.as_slice() else {
        return None;
    };
    Some(match (*verb, rest) {
        ("literal-part", [name, file]) => literal::part(name, Path::new(file)),
        ("transfer-run", words) => transfer::measured(words),
        ("relay", words) => transfer::relay(words),
        ("eager-main", [shape, part, directory]) => eager::main(shape, part, Path::new(directory)),
        ("bare", []) => start::bare(),
        ("probe", [stamp]) => detect::probe(&PathBuf::from(stamp)),
        ("storm", []) => detect::storm(false),
        ("storm", ["paced"]) => detect::storm(true),
        _ => return None,
    })
}
