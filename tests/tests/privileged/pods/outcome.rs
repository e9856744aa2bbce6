//! The checks of scenarios' outcomes.

use copilot_tests::fixture::Outcome;

pub const FLYTE_NAMING: &str = "as Flyte names";
pub const OUTPUT_VOLUME: &str = "mounts the output directory";
pub const NAMED: &str = "named by --main-container";
pub const ELIMINATION: &str = "elimination";

/// Checks that `watcher` saw main start and end, and that main was found by the rule `found`.
#[track_caller]
pub fn assert_seen(outcome: &Outcome, watcher: &str, found: &str) {
    let timeline = &outcome.timeline;
    assert_eq!(timeline["watcher"], watcher, "{outcome:?}");
    let rule = timeline["main_found"].as_str().unwrap_or_default();
    assert!(rule.contains(found), "{outcome:?}");
    let at = |point: &str| timeline["since_start_ms"][point].as_f64();
    let (attached, started, exited) = (at("attached"), at("started"), at("exited"));
    assert!(
        started.is_some() && attached <= exited && started <= exited,
        "{outcome:?}"
    );
}

/// Checks how main ended, if the watcher can tell; other watchers must say that they cannot.
#[track_caller]
pub fn assert_status(outcome: &Outcome, watcher: &str, words: &str) {
    let words = if tells_status(watcher) {
        words
    } else {
        "ended (how is not known)"
    };
    assert_eq!(outcome.timeline["status"], words, "{outcome:?}");
}

/// Whether a watcher learns how a process ended.
pub fn tells_status(watcher: &str) -> bool {
    watcher != "proc"
}

/// Lines of the sidecar's log that warn.
pub fn warnings(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.ended.stderr.lines();
    lines.filter(|line| line.contains("\"warning\"")).collect()
}
