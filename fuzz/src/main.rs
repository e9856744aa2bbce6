//! Runs one target of `copilot::fuzzing` under libFuzzer: the one that `COPILOT_FUZZ_TARGET` names.
//!
//! One program for all targets: it is built once. `cargo xtask fuzz` chooses the target and the corpus.

#![no_main]

use std::sync::OnceLock;

use copilot::fuzzing::TARGETS;

/// What the chosen target does with an input.
fn chosen() -> fn(&[u8]) {
    static CHOSEN: OnceLock<fn(&[u8])> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("COPILOT_FUZZ_TARGET").unwrap_or_default();
        let found = TARGETS.iter().find(|(target, _)| *target == name);
        let names: Vec<&str> = TARGETS.iter().map(|(target, _)| *target).collect();
        let known = names.join(", ");
        found
            .unwrap_or_else(|| panic!("COPILOT_FUZZ_TARGET is {name:?}; choose one of {known}"))
            .1
    })
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| chosen()(data));
