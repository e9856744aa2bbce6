//! One run of one program: time, CPU time and peak memory, as the kernel counts them.
//!
//! The kernel's peak memory of a process begins with that of the process that started it. So a separate
//! process with little memory starts the program, waits for it and prints the figures.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::bench::report::Run;
use crate::bounded::Bounded;

/// Runs a program, in the cgroup if there is one.
pub fn run(program: &Path, bounded: Option<&Bounded>, contender: &Command) -> Result<Run> {
    let mut command = match bounded {
        Some(bounded) => bounded.command(program)?,
        None => Command::new(program),
    };
    command.args(["--copilot", "-", "transfer-run"]);
    command
        .arg(contender.get_program())
        .args(contender.get_args());
    command.env_clear();
    for (name, value) in contender.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let log = tempfile::NamedTempFile::new()?;
    let output = command
        .stdin(Stdio::null())
        .stderr(log.reopen()?)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<u64> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .with_context(|| format!("no figures, but {text:?}"))?;
    let [code, signal, wall, cpu, peak] = figures.as_slice() else {
        bail!("the run cannot be measured: {}", tail(log.path())?);
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds and bytes of one run"
    )]
    let [wall, cpu, peak] = [wall, cpu, peak].map(|figure| *figure as f64);
    let run = Run {
        failed: match (code, signal) {
            (0, 0) => None,
            (_, 9) => Some("killed".to_owned()),
            (code, 0) => Some(format!("failed ({code}): {}", tail(log.path())?)),
            (_, signal) => Some(format!("ended by signal {signal}")),
        },
        ..Run::new([
            ("wall_s", wall / 1e6),
            ("cpu_s", cpu / 1e6),
            ("peak_bytes", peak),
        ])
    };
    if let Some(reason) = &run.failed {
        // Being killed under the limits is also a result.
        eprintln!("{}: {reason}", contender.get_program().display());
    }
    Ok(run)
}

/// The last lines of a log.
fn tail(log: &Path) -> Result<String> {
    let text = fs::read(log)?;
    let from = text.len().saturating_sub(600);
    Ok(String::from_utf8_lossy(&text[from..]).trim().to_owned())
}

/// The separate process: runs the command, prints exit code, signal, wall and CPU time in microseconds,
/// and peak memory in bytes.
pub fn measured(words: &[&str]) -> Result<()> {
    let [program, arguments @ ..] = words else {
        bail!("nothing to run");
    };
    let mut command = Command::new(program);
    command.args(arguments).stdout(File::create("/dev/null")?);
    let begun = Instant::now();
    let status = command.status().with_context(|| (*program).to_owned())?;
    let wall = begun.elapsed();
    let (cpu, peak) = of_children();
    println!(
        "{} {} {} {} {peak}",
        status.code().unwrap_or(0),
        status.signal().unwrap_or(0),
        wall.as_micros(),
        cpu.as_micros(),
    );
    Ok(())
}

/// CPU time and peak memory, in bytes, of the children that have ended.
fn of_children() -> (Duration, u64) {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to our own `rusage`, which the call fills; all zeroes are a valid value.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |time: libc::timeval| {
        let part = |part: i64| u64::try_from(part).unwrap_or(0);
        Duration::from_secs(part(time.tv_sec)) + Duration::from_micros(part(time.tv_usec))
    };
    let peak = u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024;
    (time(usage.ru_utime) + time(usage.ru_stime), peak)
}
