//! `kill -9` at any moment of both jobs, in both upload modes, with lives that share their prefixes and their
//! volume. Whatever is committed is complete and of one life. The last life is not killed: it ends well and
//! leaves nothing that no reader looks for.
//!
//! A kill comes at random, or at the n-th request, so that each phase is met on purpose.
//! `COPILOT_KILLS=1000` sets the number of kills, and `COPILOT_KILL_SEED` repeats those of a seed.

mod down;
mod life;
mod up;
mod world;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use copilot_tests::minio::{MINIO, Minio};
use copilot_tests::requirement::Requirement;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use self::world::Kind;

/// Kills without `COPILOT_KILLS`.
const KILLS: u64 = 40;

/// Rounds that run side by side. Most of their time they wait.
const AT_ONCE: usize = 4;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn what_is_committed_is_complete_and_of_one_life() {
    let kills = number("COPILOT_KILLS").unwrap_or(KILLS);
    let seed = number("COPILOT_KILL_SEED").unwrap_or_else(|| rand::random_range(0..1 << 48));
    println!("COPILOT_KILL_SEED={seed} COPILOT_KILLS={kills}");
    let minio = Requirement::Emulator(MINIO)
        .is_met()
        .then(|| Minio::start().unwrap());
    let (round, killed) = (AtomicU64::new(0), AtomicU64::new(0));
    let play = || {
        while killed.load(Ordering::Relaxed) < kills {
            let round = round.fetch_add(1, Ordering::Relaxed);
            let random = SmallRng::seed_from_u64(seed + round);
            let played = catch_unwind(AssertUnwindSafe(|| play(round, random, minio.as_ref())));
            match played {
                Ok(times) => killed.fetch_add(times, Ordering::Relaxed),
                Err(panic) => {
                    eprintln!("round {round} of seed {seed}");
                    // The other rounds end, too.
                    killed.store(kills, Ordering::Relaxed);
                    resume_unwind(panic);
                }
            };
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(play)).collect();
        let failed = workers.into_iter().filter_map(|worker| worker.join().err());
        assert_eq!(failed.count(), 0, "COPILOT_KILL_SEED={seed}");
    });
    let killed = killed.into_inner();
    println!("{killed} kills in {} rounds", round.into_inner());
}

/// A round: lives that are killed, and the last one. Returns how many were killed.
fn play(round: u64, mut random: SmallRng, minio: Option<&Minio>) -> u64 {
    let kind = match random.random_range(0..4) {
        0 => Kind::Local,
        1 if minio.is_some() => Kind::Minio,
        _ => Kind::InProcess,
    };
    if random.random_range(0..4) == 0 {
        down::play(round, random, kind, minio)
    } else {
        up::play(round, random, kind, minio)
    }
}
