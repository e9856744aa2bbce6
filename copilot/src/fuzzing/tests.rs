use std::fs;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

/// New inputs of each target. The fuzzer itself runs more of them: `cargo xtask fuzz`.
const NEW: usize = 1_500;

/// The largest input that is made, in bytes.
const LONGEST: usize = 4 << 10;

/// Words that parsers look for.
const WORDS: [&str; 24] = [
    "<Contents><Key>",
    "</Key>",
    "<IsTruncated>true</IsTruncated>",
    "<![CDATA[",
    "&#0;",
    "&amp;",
    "{\"",
    "\":[",
    "\\u0000",
    "\u{202e}",
    "-9223372036854775808",
    "1e999",
    "%2F",
    "..",
    "://",
    "?",
    "#",
    "<<: *a",
    "&a ",
    "*a",
    "\n",
    "\0",
    "\u{feff}",
    "0001-01-01T00:00:00Z",
];

/// The files of a target's corpus.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(name);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// An input that differs a little from one of the corpus, or joins two.
fn changed(corpus: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut input = corpus[random.random_range(0..corpus.len())].clone();
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(0..=input.len());
        match random.random_range(0..6) {
            0 => input.truncate(at),
            1 => input.insert(at, random.random()),
            2 if at < input.len() => input[at] = random.random(),
            3 if at < input.len() => _ = input.remove(at),
            4 => {
                let word = WORDS[random.random_range(0..WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            _ => {
                let other = &corpus[random.random_range(0..corpus.len())];
                let from = random.random_range(0..=other.len());
                input.splice(at.., other[from..].iter().copied());
            }
        }
    }
    input.truncate(LONGEST);
    input
}

/// The corpus and the same new inputs in each run.
#[test]
fn each_target_takes_its_corpus_and_new_inputs() {
    for (number, (name, run)) in TARGETS.iter().enumerate() {
        let corpus = corpus(name);
        assert!(!corpus.is_empty(), "{name} has no corpus");
        for input in &corpus {
            run(input);
        }
        let mut random = StdRng::seed_from_u64(number as u64);
        for _ in 0..NEW {
            let input = changed(&corpus, &mut random);
            let taken = std::panic::catch_unwind(|| run(&input));
            assert!(
                taken.is_ok(),
                "{name}: {:?}",
                String::from_utf8_lossy(&input)
            );
        }
    }
}
