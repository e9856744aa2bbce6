//! One watched process and its descriptor.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fs, io, mem,
    os::fd::{AsRawFd as _, OwnedFd},
    sync::OnceLock,
    time::Duration,
};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};
use tokio::{
    io::unix::AsyncFd,
    time::{Instant, timeout},
};
use tracing::debug;

use crate::kernel;
use crate::track::{
    ExitStatus, ProcessId, Timestamp,
    place::Place,
    process::{self, process_id},
    source::register,
};

/// How long the parent may take to reap the process before we give up its status: the kernel reveals
/// it only after that.
const UNTIL_REAPED: Duration = Duration::from_secs(20);

/// From this Linux version on a descriptor yields the exit status (`PIDFD_INFO_EXIT`).
const STATUS_SINCE: (u32, u32) = (6, 15);

/// The pause before the second query of the status, on a kernel that does not wake us when the parent
/// reaps the process. It doubles each time.
const FIRST_STEP: Duration = Duration::from_millis(1);

/// The most descriptors that are opened early, of the highest pids, which are usually the youngest. Where the node's
/// processes are seen, a first look finds thousands.
const MOST_EARLY: usize = 128;

/// How often to repeat the query if the kernel answers that the process is gone.
const RETRIES_IF_GONE: u32 = 5;

/// A process that is watched through its descriptor.
#[derive(Debug)]
pub struct WatchedProcess {
    /// Its identity.
    pub id: ProcessId,
    /// Whether the start of its container's program has been reported.
    pub start_reported: bool,
    descriptor: AsyncFd<OwnedFd>,
    /// When its end was first noticed.
    ended: OnceLock<(Timestamp, Instant)>,
    step: Duration,
}

/// Tries to open a descriptor of our own process.
pub fn try_out() -> io::Result<()> {
    pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(())
}

/// Whether the running kernel reveals through a descriptor how its process ended.
#[must_use]
pub fn learns_status() -> bool {
    kernel::is_at_least(STATUS_SINCE)
}

/// Descriptors that were opened at the first sight of a pid. As long as the descriptor's process holds
/// the pid, a later read of that pid reads the same process.
#[derive(Debug, Default)]
pub struct EarlyDescriptors(BTreeMap<i32, OwnedFd>);

impl EarlyDescriptors {
    /// Opens a descriptor of each of these pids, and closes all others. Ignores a failure, because
    /// [`WatchedProcess::open`] meets and reports it again.
    pub fn open(&mut self, pids: &BTreeSet<i32>) {
        let wanted: BTreeSet<i32> = pids.iter().rev().take(MOST_EARLY).copied().collect();
        self.0.retain(|pid, _| wanted.contains(pid));
        for pid in wanted {
            let (Entry::Vacant(place), Some(valid)) = (self.0.entry(pid), Pid::from_raw(pid))
            else {
                continue;
            };
            match pidfd_open(valid, PidfdFlags::empty()) {
                Ok(descriptor) => _ = place.insert(descriptor),
                // To read the processes comes first.
                Err(Errno::MFILE | Errno::NFILE) => return self.0.clear(),
                Err(_) => {}
            }
        }
    }
}

impl WatchedProcess {
    /// Takes the early descriptor of a process, or opens one now; `None` if the process is gone.
    pub fn open(
        place: &Place,
        id: ProcessId,
        start_reported: bool,
        early: &mut EarlyDescriptors,
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
        let early = early.0.remove(&pid.as_raw_nonzero().get());
        // If the early descriptor's process has lost the pid, `id` may be its successor.
        let early = early.filter(|early| has_pid(early) || !holds_pid());
        let descriptor = if let Some(early) = early {
            early
        } else {
            let opened = match pidfd_open(pid, PidfdFlags::empty()) {
                Ok(descriptor) => descriptor,
                Err(Errno::SRCH) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            // Another process may have got the pid between the scan and `pidfd_open`.
            if !holds_pid() {
                return Ok(None);
            }
            opened
        };
        Ok(Some(Self {
            id,
            start_reported,
            descriptor: register(descriptor)?,
            ended: OnceLock::new(),
            step: FIRST_STEP,
        }))
    }

    /// Waits until the process's last thread has ended, whether or not that is the leader.
    pub async fn ended(&self) {
        if self.descriptor.readable().await.is_err() {
            // Tokio shuts down.
            std::future::pending::<()>().await;
        }
        self.ended
            .get_or_init(|| (Timestamp::now(), Instant::now()));
    }

    /// When it ended.
    pub fn ended_at(&self) -> Timestamp {
        self.ended.get().map_or_else(Timestamp::now, |(at, _)| *at)
    }

    /// How it ended, once the parent has reaped it; unknown if that takes too long or the kernel does
    /// not reveal it. Cancel safe: a later call goes on with the wait.
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
                    debug!(pid = %self.id, "the parent has not reaped the process, so its status is unknown");
                    return ExitStatus::Unknown;
                }
                // For a moment after the reap the process is gone and its status is not stored yet; on
                // kernels before 6.15 it never is.
                Err(error) if gone < RETRIES_IF_GONE && is_gone(&error) => gone += 1,
                Err(error) => {
                    debug!(pid = %self.id, %error, "the kernel does not reveal how a process ended");
                    return ExitStatus::Unknown;
                }
            }
            // The descriptor hangs up when the parent reaps the process.
            if let Ok(Ok(mut guard)) = timeout(self.step, self.descriptor.readable()).await {
                guard.clear_ready();
            }
            self.step = (self.step * 2).min(UNTIL_REAPED);
        }
    }

    /// `PIDFD_GET_INFO` (Linux 6.13; with the exit code from 6.15): the status as wait(2) lays it out.
    fn exit_code(&self) -> io::Result<Option<i32>> {
        // SAFETY: the structure consists of integers, and zero is a valid integer.
        let mut info: libc::pidfd_info = unsafe { mem::zeroed() };
        info.mask = libc::PIDFD_INFO_EXIT.into();
        // SAFETY: the descriptor is open, and the kernel writes at most as many bytes as the structure
        // has, because the request's number carries its size.
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
        let has_status = info.mask & u64::from(libc::PIDFD_INFO_EXIT) != 0;
        Ok(has_status.then_some(info.exit_code))
    }
}

/// Whether a descriptor's process still has its pid: it lives, or its parent has not reaped it.
fn has_pid(descriptor: &OwnedFd) -> bool {
    let path = format!("/proc/self/fdinfo/{}", descriptor.as_raw_fd());
    // We are closed to readers (`confine::close`). Before Linux 5.14 that hides this file from ourselves,
    // unless we are root.
    let Ok(text) = fs::read_to_string(path) else {
        return takes_signals(descriptor);
    };
    let mut lines = text.lines();
    let pid = lines.find_map(|line| line.strip_prefix("Pid:"));
    pid.is_some_and(|pid| pid.trim().parse::<i32>().is_ok_and(|pid| pid > 0))
}

/// The same question, answered by the signal 0, which only checks.
fn takes_signals(descriptor: &OwnedFd) -> bool {
    let no_information: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: the descriptor is open, and the kernel accepts a null pointer.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            descriptor.as_raw_fd(),
            0,
            no_information,
            0,
        )
    };
    sent == 0 || !is_gone(&io::Error::last_os_error())
}

fn is_gone(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_has_its_pid_until_it_is_reaped() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = Pid::from_child(&child);
        let descriptor = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        assert!(has_pid(&descriptor) && takes_signals(&descriptor));
        child.wait().unwrap();
        assert!(!has_pid(&descriptor) && !takes_signals(&descriptor));
    }
}
