//! What the sidecar costs while main runs: wake-ups, CPU time, memory; with an idle main, with a main that
//! forks as fast as it can, and with a load outside of the pod.

use std::{path::Path, process::Command, thread, time::Duration};

use anyhow::Result;
use serde_json::json;

use super::storm::Storm;
use crate::bench::process::BenchProcess;
use crate::bench::report::{Case, Report, Row, Run};
use crate::pod::Pod;

/// A main that forks all the time, without exec.
const FORKING: &str = "while :; do (exit 0); done";

/// Measures each watcher for this time, after a pause.
pub fn run(
    program: &Path,
    copilot: &Path,
    pause: Duration,
    time: Duration,
    report: &mut Report,
) -> Result<()> {
    for (load, script) in [
        ("quiet", "exec sleep 600"),
        ("forking", FORKING),
        ("foreign", "exec sleep 600"),
    ] {
        let mut rows = Vec::new();
        for watcher in ["ebpf", "pidfd", "proc"] {
            let elsewhere = Pod::create()?;
            let storm = (load == "foreign")
                .then(|| Storm::paced(&elsewhere, program))
                .transpose()?;
            rows.push(Row::new(
                watcher,
                vec![one(copilot, watcher, script, pause, time)?],
            ));
            storm.map(Storm::stop).transpose()?;
        }
        report.add(Case {
            table: "waiting".to_owned(),
            name: load.to_owned(),
            parameters: json!({"time_s": time.as_secs_f64()}),
            rows,
        });
    }
    Ok(())
}

fn one(
    copilot: &Path,
    watcher: &str,
    script: &str,
    pause: Duration,
    time: Duration,
) -> Result<Run> {
    let pod = Pod::create()?;
    let mut command = Command::new(copilot);
    command.args(["sidecar", "--logger.level=2", "--watcher", watcher]);
    command.arg("--pod-cgroup").arg(pod.directory());
    let mut sidecar = BenchProcess::start(command)?;
    sidecar.wait_until_ready()?;
    let mut command = pod.command("main", "/bin/sh")?;
    command.args(["-c", script]);
    let _main = BenchProcess::start(command)?;
    thread::sleep(pause);
    let (wake_ups, cpu) = (sidecar.wake_ups()?, sidecar.cpu()?);
    thread::sleep(time);
    #[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
    let since = |now: u64, then: u64| (now - then) as f64;
    Ok(Run::new([
        ("wake_ups", since(sidecar.wake_ups()?, wake_ups)),
        ("cpu_ms", since(sidecar.cpu()?, cpu)),
        ("resident_bytes", sidecar.resident()?),
    ]))
}
