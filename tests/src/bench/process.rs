//! A process of a bench: waits until it is ready, and measures its cost.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use copilot::track::readiness;

/// The pause between two reads of a thread's name.
const POLL: Duration = Duration::from_micros(100);

/// Clock ticks a second, as `/proc/PID/stat` counts CPU time.
const TICKS: u64 = 100;

/// A process of a bench; killed when dropped.
pub struct BenchProcess(Child, Instant);

impl BenchProcess {
    /// Starts a command.
    pub fn start(mut command: Command) -> Result<Self> {
        let began = Instant::now();
        Ok(Self(command.stdin(Stdio::null()).spawn()?, began))
    }

    /// Waits until its main thread has the name that means ready, and returns the time since its start.
    pub fn wait_until_ready(&mut self) -> Result<Duration> {
        let name = format!("/proc/{}/comm", self.0.id());
        let ready = readiness::NAME.to_bytes();
        while self.1.elapsed() < Duration::from_mins(1) {
            if fs::read(&name).is_ok_and(|name| name.trim_ascii_end() == ready) {
                return Ok(self.1.elapsed());
            }
            if let Some(status) = self.0.try_wait()? {
                bail!("it ended before it was ready: {status}");
            }
            thread::sleep(POLL);
        }
        bail!("it does not become ready")
    }

    /// Voluntary context switches so far, over all threads.
    pub fn wake_ups(&self) -> Result<u64> {
        let mut sum = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let status = fs::read_to_string(task?.path().join("status"))?;
            sum += field(&status, "voluntary_ctxt_switches:")?;
        }
        Ok(sum)
    }

    /// CPU time so far, in milliseconds.
    pub fn cpu(&self) -> Result<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let (_, fields) = stat.rsplit_once(')').context("a stat has a name")?;
        let mut fields = fields.split_whitespace().skip(11);
        let mut next = || -> Result<u64> { Ok(fields.next().context("a stat is long")?.parse()?) };
        Ok((next()? + next()?) * 1000 / TICKS)
    }

    /// Resident memory in bytes.
    #[expect(clippy::cast_precision_loss, reason = "memory of a small process")]
    pub fn resident(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        Ok(field(&status, "VmRSS:")? as f64 * 1024.0)
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Result<()> {
        self.0.wait()?;
        Ok(())
    }

    /// Kills it.
    pub fn end(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for BenchProcess {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            let _ = self.end();
        }
    }
}

fn field(status: &str, name: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.split_whitespace().next());
    Ok(value.context("a field of status is missing")?.parse()?)
}
