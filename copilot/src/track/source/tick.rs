//! A slow clock that costs one wake-up a tick.
//!
//! The runtime's own timers lie in a wheel of wheels: a far one wakes us several times on its way
//! down. The kernel's do not.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// Ticks for ever.
#[derive(Debug)]
pub struct Tick(AsyncFd<OwnedFd>);

impl Tick {
    /// Ticks after each such time.
    pub fn every(interval: Duration) -> io::Result<Self> {
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK,
        )?;
        let tick = Self(super::register(timer)?);
        tick.change(interval)?;
        Ok(tick)
    }

    /// From now on ticks after each such time.
    pub fn change(&self, interval: Duration) -> io::Result<()> {
        let interval = Timespec {
            tv_sec: i64::try_from(interval.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: interval.subsec_nanos().into(),
        };
        let setting = Itimerspec {
            it_interval: interval,
            it_value: interval,
        };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &setting)?;
        Ok(())
    }

    /// Waits for the next tick.
    pub async fn passed(&mut self) {
        let Ok(mut guard) = self.0.readable_mut().await else {
            // The runtime is going down.
            return std::future::pending().await;
        };
        let mut count = [0; 8];
        // The count of ticks is of no interest, only that it is read.
        let _ = rustix::io::read(guard.get_inner(), &mut count);
        guard.clear_ready();
    }
}
