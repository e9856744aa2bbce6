//! Mains that are no shell scripts.

use std::hint::black_box;
use std::process;
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// The exit code of [`leader_first`].
pub const LEADER_FIRST: i32 = 6;

/// A main whose first thread ends before the second one, which ends the process.
///
/// # Errors
/// If no thread can be started.
pub fn leader_first() -> Result<bool> {
    thread::Builder::new().spawn(|| {
        thread::sleep(Duration::from_millis(500));
        process::exit(LEADER_FIRST);
    })?;
    // SAFETY: the call ends only this thread. The other one needs no value of it, and no destructor.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
    unreachable!("the thread has ended");
}

/// Allocates memory until the OOM killer ends the process.
///
/// # Errors
/// It does not return.
pub fn hog() -> Result<bool> {
    let mut taken = Vec::new();
    loop {
        taken.push(black_box(vec![1_u8; 1 << 20]));
    }
}
