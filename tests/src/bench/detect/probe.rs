//! A process whose end is measured, and its waiting parent, which the watchers are compared with.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use copilot::track::Timestamp;

use crate::pod::Pod;

/// The exit code of the process.
pub const CODE: u8 = 7;

/// The watched process, and the thread that waits for it.
pub struct Probe {
    input: Option<std::process::ChildStdin>,
    waiter: thread::JoinHandle<Result<Timestamp, std::io::Error>>,
    stamp: PathBuf,
    id: u32,
}

impl Probe {
    /// Starts the process in a container of the pod.
    pub fn start(pod: &Pod, container: &str, program: &Path) -> Result<Self> {
        let stamp = PathBuf::from(format!(
            "/dev/shm/copilot-bench-{}-{container}",
            std::process::id()
        ));
        let mut child = pod
            .command(container, program)?
            .args(["--copilot", "-", "probe"])
            .arg(&stamp)
            .stdin(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let id = child.id();
        let waiter = thread::spawn(move || {
            child.wait()?;
            Ok(Timestamp::now())
        });
        Ok(Self {
            input,
            waiter,
            stamp,
            id,
        })
    }

    /// Its pid.
    pub fn id(&self) -> u64 {
        self.id.into()
    }

    /// Lets the process end; the waiting thread is blocked by now.
    pub fn let_go(&mut self) -> Result<()> {
        thread::sleep(Duration::from_millis(2));
        let mut input = self.input.take().context("the process was let go twice")?;
        Ok(input.write_all(b".")?)
    }

    /// The process's last time stamp, and the time when its parent's wait returned.
    pub fn end(self) -> Result<(Timestamp, Timestamp)> {
        let waited = self
            .waiter
            .join()
            .map_err(|_| anyhow::anyhow!("the waiting thread failed"))??;
        let stamp = fs::read(&self.stamp)?;
        fs::remove_file(&self.stamp)?;
        let stamp: [u8; 8] = stamp
            .as_slice()
            .try_into()
            .context("the process left no time stamp")?;
        Ok((Timestamp(u64::from_ne_bytes(stamp)), waited))
    }
}

/// The program of the watched process: waits for a byte, writes a time stamp, ends.
pub fn probe(stamp: &Path) -> Result<()> {
    let file = fs::File::create(stamp)?;
    std::io::stdin().read_exact(&mut [0])?;
    file.write_all_at(&Timestamp::now().0.to_ne_bytes(), 0)?;
    std::process::exit(CODE.into());
}
