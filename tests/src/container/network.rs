//! A pod's network, which the test process can enter: so a server of the test listens where only the pod
//! reaches it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace.
#[derive(Debug)]
pub struct Network(File);

impl Network {
    /// The network of a process.
    pub(super) fn from_process(pid: i32) -> io::Result<Self> {
        File::open(format!("/proc/{pid}/ns/net")).map(Self)
    }

    /// Runs `work` in this network, on a thread of its own. Its sockets and threads stay in the network.
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
