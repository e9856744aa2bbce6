//! Loops of processes that start and end: a load on the machine and on its watchers.

use std::{
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::pod::Pod;

/// The number of loops: one for each of the two cores of these machines.
const LOOPS: usize = 2;

/// How many processes each loop of a paced storm starts a second.
const PACE: u32 = 1000;

/// Loops that run until they are stopped.
pub struct Storm {
    loops: Vec<Child>,
    started: Instant,
}

impl Storm {
    /// Starts loops that run as fast as they can, each in a container of this pod.
    pub fn start(pod: &Pod, program: &Path) -> Result<Self> {
        Self::start_with(pod, program, &[])
    }

    /// Starts loops in containers of this pod that together start two thousand processes a second, if the
    /// machine is fast enough.
    pub fn paced(pod: &Pod, program: &Path) -> Result<Self> {
        Self::start_with(pod, program, &["paced"])
    }

    fn start_with(pod: &Pod, program: &Path, words: &[&str]) -> Result<Self> {
        let mut storm = Self {
            loops: Vec::new(),
            started: Instant::now(),
        };
        // Each in its own cgroup, like unrelated containers: otherwise the kernel's reference counts of one
        // cgroup move between the processors, and readers of that cgroup wait for them.
        for index in 0..LOOPS {
            let child = pod
                .command(&format!("storm-{index}"), program)?
                .args(["--copilot", "-", "storm"])
                .args(words)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            storm.loops.push(child);
        }
        thread::sleep(Duration::from_millis(200));
        Ok(storm)
    }

    /// Ends the loops; returns how many processes ran a second.
    pub fn stop(self) -> Result<f64> {
        let mut count = 0_u32;
        let seconds = self.started.elapsed().as_secs_f64();
        for mut child in self.loops {
            drop(child.stdin.take());
            let output = child.wait_with_output()?;
            count += String::from_utf8(output.stdout)?.trim().parse::<u32>()?;
        }
        Ok(f64::from(count) / seconds)
    }
}

/// One loop of the storm: runs until its input is closed, then prints how many processes it ran.
pub fn storm(is_paced: bool) -> Result<()> {
    let closed = thread::spawn(|| std::io::stdin().read(&mut [0]));
    let began = Instant::now();
    let mut count = 0_u32;
    while !closed.is_finished() {
        Command::new("/bin/true").status()?;
        count += 1;
        if is_paced {
            let due = Duration::from_secs(1) / PACE * count;
            thread::sleep(due.saturating_sub(began.elapsed()));
        }
    }
    println!("{count}");
    Ok(())
}
