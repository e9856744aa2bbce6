//! Servers of random nature: the file is one whole version, or the run fails; and if the object never
//! changes, the run succeeds.
//!
//! `COPILOT_RESUMPTION_RUNS` sets the number of runs, `COPILOT_FAULT_SEED` the seed of the first one. A run's
//! own seed repeats it.

use std::env;

use copilot_tests::fault::Chance;
use copilot_tests::site::bytes;

use super::server::{Condition, Length, Modified, Nature, Ranges, Server, Tag};
use super::{Client, PART, WAYS};
use crate::faults::seed;

const TAGS: [Tag; 6] = [
    Tag::None,
    Tag::Strong,
    Tag::Bare,
    Tag::Weak,
    Tag::Alike,
    Tag::Changing,
];
const TIMES: [Modified; 4] = [
    Modified::None,
    Modified::Old,
    Modified::Now,
    Modified::Garbled,
];
const CONDITIONS: [Condition; 5] = [
    Condition::Honoured,
    Condition::Ignored,
    Condition::Refused(400),
    Condition::Refused(412),
    Condition::Refused(501),
];
const LENGTHS: [Length; 3] = [Length::Announced, Length::Chunked, Length::Unmarked];
const RANGES: [Ranges; 16] = [
    Ranges::Right,
    Ranges::Right,
    Ranges::Right,
    Ranges::Ignored,
    Ranges::Refused(400),
    Ranges::Refused(416),
    Ranges::Refused(501),
    Ranges::AtMost(300),
    Ranges::Shifted(-7),
    Ranges::Shifted(7),
    Ranges::Wrong(1, 1, 0),
    Ranges::Wrong(0, -1, 0),
    Ranges::Wrong(0, 0, 7),
    Ranges::Says(None),
    Ranges::Unsized,
    Ranges::Excess,
];

fn one_of<T: Copy>(chance: &mut Chance, choices: &[T]) -> T {
    choices[chance.below(choices.len())]
}

/// Sizes below, at and above those of parts. No two versions differ by a length at which answers break.
fn size(chance: &mut Chance) -> usize {
    match chance.below(6) {
        0 => chance.below(3),
        1 => PART + chance.below(3) - 1,
        _ => chance.below(6 * PART),
    }
}

/// The versions that the object has, one after the other.
fn versions(chance: &mut Chance) -> Vec<Vec<u8>> {
    let first = size(chance);
    let count = 1 + chance.below(4);
    (0..count)
        .map(|_| {
            let size = match chance.below(2) {
                0 => first,
                _ => size(chance),
            };
            bytes(size, chance.number())
        })
        .collect()
}

/// Offsets at which answers break: all different, and none the size of a version. If nothing marks the end
/// of an answer, nobody can tell a cut answer from a whole one of that size.
fn breaks(chance: &mut Chance, versions: &[Vec<u8>], count: usize) -> Vec<usize> {
    let mut breaks = Vec::new();
    for _ in 0..count {
        let at = chance.below(2 * PART);
        let is_size = versions.iter().any(|version| version.len() == at);
        if !is_size && !breaks.contains(&at) {
            breaks.push(at);
        }
    }
    breaks
}

/// A server. If its object changes, it may do so more often than a client tries.
fn nature(chance: &mut Chance, versions: &[Vec<u8>]) -> Nature {
    let never_rests = versions.len() > 1 && chance.below(8) == 0;
    let (changes, count) = if never_rests {
        (60, 60)
    } else {
        (versions.len() - 1, chance.below(4))
    };
    Nature {
        tag: one_of(chance, &TAGS),
        modified: one_of(chance, &TIMES),
        ranges: one_of(chance, &RANGES),
        condition: one_of(chance, &CONDITIONS),
        length: one_of(chance, &LENGTHS),
        forgets: chance.below(8) == 0,
        changes: (0..changes).map(|_| 1 + chance.below(3 * PART)).collect(),
        breaks: breaks(chance, versions, count),
    }
}

#[tokio::test]
async fn the_file_is_one_whole_version_or_the_run_fails() {
    let runs = env::var("COPILOT_RESUMPTION_RUNS").ok();
    let runs = runs.map(|runs| runs.parse().expect("COPILOT_RESUMPTION_RUNS is a number"));
    let (runs, seed): (u64, u64) = (runs.unwrap_or(500), seed());
    eprintln!("COPILOT_FAULT_SEED={seed}");
    let server = Server::start();
    let client = Client::of(&server);
    let (mut succeeded, mut requests) = (0, 0);
    for number in 0..runs {
        let seed = seed.wrapping_add(number);
        let mut chance = Chance::new(seed);
        let versions = versions(&mut chance);
        let nature = nature(&mut chance, &versions);
        let way = one_of(&mut chance, &WAYS);
        let sizes: Vec<usize> = versions.iter().map(Vec::len).collect();
        let story = format!("COPILOT_FAULT_SEED={seed}: {way:?}, sizes {sizes:?}, {nature:?}");
        server.becomes(nature, versions.clone());
        match client.read(way).await {
            Ok(read) => {
                assert!(
                    versions.contains(&read),
                    "a mixture of {}: {story}",
                    read.len()
                );
                succeeded += 1;
            }
            Err(error) => assert!(versions.len() > 1, "{error}: {story}"),
        }
        requests += server.asked().len();
    }
    eprintln!(
        "{succeeded} of {runs} runs succeeded, by {requests} requests; the others were refused"
    );
    assert!(succeeded > runs / 2, "{succeeded} succeeded");
}
