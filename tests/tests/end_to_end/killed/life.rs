//! One life of a process, and when it is killed.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use copilot_tests::binary::{Ended, PATIENCE, Running};
use copilot_tests::fault::{Fault, FaultProxy};
use rand::RngExt as _;
use rand::rngs::SmallRng;
use rustix::process::{Pid, Signal, kill_process};

use super::world::World;

/// When a life is killed.
#[derive(Clone, Copy, Debug)]
pub enum Kill {
    Never,
    /// This long after its start.
    After(Duration),
    /// When its n-th request comes, from 0; the server gets the request or not, and its answer may be lost.
    At {
        request: u64,
        is_served: bool,
    },
}

impl Kill {
    /// A moment within the first `longest` of a life, or one of its first `requests`.
    pub fn random(
        random: &mut SmallRng,
        longest: Duration,
        requests: u64,
        world: &World<'_>,
    ) -> Self {
        if world.address().is_some() && random.random_range(0..3) > 0 {
            return Self::At {
                request: random.random_range(0..requests),
                is_served: random.random(),
            };
        }
        Self::After(longest.mul_f64(random.random_range(0.0..1.0)))
    }
}

/// Runs a life. `command` gets the endpoint of the store; `main` plays main beside the process and returns
/// when main has ended, or the process has.
pub fn live(
    world: &World<'_>,
    kill: Kill,
    command: impl FnOnce(&str) -> Command,
    main: impl FnOnce(&mut Running),
) -> Ended {
    let pid = Arc::new(AtomicI32::new(0));
    let proxy = world
        .address()
        .map(|address| proxy(address, kill, Arc::clone(&pid)));
    let endpoint = proxy
        .as_ref()
        .map_or_else(String::new, FaultProxy::endpoint);
    let mut life = Running::start(&mut command(&endpoint));
    pid.store(life.id().cast_signed(), Ordering::Release);
    let ended = thread::scope(|scope| {
        if let Kill::After(time) = kill {
            let pid = &pid;
            scope.spawn(move || {
                let since = Instant::now();
                while since.elapsed() < time && pid.load(Ordering::Acquire) != 0 {
                    thread::sleep(Duration::from_millis(1));
                }
                shoot(pid);
            });
        }
        main(&mut life);
        let since = Instant::now();
        while life.runs() {
            assert!(
                since.elapsed() < PATIENCE,
                "the process does not end: {kill:?}"
            );
            thread::sleep(Duration::from_millis(1));
        }
        // No kill from now on: the number may be another process's.
        pid.store(0, Ordering::Release);
        life.ended()
    });
    // The connections of the dead process end with the proxy, and the server notices that.
    drop(proxy);
    if ended.status.code().is_none() {
        thread::sleep(Duration::from_millis(100));
    }
    ended
}

fn proxy(address: std::net::SocketAddr, kill: Kill, pid: Arc<AtomicI32>) -> FaultProxy {
    let count = AtomicU64::new(0);
    let choose = move |_: &_| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let Kill::At { request, is_served } = kill else {
            return Fault::None;
        };
        if number != request {
            return Fault::None;
        }
        if is_served {
            // The request is passed on before the kill, or cut by it.
            let pid = Arc::clone(&pid);
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(10));
                shoot(&pid);
            });
            return Fault::StallAfter(0);
        }
        shoot(&pid);
        Fault::Hangup
    };
    FaultProxy::start(address, choose).unwrap()
}

/// Kills the process, if it has not ended.
fn shoot(pid: &AtomicI32) {
    if let Some(pid) = Pid::from_raw(pid.load(Ordering::Acquire)) {
        let _ = kill_process(pid, Signal::KILL);
    }
}
