//! Measures the time from main's end to the commit of its outputs: 1 GiB, written over 20 s, as a hundred
//! files or as one that main appends to. `UPLOAD_EAGER` and `UPLOAD_ON_EXIT` run in turn with one `MinIO`.
//! The time of main's end comes from the kernel, that of the commit from the sidecar.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{Message as _, blob_type::BlobDimensionality};
use serde_json::{Value, json};

use super::process::BenchProcess;
use super::report::markdown::{Table, range};
use super::report::{Case, Report, Row, Run, version_of_copilot};
use super::transfer::server::{BUCKET, Server};
use crate::binary;
use crate::pod::Pod;
use crate::site::bytes;
use crate::task::{blob_type, interface};

const MIB: usize = 1 << 20;

/// What main writes, and in which time.
#[derive(Clone, Copy, Debug)]
struct Extent {
    files: u32,
    /// Blocks of 1 MiB in each file.
    blocks: u32,
    /// Blocks of 1 MiB that are appended, if it is one file.
    appended: u32,
    time: Duration,
}

/// Both shapes have at least a gibibyte: a hundred files of whole blocks have a little more.
const WHOLE: Extent = Extent {
    files: 100,
    blocks: 11,
    appended: 1024,
    time: Duration::from_secs(20),
};

/// For `--part`.
const PART: Extent = Extent {
    files: 2,
    blocks: 1,
    appended: 2,
    time: Duration::from_millis(200),
};

impl Extent {
    fn of(part: bool) -> Self {
        if part { PART } else { WHOLE }
    }

    /// The bytes that must arrive at least.
    fn bytes(self) -> u64 {
        u64::from(self.appended.min(self.files * self.blocks)) << 20
    }

    /// Sleeps until this share of the time is over.
    fn wait_until(self, begun: Instant, part: u32, of: u32) {
        thread::sleep((self.time * part / of).saturating_sub(begun.elapsed()));
    }
}

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How often each mode runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// The modes, as the platform names them.
const ON_EXIT: &str = "UPLOAD_ON_EXIT";
const EAGER: &str = "UPLOAD_EAGER";

/// The output.
const OUTPUT: &str = "o";

/// How main writes, and the declared type of the output.
const SHAPES: [(&str, BlobDimensionality); 2] = [
    ("files", BlobDimensionality::Multipart),
    ("append", BlobDimensionality::Single),
];

/// Measures.
pub fn run(program: &Path, copilot: &Path, options: &Options, part: bool) -> Result<Report> {
    let rounds = if part { 1 } else { options.rounds };
    let place = tempfile::tempdir()?;
    let server = Server::start(place.path())?;
    let mut report = Report::begin("eager", part, json!({"rounds": rounds}))?;
    report.program("copilot", &version_of_copilot(copilot));
    report.program("server", &server.version);
    for (shape, kind) in SHAPES {
        let (mut on_exit, mut eager) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            for (mode, runs) in [(ON_EXIT, &mut on_exit), (EAGER, &mut eager)] {
                let turn = Turn {
                    program,
                    copilot,
                    server: &server,
                    shape,
                    kind,
                    part,
                    prefix: format!("{shape}-{round}-{mode}"),
                };
                runs.push(turn.play(mode, place.path())?);
                server.forget(&turn.prefix)?;
            }
        }
        report.add(Case {
            table: String::new(),
            name: shape.to_owned(),
            parameters: json!({"bytes": Extent::of(part).bytes()}),
            rows: vec![Row::new(ON_EXIT, on_exit), Row::new(EAGER, eager)],
        });
    }
    Ok(report)
}

/// The table of the times from main's end to the commit.
pub fn table(cases: &[&Case]) -> Result<String> {
    let heading = [
        "main writes",
        "`UPLOAD_ON_EXIT` min / p50 / max ms",
        "`UPLOAD_EAGER`",
        "ratio of p50",
    ];
    let mut table = Table::new(heading.map(str::to_owned));
    for case in cases {
        let (on_exit, eager) = (case.row(ON_EXIT)?, case.row(EAGER)?);
        let ratio = eager.median("commit_ms")? / on_exit.median("commit_ms")?;
        table.line([
            case.name.clone(),
            range(on_exit, "commit_ms")?,
            range(eager, "commit_ms")?,
            format!("{ratio:.2}"),
        ]);
    }
    Ok(table.text())
}

/// One run.
struct Turn<'a> {
    program: &'a Path,
    copilot: &'a Path,
    server: &'a Server,
    shape: &'a str,
    kind: BlobDimensionality,
    part: bool,
    prefix: String,
}

impl Turn<'_> {
    fn play(&self, mode: &str, place: &Path) -> Result<Run> {
        let outputs = place.join("outputs");
        let timeline = place.join("timeline");
        let _ = fs::remove_dir_all(&outputs);
        fs::create_dir(&outputs)?;
        let pod = Pod::create()?;
        let mut sidecar = BenchProcess::start(self.sidecar(mode, &pod, &outputs, &timeline))?;
        sidecar.wait_until_ready()?;
        let mut main = pod.command("main", self.program)?;
        let extent = if self.part { "part" } else { "whole" };
        main.args(["--copilot", "-", "eager-main", self.shape, extent])
            .arg(&outputs);
        let mut main = BenchProcess::start(main)?;
        main.wait()?;
        sidecar.wait()?;
        let told: Value = serde_json::from_slice(&fs::read(&timeline)?)?;
        self.check()?;
        let number = |value: &Value, name: &str| {
            let found = value[name].as_f64();
            found.with_context(|| format!("no {name} in {told}"))
        };
        let line = &told["since_start_ms"];
        Ok(Run::new([
            (
                "commit_ms",
                number(line, "committed")? - number(line, "exited")?,
            ),
            // It is there only if objects went up early.
            (
                "objects_early",
                told["objects_early"].as_f64().unwrap_or(0.0),
            ),
            ("objects", number(&told, "objects")?),
            ("sent_bytes", number(&told, "bytes")?),
        ]))
    }

    fn sidecar(&self, mode: &str, pod: &Pod, outputs: &Path, timeline: &Path) -> Command {
        let interface = interface([(OUTPUT, blob_type(self.kind))]);
        let mut command = Command::new(self.copilot);
        binary::isolate(&mut command);
        command.args(self.server.flags());
        command.args([
            "sidecar",
            "--logger.level=2",
            "--watcher=ebpf",
            "--upload-mode",
            mode,
        ]);
        for (flag, name) in [("--to-raw-output", "raw"), ("--to-output-prefix", "out")] {
            command.arg(flag);
            command.arg(format!("s3://{BUCKET}/{}/{name}", self.prefix));
        }
        command
            .arg("--interface")
            .arg(BASE64_STANDARD.encode(interface.encode_to_vec()));
        command.arg("--from-local-dir").arg(outputs);
        command.arg("--timeline").arg(timeline);
        command.arg("--pod-cgroup").arg(pod.directory());
        command
    }

    /// Checks that the whole output was uploaded.
    fn check(&self) -> Result<()> {
        let found = self.server.list(&self.prefix)?;
        let bytes: u64 = found.values().sum();
        if bytes < Extent::of(self.part).bytes() || !found.contains_key("out/outputs.pb") {
            bail!("{}: {} objects of {bytes} bytes", self.prefix, found.len());
        }
        Ok(())
    }
}

/// Main's program: writes in this shape, `whole` or `part` of it.
pub fn main(shape: &str, extent: &str, directory: &Path) -> Result<()> {
    let extent = Extent::of(extent == "part");
    let block = bytes(MIB, 7);
    let begun = Instant::now();
    let output = directory.join(OUTPUT);
    match shape {
        "files" => {
            fs::create_dir(&output)?;
            for index in 0..extent.files {
                let mut file = File::create(output.join(index.to_string()))?;
                for number in 0..extent.blocks {
                    file.write_all(&(index * extent.blocks + number).to_le_bytes())?;
                    file.write_all(&block[4..])?;
                }
                drop(file);
                extent.wait_until(begun, index + 1, extent.files);
            }
        }
        "append" => {
            let mut file = File::create(output)?;
            for index in 0..extent.appended {
                file.write_all(&index.to_le_bytes())?;
                file.write_all(&block[4..])?;
                extent.wait_until(begun, index + 1, extent.appended);
            }
        }
        _ => bail!("no such shape: {shape}"),
    }
    Ok(())
}
