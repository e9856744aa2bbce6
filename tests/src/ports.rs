//! Ports for programs that need a port number before they bind it.
//!
//! The ports lie below the range from which the kernel serves connections and servers that ask for any
//! port. So only another program with a fixed port can take one in the meantime, and a client that polls
//! such a port never connects to itself. The caller tries again with another port if the program ends.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The first port: below are those of well-known services.
const FIRST: u32 = 15_000;

/// How many ports are tried.
const TRIES: u32 = 500;

/// A loopback port that nothing listens at. No port comes twice from one process.
///
/// # Errors
/// If no port is free.
pub fn free() -> io::Result<u16> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let ports = u32::from(ephemeral()).saturating_sub(FIRST).max(1000);
    let mut last = io::Error::other("no port was tried");
    for _ in 0..TRIES {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (begin().wrapping_add(count)) % ports;
        let port = u16::try_from(port).map_err(io::Error::other)?;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Where the kernel's own range begins.
fn ephemeral() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range.ok().and_then(|range| {
        let first = range.split_whitespace().next()?;
        first.parse().ok()
    });
    first.unwrap_or(32_768)
}

/// Where this process begins: elsewhere than another one that runs now.
fn begin() -> u32 {
    static BEGIN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *BEGIN.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = now.map_or(0, |now| now.subsec_nanos());
        process::id().wrapping_mul(7919).wrapping_add(nanos / 1000)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_not_the_kernels() {
        let first = free().expect("a port is free");
        let second = free().expect("a port is free");
        assert_ne!(first, second);
        assert!(first < ephemeral() || ephemeral() < 16_000);
    }
}
