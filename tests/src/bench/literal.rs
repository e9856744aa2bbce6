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

use crate::task::blob;
use crate::values::{list, map, text, union};

/// How many literals are planned.
const LITERALS: usize = 100_000;
/// The size of the struct's JSON in bytes.
const STRUCT: u32 = 50_000_000;

/// The result of a part.
struct Figures {
    milliseconds: f64,
    /// Peak memory in bytes.
    peak: f64,
}

/// Measures, and prints the results. `program` is the path of this program.
pub fn run(program: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mixed, large) = (
        folder.path().join("mixed.pb"),
        folder.path().join("struct.pb"),
    );
    let size = write(&mixed, &mixed_map())?;
    write(&large, &large_map())?;
    let part = |name: &str, file: &Path| measured(program, name, file);

    let (idle, decoded, planned) = (
        part("nothing", &mixed)?,
        part("decode", &mixed)?,
        part("plan", &mixed)?,
    );
    println!(
        "{LITERALS} mixed literals, a message of {:.1} MB",
        size / 1e6
    );
    println!("decode  {:>8.0} ms", decoded.milliseconds);
    println!(
        "plan    {:>8.0} ms (at most 1000), every value file's path and text included",
        planned.milliseconds
    );
    let added = planned.peak - decoded.peak;
    println!(
        "planning adds {:.1} MB: {:.2} of the message (at most 4)",
        added / 1e6,
        added / size
    );
    let whole = planned.peak - idle.peak;
    println!(
        "message, literals and plan together {:.1} MB: {:.2} of the message",
        whole / 1e6,
        whole / size
    );

    let (held, written) = (part("decode", &large)?, part("json", &large)?);
    let json = f64::from(STRUCT);
    println!("one struct, {:.0} MB of JSON", json / 1e6);
    let more = (written.peak - held.peak).max(0.0);
    println!(
        "peak    {:>8.1} MB with the struct decoded; {:.1} MB more while its JSON is written: {:.3} of the JSON",
        (held.peak - idle.peak) / 1e6,
        more / 1e6,
        more / json
    );
    println!("write   {:>8.0} ms", written.milliseconds);
    Ok(())
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
            "plan" => {
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

fn measured(program: &Path, part: &str, file: &Path) -> Result<Figures> {
    let output = Command::new(program)
        .args(["--copilot", "-", "literal-part", part])
        .arg(file)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut words = text.split_whitespace().map(str::parse::<f64>);
    let mut next = || words.next()?.ok();
    let figures = next()
        .zip(next())
        .map(|(milliseconds, peak)| Figures { milliseconds, peak });
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
fn mixed_map() -> LiteralMap {
    let mut literals = BTreeMap::new();
    let mut count = 0;
    while count < LITERALS {
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

/// One struct whose JSON has about [`STRUCT`] bytes.
fn large_map() -> LiteralMap {
    const MEMBER: u32 = 100;
    let kind = value::Kind::StringValue("x".repeat(80));
    let fields = (0..STRUCT / MEMBER)
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
