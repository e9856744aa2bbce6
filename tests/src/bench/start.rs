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

use super::figures::{percentile, ratio};
use super::process::BenchProcess;
use crate::pod::Pod;

/// How long idling is measured.
const IDLE: Duration = Duration::from_secs(10);

/// Measures, and prints the results.
pub fn run(program: &Path, copilot: &Path, rounds: usize) -> Result<()> {
    let pod = Pod::create()?;
    let mut ours = Vec::with_capacity(rounds);
    let mut bare = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        ours.push(time_to_ready(sidecar(&pod, copilot))?);
        let mut command = Command::new(program);
        command.args(["--copilot", "-", "bare"]);
        bare.push(time_to_ready(command)?);
    }
    ours.sort_unstable();
    bare.sort_unstable();
    println!("exec to ready, {rounds} rounds in turn, ms");
    for (who, times) in [("sidecar", &ours), ("bare load and attach", &bare)] {
        println!(
            "{who:<21} min {:.1}  p50 {:.1}  max {:.1}",
            milliseconds(times[0]),
            milliseconds(percentile(times, 50)),
            milliseconds(times[times.len() - 1]),
        );
    }
    println!(
        "ratio of p50          {:.2}",
        ratio(percentile(&ours, 50), percentile(&bare, 50))
    );
    idle(&pod, copilot)
}

/// The sidecar watches a pod from outside, since moving a process into a cgroup takes the kernel
/// milliseconds that should not be measured.
fn sidecar(pod: &Pod, copilot: &Path) -> Command {
    let mut command = Command::new(copilot);
    command.args(["sidecar", "--logger.level=2", "--watcher", "ebpf"]);
    command.arg("--pod-cgroup").arg(pod.directory());
    command
}

/// Measures what the sidecar costs while main runs.
fn idle(pod: &Pod, copilot: &Path) -> Result<()> {
    let mut sidecar = BenchProcess::start(sidecar(pod, copilot))?;
    sidecar.wait_until_ready()?;
    let mut main = BenchProcess::start({
        let mut command = pod.command("main", "/bin/sleep")?;
        command.arg("60");
        command
    })?;
    thread::sleep(Duration::from_secs(1));
    let before = sidecar.wake_ups()?;
    thread::sleep(IDLE);
    println!(
        "idle while main runs  RSS {:.1} MiB, {} wake-ups in {} s",
        sidecar.resident()?,
        sidecar.wake_ups()? - before,
        IDLE.as_secs()
    );
    main.end()?;
    sidecar.wait()?;
    Ok(())
}

fn time_to_ready(command: Command) -> Result<Duration> {
    let mut process = BenchProcess::start(command)?;
    let took = process.wait_until_ready()?;
    process.end()?;
    Ok(took)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
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
