//! Who keeps the sidecar waiting while main is not seen, or its end is in doubt.

use std::time::Duration;

use tokio::time::advance;

use super::*;
use crate::track::{
    ContainerId, Event, ExitStatus, Job, ProcessId, Timestamp,
    identify::Rules,
    mounts::{Mount, MountEvidence, Stage},
};

fn volume() -> Mount {
    Mount {
        device: "254:0".to_owned(),
        root: "/volumes/outputs".into(),
        target: "/outputs".into(),
    }
}

fn rules() -> Rules {
    Rules {
        pod_uid: Some("uid".to_owned()),
        host_name: Some("pod".to_owned()),
        output_mount: Some(volume()),
        ..Rules::default()
    }
}

/// A container of the pod; `mounts` are known at this stage, or not at all.
fn container(name: &str, mounts: Option<(Stage, Vec<Mount>)>) -> Event {
    let evidence = mounts.map(|(stage, mounts)| MountEvidence {
        stage,
        name: Some(name.to_owned()),
        pod_uid: Some("uid".to_owned()),
        mounts,
        ..MountEvidence::default()
    });
    Event::ContainerSeen {
        container: ContainerId::new(name),
        evidence,
    }
}

const fn process(pid: u64) -> ProcessId {
    ProcessId { started: pid, pid }
}

fn start(name: &str, pid: u64) -> Event {
    Event::ProcessStarted {
        process: process(pid),
        container: ContainerId::new(name),
        at: Timestamp(pid),
        entered: true,
    }
}

fn end(name: &str, pid: u64, at: u64) -> Event {
    Event::ProcessExited {
        process: process(pid),
        container: Some(ContainerId::new(name)),
        status: ExitStatus::Code(0),
        at: Timestamp(at),
    }
}

/// Whether minutes of looks come to the end, with all outputs in place.
async fn ends(rules: Rules, events: Vec<Event>) -> bool {
    ends_after(rules, events, false).await
}

async fn ends_after(rules: Rules, events: Vec<Event>, is_probed: bool) -> bool {
    moment(rules, events, is_probed).await == Some(Moment::Silence)
}

/// The moment that comes within minutes of looks, with all outputs in place.
async fn moment(rules: Rules, events: Vec<Event>, is_probed: bool) -> Option<Moment> {
    let mut tracker = Tracker::new(rules);
    for event in events {
        tracker.observe(event);
    }
    let evidence = || Some("all outputs are there".to_owned());
    let mut absence = Absence::new(&evidence, true);
    for _ in 0..80 {
        advance(Duration::from_secs(6)).await;
        let moment = absence.moment(&tracker, is_probed);
        if moment.is_some() {
            return moment;
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn only_who_may_write_outputs_keeps_the_sidecar_waiting() {
    let complete = |mounts: Vec<Mount>| Some((Stage::Complete, mounts));
    let named = |name: &str| Rules {
        main_container: Some(name.to_owned()),
        ..rules()
    };
    let elsewhere = Rules {
        output_mount: None,
        ..rules()
    };
    for (why, rules, name, mounts, expected) in [
        ("a logger", rules(), "logger", complete(vec![]), true),
        ("its mounts are not read", rules(), "logger", None, false),
        (
            "it is being made",
            rules(),
            "logger",
            Some((Stage::BeforePivot, vec![])),
            false,
        ),
        (
            "it mounts the outputs",
            named("trainer"),
            "shipper",
            complete(vec![volume()]),
            false,
        ),
        (
            "no mount of ours holds the outputs",
            elsewhere,
            "logger",
            complete(vec![]),
            false,
        ),
    ] {
        let events = vec![container(name, mounts), start(name, 5)];
        assert_eq!(ends(rules, events).await, expected, "{why}");
    }
    // Main by its name, though it mounts no outputs, is about to begin.
    for (rules, name) in [(rules(), "pod"), (named("trainer"), "trainer")] {
        let made = container(name, Some((Stage::BeforeStart, vec![])));
        assert!(!ends(rules, vec![made]).await, "{name}");
    }
    assert!(ends(rules(), vec![]).await, "nobody is there");
}

/// The end of a container that may have been an init container counts beside a logger, and not while a
/// container runs that may be main.
#[tokio::test(start_paused = true)]
async fn an_end_in_doubt_counts_beside_a_logger() {
    let logger = container("logger", Some((Stage::Complete, vec![])));
    let unread = container("unread", None);
    let trainer = container("trainer", Some((Stage::Complete, vec![volume()])));
    for (neighbour, name, pid, expected) in [
        (&logger, "logger", 3, true),
        (&logger, "logger", 30, true),
        (&unread, "unread", 30, false),
    ] {
        let events = vec![
            neighbour.clone(),
            trainer.clone(),
            start("trainer", 10),
            end("trainer", 10, 20),
            start(name, pid),
        ];
        assert_eq!(ends(rules(), events).await, expected, "{name} {pid}");
    }
}

/// A real kubelet once took 14 s from an init container that wrote all outputs to a main whose command does
/// not exist. A startup probe says that SIGTERM comes after main, so silence says nothing.
#[tokio::test(start_paused = true)]
async fn silence_says_nothing_after_a_startup_probe() {
    let init = container("prepare", Some((Stage::Complete, vec![volume()])));
    let ended = vec![init, start("prepare", 10), end("prepare", 10, 20)];
    for (is_probed, events) in [
        (true, ended.clone()),
        (false, ended),
        (true, vec![]),
        (false, vec![]),
    ] {
        let ends = ends_after(rules(), events, is_probed).await;
        assert_eq!(ends, !is_probed);
    }
}

/// Each of several sidecars that came too late would wait for the others for ever. A main may claim to be one.
#[tokio::test(start_paused = true)]
async fn a_wait_that_only_waits_for_sidecars_ends_and_not_as_silence() {
    let sharer = |name| container(name, Some((Stage::Complete, vec![volume()])));
    let copilot = |name: &str, pid| Event::CopilotSeen {
        container: ContainerId::new(name),
        process: process(pid),
        job: Some(Job::Sidecar),
    };
    let second = vec![sharer("second"), copilot("second", 10), start("second", 10)];
    let third = vec![sharer("third"), copilot("third", 11), start("third", 11)];
    let worker = vec![sharer("worker"), start("worker", 12)];
    let ended = vec![sharer("worker"), start("worker", 12), end("worker", 12, 20)];
    for (why, events, expected) in [
        ("one", vec![&second], Some(Moment::OnlyCopilots)),
        ("two", vec![&second, &third], Some(Moment::OnlyCopilots)),
        ("beside main", vec![&second, &worker], None),
        // An end in doubt: the sidecar was there before it, so nobody waits for it.
        ("after main", vec![&second, &ended], Some(Moment::Silence)),
    ] {
        let events = events.into_iter().flatten().cloned().collect();
        assert_eq!(moment(rules(), events, false).await, expected, "{why}");
    }
    assert_eq!(moment(rules(), second, true).await, None, "SIGTERM comes");
    // One that began after the only end may be main, after an init container.
    let mut events = vec![sharer("init"), start("init", 5), end("init", 5, 8)];
    events.extend(third);
    assert_eq!(moment(rules(), events, false).await, None);
}
