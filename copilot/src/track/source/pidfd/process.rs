//! One process and its descriptor.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fs, io, mem,
    os::fd::{AsRawFd as _, OwnedFd},
    sync::OnceLock,
    time::Duration,
};

use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};
use tokio::{
    io::unix::AsyncFd,
    time::{Instant, timeout},
};
use tracing::debug;

use crate::track::{
    ExitStatus, ProcessId, Timestamp,
    place::Place,
    process::{self, process_id},
    source::register,
};

/// How long the parent may take to learn of the end before we do without the status: until then the
/// kernel does not give it away.
const UNTIL_REAPED: Duration = Duration::from_secs(20);

/// The kernel from which a descriptor tells how its process ended (`PIDFD_INFO_EXIT`).
const TELLS_STATUS: (u32, u32) = (6, 15);

/// Until the second question for the status, on a kernel that does not wake us when the parent has
/// been told; each later one takes twice as long to come.
const FIRST_STEP: Duration = Duration::from_millis(1);

/// How often to ask for the status of a process that is said to be gone.
const ASKED_AGAIN: u32 = 5;

/// A process that is watched.
#[derive(Debug)]
pub struct WatchedProcess {
    /// Which.
    pub id: ProcessId,
    /// Whether it has been told that it runs its container's program.
    pub is_told: bool,
    descriptor: AsyncFd<OwnedFd>,
    /// When its end was first noticed.
    ended: OnceLock<(Timestamp, Instant)>,
    step: Duration,
}

/// Whether the kernel gives descriptors of processes at all.
pub fn try_out() -> io::Result<()> {
    pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(())
}

/// Whether the kernel tells how a process ended.
#[must_use]
pub fn tells_status() -> bool {
    let name = rustix::system::uname();
    is_new_enough(&name.release().to_string_lossy())
}

fn is_new_enough(release: &str) -> bool {
    let mut numbers = release
        .split(|letter: char| !letter.is_ascii_digit())
        .map(|number| number.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= TELLS_STATUS
}

/// Descriptors opened at the first sight of a pid. What is read of the pid afterwards is of the same
/// process as long as the descriptor's process holds it.
#[derive(Debug, Default)]
pub struct Sighted(BTreeMap<i32, OwnedFd>);

impl Sighted {
    /// Opens a descriptor for each of these pids, and closes all others. A failure is met again, and
    /// told, when the process is to be watched.
    pub fn see(&mut self, pids: &BTreeSet<i32>) {
        self.0.retain(|pid, _| pids.contains(pid));
        for &pid in pids {
            if let Entry::Vacant(place) = self.0.entry(pid)
                && let Some(valid) = Pid::from_raw(pid)
                && let Ok(descriptor) = pidfd_open(valid, PidfdFlags::empty())
            {
                place.insert(descriptor);
            }
        }
    }
}

impl WatchedProcess {
    /// Takes the descriptor of a process that was read after the sight of its pid, or opens one;
    /// nothing if the process is gone by now.
    pub fn open(
        place: &Place,
        id: ProcessId,
        is_told: bool,
        sighted: &mut Sighted,
    ) -> io::Result<Option<Self>> {
        let Some(pid) = id.visible_pid().and_then(Pid::from_raw) else {
            return Ok(None);
        };
        let holds_pid = || {
            let stat = place
                .process(pid.as_raw_nonzero().get())
                .and_then(|process| process::stat(&process).ok());
            stat.as_ref().map(process_id) == Some(id)
        };
        let early = sighted.0.remove(&pid.as_raw_nonzero().get());
        // If another process has the pid by now, that one may be the one which was read.
        let early = early.filter(|early| has_pid(early) || !holds_pid());
        let descriptor = if let Some(early) = early {
            early
        } else {
            let opened = match pidfd_open(pid, PidfdFlags::empty()) {
                Ok(descriptor) => descriptor,
                Err(rustix::io::Errno::SRCH) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            // The pid may have been given to another process between the look and the opening.
            if !holds_pid() {
                return Ok(None);
            }
            opened
        };
        Ok(Some(Self {
            id,
            is_told,
            descriptor: register(descriptor)?,
            ended: OnceLock::new(),
            step: FIRST_STEP,
        }))
    }

    /// Waits for the process's end: of its last thread, whether or not that is the leader.
    pub async fn ended(&self) {
        if self.descriptor.readable().await.is_err() {
            // The runtime is going down.
            std::future::pending::<()>().await;
        }
        self.ended
            .get_or_init(|| (Timestamp::now(), Instant::now()));
    }

    /// When it ended.
    pub fn ended_at(&self) -> Timestamp {
        self.ended.get().map_or_else(Timestamp::now, |(at, _)| *at)
    }

    /// How it ended, once the parent has been told; unknown if that takes too long or the kernel
    /// does not say. The wait may be given up and begun again.
    pub async fn status(&mut self) -> ExitStatus {
        let mut gone = 0;
        let (_, since) = *self
            .ended
            .get_or_init(|| (Timestamp::now(), Instant::now()));
        loop {
            match self.exit_code() {
                Ok(Some(status)) => return ExitStatus::from_wait(status, false),
                Ok(None) if since.elapsed() < UNTIL_REAPED => {}
                Ok(None) => {
                    debug!(pid = %self.id, "the parent has not asked how it ended, so nobody may know");
                    return ExitStatus::Unknown;
                }
                // Between the end of the process and the writing down of its status both are gone; on
                // kernels before 6.15 that is how it stays.
                Err(error) if gone < ASKED_AGAIN && is_gone(&error) => gone += 1,
                Err(error) => {
                    debug!(pid = %self.id, %error, "the kernel does not tell how a process ended");
                    return ExitStatus::Unknown;
                }
            }
            // A hang-up of the descriptor says that the parent has been told.
            if let Ok(Ok(mut guard)) = timeout(self.step, self.descriptor.readable()).await {
                guard.clear_ready();
            }
            self.step = (self.step * 2).min(UNTIL_REAPED);
        }
    }

    /// `PIDFD_GET_INFO` (Linux 6.13; with the exit code from 6.15): the status as wait(2) lays it out.
    fn exit_code(&self) -> io::Result<Option<i32>> {
        // SAFETY: the structure consists of integers, for which zero is a value.
        let mut info: libc::pidfd_info = unsafe { mem::zeroed() };
        info.mask = libc::PIDFD_INFO_EXIT.into();
        // SAFETY: the descriptor is open, and the kernel writes no more than the structure whose
        // size the request's number carries.
        let result = unsafe {
            libc::ioctl(
                self.descriptor.get_ref().as_raw_fd(),
                libc::PIDFD_GET_INFO,
                &raw mut info,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        let is_told = info.mask & u64::from(libc::PIDFD_INFO_EXIT) != 0;
        Ok(is_told.then_some(info.exit_code))
    }
}

/// Whether a descriptor's process still has its pid: it lives, or its parent has not been told.
fn has_pid(descriptor: &OwnedFd) -> bool {
    let path = format!("/proc/self/fdinfo/{}", descriptor.as_raw_fd());
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines();
    let pid = lines.find_map(|line| line.strip_prefix("Pid:"));
    pid.is_some_and(|pid| pid.trim().parse::<i32>().is_ok_and(|pid| pid > 0))
}

fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}
