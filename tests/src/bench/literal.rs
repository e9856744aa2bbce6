//! Many literals: how much time and memory a plan of a hundred thousand takes, and how much memory the
//! JSON of one large struct takes in addition to the struct itself.
//!
//! Memory is measured as a process's peak, so each part runs in its own process, and is compared with a
//! process that does the same without the measured step.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use copilot::idl::{
    Duration, Literal, LiteralMap, Message as _, SimpleType, Struct, Timestamp, Value,
    blob_type::BlobDimensionality, decode_literal_map, primitive, scalar, value,
};
use copilot::literal::input::{Arrival, Layout, Target, plan};
use copilot::literal::render::{Binaries, MetadataFormat, write_json};
use serde_json::json;

use super::report::markdown::Table;
use super::report::{Case, Report, Row, Run};
use crate::task::blob;
use crate::values::{list, map, text, union};

/// How many literals are planned, and the size of the struct's JSON in bytes.
const WHOLE: (usize, u32) = (100_000, 50_000_000);
/// The same for `--part`.
const PART: (usize, u32) = (1_000, 500_000);

/// The step that has goals, for a hundred thousand literals, and these: time, and memory relative to the message.
const PLAN: &str = "plan";
const GOALS: (&str, &str) = (" (at most 1000)", " (at most 4)");

/// What to measure: there is nothing to choose.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {}

/// Measures. `program` is the path of this program.
pub fn run(program: &Path, part: bool) -> Result<Report> {
    let (literals, struct_bytes) = if part { PART } else { WHOLE };
    let folder = tempfile::tempdir()?;
    let (mixed, large) = (
        folder.path().join("mixed.pb"),
        folder.path().join("struct.pb"),
    );
    let size = write(&mixed, &mixed_map(literals))?;
    write(&large, &large_map(struct_bytes))?;
    let parameters = json!({"literals": literals, "struct_json_bytes": struct_bytes});
    let mut report = Report::begin("literal", part, parameters)?;
    report.program(
        "copilot",
        concat!(env!("CARGO_PKG_VERSION"), ", the library"),
    );
    let row =
        |name: &str, file: &Path| anyhow::Ok(Row::new(name, vec![measured(program, name, file)?]));
    report.add(Case {
        table: String::new(),
        name: format!(
            "{literals} mixed literals, a message of {:.1} MB",
            size / 1e6
        ),
        parameters: json!({"bytes": size}),
        rows: vec![
            row("nothing", &mixed)?,
            row("decode", &mixed)?,
            row(PLAN, &mixed)?,
        ],
    });
    report.add(Case {
        table: String::new(),
        name: format!(
            "one struct, {:.1} MB of JSON",
            f64::from(struct_bytes) / 1e6
        ),
        parameters: json!({"bytes": struct_bytes}),
        rows: vec![
            row("nothing", &large)?,
            row("decode", &large)?,
            row("json", &large)?,
        ],
    });
    Ok(report)
}

/// The table: each step adds its memory to that of the step before it.
pub fn table(cases: &[&Case]) -> Result<String> {
    let heading = [
        "",
        "step",
        "ms",
        "adds MB at the peak",
        "relative to the message or JSON",
    ];
    let mut table = Table::new(heading.map(str::to_owned));
    for case in cases {
        let size = case.parameters["bytes"].as_f64();
        let size = size.with_context(|| format!("{}: no size", case.name))?;
        for pair in case.rows.windows(2) {
            let added = pair[1].median("peak_bytes")? - pair[0].median("peak_bytes")?;
            let goals = if pair[1].program == PLAN {
                GOALS
            } else {
                ("", "")
            };
            table.line([
                case.name.clone(),
                pair[1].program.clone(),
                format!("{:.0}{}", pair[1].median("time_ms")?, goals.0),
                format!("{:.1}", added / 1e6),
                format!("{:.2}{}", added / size, goals.1),
            ]);
        }
    }
    Ok(table.text())
}

/// Runs one part in its own process; prints its figures for [`run`].
pub fn part(name: &str, file: &Path) -> Result<()> {
    let mut begun = Instant::now();
    let mut taken = begun.elapsed();
    if name != "nothing" {
        let message = Bytes::from(fs::read(file)?);
        begun = Instant::now();
        // As in a download: the message is dropped when it is decoded.
        let literals = decode_literal_map(message)?;
        taken = begun.elapsed();
        begun = Instant::now();
        match name {
            "decode" => _ = black_box(literals),
            PLAN => {
                planned(literals)?;
                taken = begun.elapsed();
            }
            "json" => {
                let mut out = BufWriter::new(File::create("/dev/null")?);
                write_json(&literals, &Binaries::default(), &mut out)?;
                out.flush()?;
                taken = begun.elapsed();
            }
            _ => bail!("no such part: {name}"),
        }
    }
    println!("{} {}", taken.as_secs_f64() * 1e3, peak()?);
    Ok(())
}

fn planned(literals: LiteralMap) -> Result<()> {
    let target = Target {
        directory: Path::new("/var/inputs"),
        layout: Layout::Direct,
        metadata: MetadataFormat::Json,
        data: Arrival::Before,
        binaries: &Binaries::default(),
    };
    let plan = plan(literals, &target)?;
    let mut bytes = 0;
    let mut content = Vec::new();
    for file in plan.values() {
        content.clear();
        file.write_to(&mut content)?;
        bytes += content.len() + file.path.as_os_str().len();
    }
    black_box((plan, bytes));
    Ok(())
}

fn measured(program: &Path, part: &str, file: &Path) -> Result<Run> {
    let output = Command::new(program)
        .args(["--copilot", "-", "literal-part", part])
        .arg(file)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut words = text.split_whitespace().map(str::parse::<f64>);
    let mut next = || words.next()?.ok();
    let figures = next()
        .zip(next())
        .map(|(time, peak)| Run::new([("time_ms", time), ("peak_bytes", peak)]));
    figures.with_context(|| format!("{part} failed: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The peak memory of this process in bytes.
fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("the kernel tells no peak")?.parse::<u64>()? * 1024)
}

/// Writes a message, and returns its size in bytes.
#[expect(clippy::cast_precision_loss, reason = "a message of a few MB")]
fn write(path: &Path, literals: &LiteralMap) -> Result<f64> {
    let message = literals.encode_to_vec();
    fs::write(path, &message)?;
    Ok(message.len() as f64)
}

/// Literals of all kinds. Lists, maps and unions count, and so do the literals in them.
fn mixed_map(wanted: usize) -> LiteralMap {
    let mut literals = BTreeMap::new();
    let mut count = 0;
    while count < wanted {
        let index = literals.len();
        let number = u32::try_from(index).unwrap_or_default();
        let words = |count: usize| text(&"some words of text ".repeat(count));
        let uri = format!("s3://bucket/metadata/propeller/execution-{index}/node/data/0/o0/part");
        let (literal, holds) = match index % 8 {
            0 => (primitive::Value::Integer(i64::from(number) << 20).into(), 1),
            1 => (
                primitive::Value::FloatValue(0.1 * f64::from(number)).into(),
                1,
            ),
            2 => (words(1 + index % 24), 1),
            3 => (when(number.into()), 1),
            4 => (blob(&uri, BlobDimensionality::Single), 1),
            5 => (list([words(3), words(6), words(9)]), 4),
            6 => (map([("one", words(4)), ("other", fields(number))]), 3),
            _ => (union(SimpleType::String, words(5)), 2),
        };
        literals.insert(format!("variable_{index:06}"), literal);
        count += holds;
    }
    LiteralMap { literals }
}

fn when(seconds: i64) -> Literal {
    if seconds % 2 == 0 {
        primitive::Value::Datetime(Timestamp { seconds, nanos: 5 }).into()
    } else {
        primitive::Value::Duration(Duration { seconds, nanos: 5 }).into()
    }
}

fn fields(count: u32) -> Literal {
    let member = |kind| Value { kind: Some(kind) };
    let number = value::Kind::NumberValue(count.into());
    let name = value::Kind::StringValue("a name of some length".repeat(4));
    let fields = [("count", number), ("name", name)];
    let fields = fields
        .map(|(key, kind)| (key.to_owned(), member(kind)))
        .into();
    scalar::Value::Generic(Struct { fields }).into()
}

/// One struct whose JSON has about so many bytes.
fn large_map(bytes: u32) -> LiteralMap {
    const MEMBER: u32 = 100;
    let kind = value::Kind::StringValue("x".repeat(80));
    let fields = (0..bytes / MEMBER)
        .map(|index| {
            (
                format!("member_{index:08}"),
                Value {
                    kind: Some(kind.clone()),
                },
            )
        })
        .collect();
    let literal = scalar::Value::Generic(Struct { fields }).into();
    LiteralMap {
        literals: [("o".to_owned(), literal)].into(),
    }
}
