//! Random pods on a slow node: a watcher that sees processes always learns of main's end before SIGTERM.
//!
//! `COPILOT_TEST_PODS` is their number (24), `COPILOT_TEST_SEED` selects them.

use std::env;
use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use copilot_tests::binary::wait_until;
use copilot_tests::container::{Layout, NodeKind, Pids};
use copilot_tests::fixture::NAME;
use copilot_tests::requirement::Requirement;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rustix::process::Signal;

use super::fixture::{ContainerFixture, WORKS};

/// How many pods run in parallel.
const AT_ONCE: usize = 4;

/// What the log says once a main's end is known.
const KNOWN: [&str; 2] = [
    "main ended",
    "the container that seemed to be main has ended",
];

#[test]
fn the_end_of_main_is_known_before_sigterm() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let seed = number("COPILOT_TEST_SEED").unwrap_or_else(rand::random);
    let pods = number("COPILOT_TEST_PODS").unwrap_or(24);
    println!("COPILOT_TEST_SEED={seed} COPILOT_TEST_PODS={pods}");
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                NodeKind::SlowProc.run(|| {
                    let count = || next.fetch_add(1, Ordering::Relaxed);
                    for count in iter::repeat_with(count).take_while(|count| *count < pods) {
                        let seed = seed.wrapping_add(count);
                        RandomPod::from_seed(seed).play(seed);
                    }
                });
            });
        }
    });
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("the variable is a number"))
}

/// The random properties of a pod.
#[derive(Debug)]
struct RandomPod {
    watcher: &'static str,
    pids: Pids,
    main: &'static str,
    before: Duration,
    lives: Duration,
    ends: End,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    Code,
    Killed,
}

impl RandomPod {
    fn from_seed(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let watchers = [
            ("ebpf", Pids::Shared),
            ("ebpf", Pids::Separate),
            ("pidfd", Pids::Shared),
        ];
        let (watcher, pids) = *watchers.choose(&mut random).unwrap();
        let mut milliseconds = |most: u64| Duration::from_millis(random.random_range(0..=most));
        let (before, lives) = (milliseconds(300), milliseconds(200));
        Self {
            watcher,
            pids,
            main: [NAME, "trainer"].choose(&mut random).unwrap(),
            before,
            lives,
            ends: *[End::Well, End::Code, End::Killed]
                .choose(&mut random)
                .unwrap(),
        }
    }

    fn script(&self) -> String {
        let end = match self.ends {
            End::Well => "exit 0",
            End::Code => "exit 7",
            // Until it is killed: the first process of a pid namespace cannot kill itself.
            End::Killed => "echo done > /gates/done; exec sleep 600",
        };
        format!("{WORKS}; sleep {}; {end}", self.lives.as_secs_f64())
    }

    /// Main always writes complete outputs, however it ends: so a bad end that is mistaken for a good one
    /// leads to a commit.
    fn play(&self, seed: u64) {
        println!("{seed}: {self:?}");
        let fixture = ContainerFixture::start_on(self.watcher, Layout::default(), self.pids);
        let sidecar = fixture.attach(&[]);
        thread::sleep(self.before);
        let main = fixture.run(&fixture.worker(self.main, &self.script()));
        if let End::Killed = self.ends {
            let done = fixture.task.pod.volume("gates").unwrap().join("done");
            wait_until("main has done its work", || done.exists());
            main.signal(Signal::KILL).unwrap();
        }
        main.wait().unwrap();
        wait_until("main's end is known", || {
            let log = sidecar.log();
            KNOWN.iter().any(|words| log.contains(words))
        });
        sidecar.signal(Signal::TERM).unwrap();
        let outcome = fixture.task.outcome(&sidecar).unwrap();
        match self.ends {
            End::Well => outcome.assert_committed("hello"),
            End::Code => _ = outcome.assert_reported("MainFailed", "exited with code 7"),
            End::Killed => _ = outcome.assert_reported("Interrupted", "signal 9 (SIGKILL)"),
        }
    }
}
