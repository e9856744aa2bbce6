//! Measures the time from exec to ready, compared with a program that only loads and attaches the same
//! BPF programs with aya; then what idling costs while main runs: memory and wake-ups.
//!
//! Both processes are started in the same way, and both signal that they are ready by the name of their
//! thread, which is polled.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use aya::programs::RawTracePoint;
use aya::{Ebpf, EbpfLoader};
use copilot::track::readiness;
use copilot::track::source::ebpf::OBJECT;
use serde_json::json;

use super::process::BenchProcess;
use super::report::markdown::{self, Column, Table, mebibytes, range};
use super::report::{Case, Report, Row, Run, version_of_copilot};
use crate::pod::Pod;

/// How long idling is measured, and how long for `--part`.
const IDLE: Duration = Duration::from_secs(10);
const PART: Duration = Duration::from_millis(100);

const OURS: &str = "sidecar";
const BARE: &str = "bare load and attach";

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How often both programs start
    #[arg(long, value_name = "N", default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// Measures.
pub fn run(program: &Path, copilot: &Path, options: &Options, part: bool) -> Result<Report> {
    let rounds = if part { 1 } else { options.rounds };
    let mut report = Report::begin("start", part, json!({"rounds": rounds}))?;
    report.program("copilot", &version_of_copilot(copilot));
    let pod = Pod::create()?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(time_to_ready(sidecar(&pod, copilot))?);
        let mut command = Command::new(program);
        command.args(["--copilot", "-", "bare"]);
        bare.push(time_to_ready(command)?);
    }
    report.add(Case {
        table: "ready".to_owned(),
        name: "exec to ready".to_owned(),
        parameters: json!({"rounds": rounds}),
        rows: vec![Row::new(OURS, ours), Row::new(BARE, bare)],
    });
    let time = if part { PART } else { IDLE };
    report.add(Case {
        table: "idle".to_owned(),
        name: "while main runs".to_owned(),
        parameters: json!({"time_s": time.as_secs_f64()}),
        rows: vec![Row::new(OURS, vec![idle(&pod, copilot, time)?])],
    });
    Ok(report)
}

/// The table of the times from exec to ready.
pub fn ready_table(cases: &[&Case]) -> Result<String> {
    let heading = ["", "min / p50 / max ms", "ratio of p50"];
    let mut table = Table::new(heading.map(str::to_owned));
    for case in cases {
        let (ours, bare) = (case.row(OURS)?, case.row(BARE)?);
        let ratio = ours.median("ready_ms")? / bare.median("ready_ms")?;
        table.line([
            OURS.to_owned(),
            range(ours, "ready_ms")?,
            format!("{ratio:.2}"),
        ]);
        table.line([BARE.to_owned(), range(bare, "ready_ms")?, String::new()]);
    }
    Ok(table.text())
}

/// The table of what idling costs.
pub fn idle_table(cases: &[&Case]) -> Result<String> {
    let columns: [Column; 2] = [
        ("RSS MiB", |row| {
            Ok(format!("{:.1}", mebibytes(row, "resident_bytes")?))
        }),
        ("wake-ups", |row| {
            Ok(format!("{:.0}", row.median("wake_ups")?))
        }),
    ];
    markdown::rows(cases, &columns)
}

/// The sidecar watches a pod from outside, since moving a process into a cgroup takes the kernel
/// milliseconds that should not be measured.
fn sidecar(pod: &Pod, copilot: &Path) -> Command {
    let mut command = Command::new(copilot);
    command.args(["sidecar", "--logger.level=2", "--watcher", "ebpf"]);
    command.arg("--pod-cgroup").arg(pod.directory());
    command
}

/// Measures what the sidecar costs while main runs, for this time.
fn idle(pod: &Pod, copilot: &Path, time: Duration) -> Result<Run> {
    let mut sidecar = BenchProcess::start(sidecar(pod, copilot))?;
    sidecar.wait_until_ready()?;
    let mut main = BenchProcess::start({
        let mut command = pod.command("main", "/bin/sleep")?;
        command.arg("60");
        command
    })?;
    thread::sleep(Duration::from_secs(1));
    let before = sidecar.wake_ups()?;
    thread::sleep(time);
    #[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
    let wake_ups = (sidecar.wake_ups()? - before) as f64;
    let run = Run::new([
        ("resident_bytes", sidecar.resident()?),
        ("wake_ups", wake_ups),
    ]);
    main.end()?;
    sidecar.wait()?;
    Ok(run)
}

fn time_to_ready(command: Command) -> Result<Run> {
    let mut process = BenchProcess::start(command)?;
    let took = process.wait_until_ready()?;
    process.end()?;
    Ok(Run::new([("ready_ms", took.as_secs_f64() * 1e3)]))
}

/// The program to compare with: it only loads and attaches the same BPF programs.
pub fn bare() -> Result<()> {
    let mut programs: Ebpf = EbpfLoader::new().load(OBJECT)?;
    for (name, tracepoint) in [
        ("process_exit", "sched_process_exit"),
        ("process_exec", "sched_process_exec"),
        ("process_fork", "sched_process_fork"),
    ] {
        let program = programs.program_mut(name).context("the object has it")?;
        let program: &mut RawTracePoint = program.try_into()?;
        program.load()?;
        program.attach(tracepoint)?;
    }
    readiness::announce()?;
    thread::sleep(Duration::from_mins(1));
    Ok(())
}
