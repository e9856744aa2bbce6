//! What the sidecar costs while main runs: wake-ups, CPU time, memory; with an idle main, with a main that
//! forks as fast as it can, and with a load outside of the pod.

use std::{path::Path, process::Command, thread, time::Duration};

use anyhow::Result;

use super::storm::Storm;
use crate::bench::process::BenchProcess;
use crate::pod::Pod;

/// How long each measurement lasts.
const WINDOW: Duration = Duration::from_secs(10);

/// The pause after main's start, during which a watcher that scans `/proc` scans often.
const UNTIL_CALM: Duration = Duration::from_secs(11);

/// A main that forks all the time, without exec.
const FORKING: &str = "while :; do (exit 0); done";

/// Measures, and prints the results.
pub fn run(program: &Path, copilot: &Path) -> Result<()> {
    println!(
        "while main runs, {} s each: wake-ups, CPU ms, RSS",
        WINDOW.as_secs()
    );
    for watcher in ["ebpf", "pidfd", "proc"] {
        for (load, script) in [
            ("quiet", "exec sleep 600"),
            ("forking", FORKING),
            ("foreign", "exec sleep 600"),
        ] {
            let elsewhere = Pod::create()?;
            let storm = (load == "foreign")
                .then(|| Storm::paced(&elsewhere, program))
                .transpose()?;
            let (wake_ups, cpu, rss) = one(copilot, watcher, script)?;
            println!("{watcher:<6} {load:<8} {wake_ups:>6} {cpu:>6} ms  {rss:.1} MiB");
            storm.map(Storm::stop).transpose()?;
        }
    }
    Ok(())
}

fn one(copilot: &Path, watcher: &str, script: &str) -> Result<(u64, u64, f64)> {
    let pod = Pod::create()?;
    let mut command = Command::new(copilot);
    command.args(["sidecar", "--logger.level=2", "--watcher", watcher]);
    command.arg("--pod-cgroup").arg(pod.directory());
    let mut sidecar = BenchProcess::start(command)?;
    sidecar.wait_until_ready()?;
    let mut command = pod.command("main", "/bin/sh")?;
    command.args(["-c", script]);
    let _main = BenchProcess::start(command)?;
    thread::sleep(UNTIL_CALM);
    let (wake_ups, cpu) = (sidecar.wake_ups()?, sidecar.cpu()?);
    thread::sleep(WINDOW);
    Ok((
        sidecar.wake_ups()? - wake_ups,
        sidecar.cpu()? - cpu,
        sidecar.resident()?,
    ))
}
