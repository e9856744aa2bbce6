//! A slow timer that costs one wake-up per tick.
//!
//! Tokio keeps its timers in a hierarchical wheel, and wakes us several times for one far timer. A
//! timer of the kernel (timerfd) wakes us once.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// A periodic timer of the kernel.
#[derive(Debug)]
pub struct Tick(AsyncFd<OwnedFd>);

impl Tick {
    /// A timer that ticks at this interval.
    pub fn every(interval: Duration) -> io::Result<Self> {
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK,
        )?;
        let tick = Self(super::register(timer)?);
        tick.change(interval)?;
        Ok(tick)
    }

    /// Ticks at this interval from now on.
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
            // Tokio shuts down.
            return std::future::pending().await;
        };
        let mut count = [0; 8];
        // The read resets the timer; how often it has ticked does not matter.
        let _ = rustix::io::read(guard.get_inner(), &mut count);
        guard.clear_ready();
    }
}
