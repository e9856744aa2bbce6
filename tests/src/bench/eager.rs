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
use serde_json::Value;

use super::figures::{percentile, ratio};
use super::process::BenchProcess;
use super::transfer::Options;
use super::transfer::server::{BUCKET, Server};
use crate::binary;
use crate::pod::Pod;
use crate::site::bytes;
use crate::task::{blob_type, interface};

const MIB: usize = 1 << 20;

/// How long main writes.
const TIME: Duration = Duration::from_secs(20);

/// The output.
const OUTPUT: &str = "o";

/// How main writes, and the declared type of the output.
const SHAPES: [(&str, BlobDimensionality); 2] = [
    ("files", BlobDimensionality::Multipart),
    ("append", BlobDimensionality::Single),
];

/// Measures, and prints the results.
pub fn run(program: &Path, copilot: &Path, arguments: &[&str]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let place = tempfile::tempdir()?;
    let server = Server::start(place.path())?;
    println!("server: {}", server.version);
    println!(
        "from main's end to the commit, {} rounds in turn, ms",
        options.rounds
    );
    for (shape, kind) in SHAPES {
        let mut figures: Vec<Vec<Duration>> = Vec::new();
        for round in 0..options.rounds {
            for (mode, name) in ["UPLOAD_ON_EXIT", "UPLOAD_EAGER"].into_iter().enumerate() {
                let turn = Turn {
                    program,
                    copilot,
                    server: &server,
                    shape,
                    kind,
                    prefix: format!("{shape}-{round}-{name}"),
                };
                figures.resize_with(2, Vec::new);
                figures[mode].push(turn.play(name, place.path())?);
                server.forget(&turn.prefix)?;
            }
        }
        for (name, times) in ["on exit", "eager"].into_iter().zip(&mut figures) {
            times.sort_unstable();
            println!(
                "{shape:<7} {name:<8} min {:.0}  p50 {:.0}  max {:.0}",
                milliseconds(times[0]),
                milliseconds(percentile(times, 50)),
                milliseconds(times[times.len() - 1])
            );
        }
        let (exit, eager) = (percentile(&figures[0], 50), percentile(&figures[1], 50));
        println!("{shape:<7} ratio of p50 {:.2}", ratio(eager, exit));
    }
    Ok(())
}

/// One run.
struct Turn<'a> {
    program: &'a Path,
    copilot: &'a Path,
    server: &'a Server,
    shape: &'a str,
    kind: BlobDimensionality,
    prefix: String,
}

impl Turn<'_> {
    fn play(&self, mode: &str, place: &Path) -> Result<Duration> {
        let outputs = place.join("outputs");
        let timeline = place.join("timeline");
        let _ = fs::remove_dir_all(&outputs);
        fs::create_dir(&outputs)?;
        let pod = Pod::create()?;
        let mut sidecar = BenchProcess::start(self.sidecar(mode, &pod, &outputs, &timeline))?;
        sidecar.wait_until_ready()?;
        let mut main = pod.command("main", self.program)?;
        main.args(["--copilot", "-", "eager-main", self.shape])
            .arg(&outputs);
        let mut main = BenchProcess::start(main)?;
        main.wait()?;
        sidecar.wait()?;
        let told: Value = serde_json::from_slice(&fs::read(&timeline)?)?;
        self.check()?;
        println!(
            "        {mode}: early {}, at the end {} objects of {} bytes; {}",
            told["objects_early"], told["objects"], told["bytes"], told["timeline"]
        );
        let at = |name: &str| {
            let point = told["timeline"][name].as_f64();
            point.with_context(|| format!("no {name} in {told}"))
        };
        Ok(Duration::from_secs_f64(
            (at("committed")? - at("exited")?) / 1e3,
        ))
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
        if bytes < 1 << 30 || !found.contains_key("out/outputs.pb") {
            bail!("{}: {} objects of {bytes} bytes", self.prefix, found.len());
        }
        Ok(())
    }
}

/// Main's program.
pub fn main(shape: &str, directory: &Path) -> Result<()> {
    let block = bytes(MIB, 7);
    let begun = Instant::now();
    let output = directory.join(OUTPUT);
    match shape {
        "files" => {
            fs::create_dir(&output)?;
            // A tenth of the bytes more than a hundredth of a gibibyte: whole blocks.
            for index in 0..100_u32 {
                let mut file = File::create(output.join(index.to_string()))?;
                for block_number in 0..11_u32 {
                    file.write_all(&(index * 11 + block_number).to_le_bytes())?;
                    file.write_all(&block[4..])?;
                }
                drop(file);
                wait_until(begun, index + 1, 100);
            }
        }
        "append" => {
            let mut file = File::create(output)?;
            for index in 0..1024_u32 {
                file.write_all(&index.to_le_bytes())?;
                file.write_all(&block[4..])?;
                wait_until(begun, index + 1, 1024);
            }
        }
        _ => bail!("no such shape: {shape}"),
    }
    Ok(())
}

/// Sleeps until this share of the time is over.
fn wait_until(begun: Instant, part: u32, of: u32) {
    thread::sleep((TIME * part / of).saturating_sub(begun.elapsed()));
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
