//! Watches that are closed, interrupted and refused; an API server that stops and starts again.

use copilot_tests::kube::Behaviour;

use super::fixture::KubeFixture;

/// Whatever happens to the watch, main's end is reported when it continues.
#[track_caller]
fn goes_on_after(disturb: impl Fn(&KubeFixture)) -> String {
    let mut fixture = KubeFixture::start();
    let sidecar = fixture.watched(&[]);
    fixture.main_runs();
    sidecar.says("main started");
    let before = fixture.api.watches();
    disturb(&fixture);
    fixture.api.behave(Behaviour::Normal);
    fixture.api.is_watched_after(before);
    fixture.main_ends(7, "Error");
    let outcome = fixture.reported(sidecar, "MainFailed", "code 7");
    outcome.ended.stderr
}

#[test]
fn a_closed_watch_is_resumed_from_where_it_ended() {
    let mut fixture = KubeFixture::start();
    let sidecar = fixture.watched(&[]);
    fixture.main_runs();
    sidecar.says("main started");
    for _ in 0..3 {
        let before = fixture.api.watches();
        fixture.api.bookmark();
        fixture.api.close_watches();
        fixture.api.is_watched_after(before);
    }
    fixture.main_ends(0, "Completed");
    let log = fixture.committed(sidecar).ended.stderr;
    assert!(!log.contains("gives no usable answer"), "{log}");
    let asked = fixture.api.asked();
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
    goes_on_after(|fixture| fixture.api.break_watches());
}

#[test]
fn a_version_that_is_too_old_makes_it_list_anew() {
    // With an event in the open watch.
    let log = goes_on_after(|fixture| fixture.api.forget());
    assert!(!log.contains("gives no usable answer"), "{log}");
    // With the answer to the next watch.
    goes_on_after(|fixture| {
        fixture.api.behave(Behaviour::RefusesWatches(410));
        let before = fixture.api.watches();
        fixture.api.close_watches();
        copilot_tests::binary::wait_until("it asks again", || fixture.api.watches() > before + 1);
    });
}

#[test]
fn changes_during_an_outage_are_not_missed() {
    let mut fixture = KubeFixture::start();
    let sidecar = fixture.watched(&[]);
    fixture.api.behave(Behaviour::Refuses(503));
    fixture.api.close_watches();
    sidecar.says("gives no usable answer");
    fixture.main_runs();
    fixture.main_ends(0, "Completed");
    // Even the versions of that time are no longer known.
    fixture.api.forget();
    fixture.api.behave(Behaviour::Normal);
    let log = fixture.committed(sidecar).ended.stderr;
    assert!(log.contains("reports our pod again"), "{log}");
}

#[test]
fn errors_within_a_watch_are_retried_and_logged_once() {
    for code in [500, 429] {
        let log = goes_on_after(|fixture| fixture.api.send_error(code));
        assert_eq!(log.matches("gives no usable answer").count(), 1, "{log}");
    }
    goes_on_after(|fixture| fixture.api.send_garbage());
    let log = goes_on_after(|fixture| fixture.api.send_flood());
    assert!(log.contains("a pod is never that large"), "{log}");
}

#[test]
fn lost_rights_are_logged_once_and_tried_again() {
    let log = goes_on_after(|fixture| {
        fixture.api.behave(Behaviour::Refuses(403));
        let before = fixture.api.watches();
        fixture.api.close_watches();
        copilot_tests::binary::wait_until("it keeps asking", || fixture.api.watches() > before + 2);
    });
    assert_eq!(log.matches("gives no usable answer").count(), 1, "{log}");
}
