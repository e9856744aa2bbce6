//! Mains that a shell cannot play.

use std::hint::black_box;
use std::process;
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// The exit code of [`leader_first`].
pub const LEADER_FIRST: i32 = 6;

/// Its first thread ends before the others; the second ends the process.
///
/// # Errors
/// If no thread can be started.
pub fn leader_first() -> Result<bool> {
    thread::Builder::new().spawn(|| {
        thread::sleep(Duration::from_millis(500));
        process::exit(LEADER_FIRST);
    })?;
    // SAFETY: no value of this thread is needed by the other, and none of its destructors either.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
    unreachable!("the thread has ended");
}

/// Takes memory until it is killed for it.
///
/// # Errors
/// None: it does not return.
pub fn hog() -> Result<bool> {
    let mut taken = Vec::new();
    loop {
        taken.push(black_box(vec![1_u8; 1 << 20]));
    }
}
