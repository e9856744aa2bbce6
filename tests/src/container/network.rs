//! A pod's network, entered from the test process: so a server of a test's own listens where only
//! the pod can reach it, and nothing leaves the pod.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace.
#[derive(Debug)]
pub struct Network(File);

impl Network {
    /// That of a process.
    pub(super) fn of(pid: i32) -> io::Result<Self> {
        File::open(format!("/proc/{pid}/ns/net")).map(Self)
    }

    /// Runs `work` inside, on a thread of its own. The sockets and threads that it makes stay there.
    ///
    /// # Panics
    /// If `work` does.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))?;
                work()
            });
            inside.join().expect("the work inside the network panicked")
        })
    }
}
