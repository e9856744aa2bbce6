//! Watches that are closed, broken and refused; an API server that goes away and comes back.

use copilot_tests::kube::Mood;

use super::stage::Stage;

/// Whatever happens to the watch, main's end is told once it goes on.
#[track_caller]
fn goes_on_after(disturb: impl Fn(&Stage)) -> String {
    let mut stage = Stage::set();
    let sidecar = stage.watched(&[]);
    stage.main_runs();
    sidecar.says("main started");
    let before = stage.api.watches();
    disturb(&stage);
    stage.api.be(Mood::Well);
    stage.api.is_watched_after(before);
    stage.main_ends(7, "Error");
    let ended = sidecar.ended();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let document = stage.task.document("error.pb").expect("it is written");
    assert_eq!(document.code, "MainFailed", "{}", ended.stderr);
    assert!(document.message.contains("code 7"), "{}", document.message);
    ended.stderr
}

#[test]
fn a_closed_watch_is_resumed_from_where_it_ended() {
    let mut stage = Stage::set();
    let sidecar = stage.watched(&[]);
    stage.main_runs();
    sidecar.says("main started");
    for _ in 0..3 {
        let before = stage.api.watches();
        stage.api.bookmark();
        stage.api.close_watches();
        stage.api.is_watched_after(before);
    }
    stage.main_ends(0, "Completed");
    let log = stage.committed(sidecar);
    assert!(!log.contains("gives no usable answer"), "{log}");
    let asked = stage.api.asked();
    // One list; then each watch from a later version than the one before.
    assert_eq!(asked.iter().filter(|asked| !asked.watch).count(), 1);
    let versions: Vec<u64> = asked[1..]
        .iter()
        .map(|asked| asked.version.as_ref().unwrap().parse().unwrap())
        .collect();
    assert!(versions.is_sorted() && versions.len() >= 4, "{versions:?}");
    assert!(versions.last() > versions.first(), "{versions:?}");
}

#[test]
fn a_broken_watch_is_resumed() {
    goes_on_after(|stage| stage.api.break_watches());
}

#[test]
fn a_version_that_is_too_old_makes_it_list_anew() {
    // By an event in the open watch.
    let log = goes_on_after(|stage| stage.api.forget());
    assert!(!log.contains("gives no usable answer"), "{log}");
    // By the answer to the next watch.
    goes_on_after(|stage| {
        stage.api.be(Mood::RefusesWatches(410));
        let before = stage.api.watches();
        stage.api.close_watches();
        copilot_tests::binary::wait_until("it asks again", || stage.api.watches() > before + 1);
    });
}

#[test]
fn what_happened_while_nothing_could_be_heard_is_not_missed() {
    let mut stage = Stage::set();
    let sidecar = stage.watched(&[]);
    stage.api.be(Mood::Refuses(503));
    stage.api.close_watches();
    sidecar.says("gives no usable answer");
    stage.main_runs();
    stage.main_ends(0, "Completed");
    // Not even the versions of that time are kept.
    stage.api.forget();
    stage.api.be(Mood::Well);
    let log = stage.committed(sidecar);
    assert!(log.contains("reports our pod again"), "{log}");
}

#[test]
fn errors_within_a_watch_are_survived_and_said_once() {
    for code in [500, 429] {
        let log = goes_on_after(|stage| stage.api.err_in_watches(code));
        assert_eq!(log.matches("gives no usable answer").count(), 1, "{log}");
    }
    goes_on_after(|stage| stage.api.babble_in_watches());
    let log = goes_on_after(|stage| stage.api.flood_watches());
    assert!(log.contains("never that large"), "{log}");
}

#[test]
fn rights_that_are_taken_away_are_said_once_and_asked_for_again() {
    let log = goes_on_after(|stage| {
        stage.api.be(Mood::Refuses(403));
        let before = stage.api.watches();
        stage.api.close_watches();
        copilot_tests::binary::wait_until("it keeps asking", || stage.api.watches() > before + 2);
    });
    assert_eq!(log.matches("gives no usable answer").count(), 1, "{log}");
}
