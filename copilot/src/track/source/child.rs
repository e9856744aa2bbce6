//! The `child` source: a process that we have started ourselves, as `copilot run` does. Its parent learns exactly
//! how it ended, so nothing else is needed, and nothing is missed.
//!
//! Sees one process: the first one of its container. Cannot see whether the out-of-memory killer sent a signal.
//! `--watcher` does not name it: a sidecar starts nothing.

use std::{
    collections::VecDeque,
    future::pending,
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    process::Child,
};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::unix::AsyncFd;
use tracing::debug;

use super::register;
use crate::track::{
    ContainerId, Event, ExitStatus, ProcessId, Timestamp,
    process::{self, TICK, process_id},
};

/// Watches a process of our own, and reaps it.
#[derive(Debug)]
pub struct ChildSource {
    child: Child,
    descriptor: AsyncFd<OwnedFd>,
    process: ProcessId,
    container: ContainerId,
    queue: VecDeque<Event>,
    has_ended: bool,
}

impl ChildSource {
    /// The source of a process that has just been started as the first one of `container`. Needs a running tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// The kernel refuses a descriptor of the process.
    pub fn new(child: Child, container: ContainerId) -> io::Result<Self> {
        let pid = Pid::from_child(&child);
        let descriptor = register(pidfd_open(pid, PidfdFlags::empty())?)?;
        // It holds its pid until we reap it, also if it has ended already.
        let stat = procfs::process::Process::new(pid.as_raw_nonzero().get())
            .ok()
            .and_then(|process| process::stat(&process).ok());
        let process = stat.as_ref().map_or_else(
            || ProcessId {
                started: Timestamp::now().0 / TICK,
                pid: child.id().into(),
            },
            process_id,
        );
        let queue = [
            Event::ContainerSeen {
                container: container.clone(),
                evidence: None,
            },
            Event::ProcessStarted {
                process,
                container: container.clone(),
                // More exact than the process's own start, in hundredths of a second.
                at: Timestamp::now(),
                entered: true,
            },
        ];
        Ok(Self {
            child,
            descriptor,
            process,
            container,
            queue: queue.into(),
            has_ended: false,
        })
    }

    /// The next event. Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Event {
        if let Some(event) = self.queue.pop_front() {
            return event;
        }
        if self.has_ended || self.descriptor.readable().await.is_err() {
            return pending().await;
        }
        self.has_ended = true;
        let status = match self.child.wait() {
            Ok(status) => ExitStatus::from_wait(status.into_raw(), false),
            Err(error) => {
                debug!(%error, "the status of our child is unknown");
                ExitStatus::Unknown
            }
        };
        Event::ProcessExited {
            process: self.process,
            container: Some(self.container.clone()),
            status,
            at: Timestamp::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    async fn a_child_is_seen_to_begin_and_to_end_however_fast_it_is() {
        for (script, expected) in [
            ("exit 7", ExitStatus::Code(7)),
            ("true", ExitStatus::Code(0)),
            ("kill -9 $$", ExitStatus::from_wait(9, false)),
        ] {
            let child = Command::new("sh").args(["-c", script]).spawn().unwrap();
            let container = ContainerId::new("main");
            let mut source = ChildSource::new(child, container.clone()).unwrap();
            assert!(matches!(source.next().await, Event::ContainerSeen { .. }));
            assert!(matches!(
                source.next().await,
                Event::ProcessStarted { entered: true, .. }
            ));
            let Event::ProcessExited { status, .. } = source.next().await else {
                panic!("it ends");
            };
            assert_eq!(status, expected, "{script}");
        }
    }
}
