//! No schedule in which a main was seen to end badly, or was seen to run and not to end, ends in a
//! commit.

mod gaps;

use proptest::{prelude::*, sample::Index};

use super::*;
use crate::track::{
    ExitStatus, ProcessId,
    mounts::{Mount, MountEvidence, Stage},
    recorded,
};

const UID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const POD: &str = "f0-n0-0";
const LOADER: &str = "flyte-copilot-downloader";

const INIT: &str = "aaa";
const DOWNLOADER: &str = "bbb";
const MESH: &str = "ccc";
const MAIN: &str = "ddd";

fn volume() -> Mount {
    Mount {
        device: "254:0".to_owned(),
        root: "/volumes/outputs".into(),
        target: "/outputs".into(),
    }
}

/// What a source can read of a container, and when.
#[derive(Clone, Debug)]
enum Reading {
    /// Its process was gone, or is of another pid namespace.
    Nothing,
    /// Before the pivot: the output volume may be missing.
    Half(bool),
    /// All of it, or all but the running program's word.
    Whole(Stage),
}

#[derive(Clone, Debug)]
struct Pod {
    /// How main is called, or that it has a name of its own.
    main_name: &'static str,
    main_status: ExitStatus,
    main_readings: Vec<Reading>,
    /// An init container that shares the volume, and whether its mounts can be read.
    init: Option<(ExitStatus, bool)>,
    /// The downloader, and whether its mounts can be read.
    downloader: Option<bool>,
    /// Lives from before main to after it; whether it is known infrastructure, and can be read.
    mesh: Option<(bool, bool)>,
    /// The record of main's start is lost.
    start_is_lost: bool,
    /// Where main's readings come in the order of events, and SIGTERM.
    moments: Vec<Index>,
    sigterm: Index,
}

fn statuses() -> impl Strategy<Value = ExitStatus> {
    prop_oneof![
        Just(ExitStatus::Code(0)),
        Just(ExitStatus::Code(7)),
        Just(ExitStatus::NotStarted),
        Just(ExitStatus::from_wait(9, true)),
        Just(ExitStatus::from_wait(11, false)),
    ]
}

fn readings() -> impl Strategy<Value = Reading> {
    prop_oneof![
        Just(Reading::Nothing),
        any::<bool>().prop_map(Reading::Half),
        Just(Reading::Whole(Stage::BeforeStart)),
        Just(Reading::Whole(Stage::Complete)),
    ]
}

prop_compose! {
    fn pods()(
        main_name in prop_oneof![Just("trainer"), Just("primary"), Just(POD)],
        main_status in prop_oneof![9 => statuses(), 1 => Just(ExitStatus::Unknown)],
        main_readings in prop::collection::vec(readings(), 1..4),
        init in prop::option::of((statuses(), any::<bool>())),
        downloader in prop::option::of(any::<bool>()),
        mesh in prop::option::of((any::<bool>(), any::<bool>())),
        start_is_lost in prop::bool::weighted(0.2),
        moments in prop::collection::vec(any::<Index>(), 4),
        sigterm in any::<Index>(),
    ) -> Pod {
        Pod {
            main_name, main_status, main_readings, init, downloader, mesh, start_is_lost, moments,
            sigterm,
        }
    }
}

fn evidence(name: &str, shares: bool, stage: Stage) -> MountEvidence {
    MountEvidence {
        stage,
        name: Some(name.to_owned()),
        pod_uid: Some(UID.to_owned()),
        mounts: if shares { vec![volume()] } else { Vec::new() },
        ..MountEvidence::default()
    }
}

fn seen(container: &str, evidence: Option<MountEvidence>) -> Event {
    Event::ContainerSeen {
        container: ContainerId::new(container),
        evidence,
    }
}

fn process(started: u64) -> ProcessId {
    ProcessId {
        started,
        pid: 1000 + started,
    }
}

fn started(container: &str, at: u64) -> Event {
    Event::ProcessStarted {
        process: process(at),
        container: ContainerId::new(container),
        at: Timestamp(at),
        entered: true,
    }
}

/// The end of a container's first process, or the word that none began.
fn ended(container: &str, began: u64, status: ExitStatus, at: u64) -> Event {
    let (container, at) = (ContainerId::new(container), Timestamp(at));
    if status == ExitStatus::NotStarted {
        return Event::ContainerExited {
            container,
            status,
            at,
            alive: at,
        };
    }
    Event::ProcessExited {
        process: process(began),
        container: Some(container),
        status,
        at,
    }
}

fn rules() -> Rules {
    Rules {
        pod_uid: Some(UID.to_owned()),
        host_name: Some(POD.to_owned()),
        output_mount: Some(volume()),
        ..Rules::default()
    }
}

impl Pod {
    fn main_reading(&self, reading: &Reading) -> Event {
        let evidence = match reading {
            Reading::Nothing => None,
            Reading::Half(shares) => Some(evidence(self.main_name, *shares, Stage::BeforePivot)),
            Reading::Whole(stage) => Some(evidence(self.main_name, true, *stage)),
        };
        seen(MAIN, evidence)
    }

    /// What a source tells, in order: kubelet runs one container after the other.
    fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some((is_known, is_read)) = self.mesh {
            let name = if is_known { "istio-proxy" } else { "shipper" };
            let evidence = is_read.then(|| evidence(name, false, Stage::Complete));
            events.extend([seen(MESH, evidence), started(MESH, 5)]);
        }
        if let Some((status, is_read)) = self.init {
            let evidence = is_read.then(|| evidence("prepare", true, Stage::Complete));
            events.push(seen(INIT, evidence));
            if status != ExitStatus::NotStarted {
                events.push(started(INIT, 10));
            }
            events.push(ended(INIT, 10, status, 20));
        }
        if let Some(is_read) = self.downloader {
            let evidence = is_read.then(|| evidence(LOADER, false, Stage::Complete));
            events.extend([seen(DOWNLOADER, evidence), started(DOWNLOADER, 30)]);
            events.push(Event::ProgramSeen {
                container: ContainerId::new(DOWNLOADER),
                program: "copilot".to_owned(),
                command: None,
            });
            events.push(ended(DOWNLOADER, 30, ExitStatus::Code(0), 40));
        }
        let first = events.len();
        events.push(self.main_reading(&self.main_readings[0]));
        let begins = self.main_status != ExitStatus::NotStarted;
        if self.start_is_lost && begins {
            let lost = Timestamp(55);
            events.push(Event::Lost { count: 1, at: lost });
        } else if begins {
            events.push(started(MAIN, 50));
        }
        events.push(ended(MAIN, 50, self.main_status, 60));
        for (reading, moment) in self.main_readings[1..].iter().zip(&self.moments) {
            let at = first + moment.index(events.len() - first + 1);
            events.insert(at, self.main_reading(reading));
        }
        if self.start_is_lost {
            let mesh = self.mesh.map(|_| process(5));
            events.push(Event::Scanned {
                alive: mesh.into_iter().collect(),
                began: Timestamp(70),
            });
        }
        events
    }
}

fn is_main(event: &Event, is: fn(&Event) -> bool) -> bool {
    let container = match event {
        Event::ProcessStarted { container, .. } | Event::ContainerExited { container, .. } => {
            Some(container)
        }
        Event::ProcessExited { container, .. } => container.as_ref(),
        _ => None,
    };
    is(event) && container.is_some_and(|container| container.as_str() == MAIN)
}

/// Whether outputs may be committed after this ending.
fn commits(ending: Ending) -> bool {
    match ending {
        Ending::Exited(status) => !status.is_failure(),
        Ending::Marked(_) | Ending::Unseen => true,
        Ending::StatusLost
        | Ending::StillRunning
        | Ending::Untold
        | Ending::NeverStarted
        | Ending::OnlyCopilots => false,
    }
}

/// Plays the events; SIGTERM comes before the one at `sigterm`, if at all before the end. How it
/// ended, and how many events were told by then.
fn play(state: &mut State, events: &[Event], sigterm: usize) -> (Ending, usize) {
    for (index, event) in events.iter().enumerate() {
        if index >= sigterm
            && let Some(ending) = state.ask(Moment::Sigterm, Sight::Knows)
        {
            return (ending, index);
        }
        state.observe("ebpf", event.clone());
        if let Some(ending) = state.concluded(Sight::Knows) {
            return (ending, index + 1);
        }
    }
    let at_last = state.ask(Moment::Sigterm, Sight::Knows);
    let overdue = || state.ask(Moment::TermWaitOver, Sight::Knows);
    let ending = at_last.or_else(overdue).expect("--term-wait ends the wait");
    (ending, events.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_main_that_was_seen_is_committed_only_after_its_good_end(pod in pods()) {
        let events = pod.events();
        let mut state = State::new(rules());
        let sigterm = pod.sigterm.index(events.len() + 1);
        let (ending, told) = play(&mut state, &events, sigterm);
        let told = &events[..told];
        let is_end = |event: &Event| is_main(event, |event| !matches!(event, Event::ProcessStarted { .. }));
        let is_start = |event: &Event| is_main(event, |event| matches!(event, Event::ProcessStarted { .. }));
        let (was_seen, has_ended) = (told.iter().any(is_start), told.iter().any(is_end));
        if commits(ending) {
            prop_assert!(has_ended || !was_seen, "it runs: {ending:?}");
            let well = ExitStatus::Code(0);
            prop_assert!(!has_ended || pod.main_status == well, "{ending:?}");
            prop_assert_ne!(state.tracker().sighting().seen, Seen::EndedBadly);
        }
    }

    /// The other side: what ended well, in a pod where all else did, is not called a failure.
    #[test]
    fn a_pod_in_which_all_ended_well_is_committed(pod in pods()) {
        let well = ExitStatus::Code(0);
        let pod = Pod {
            main_status: well,
            init: pod.init.map(|(_, is_read)| (well, is_read)),
            ..pod
        };
        let events = pod.events();
        let mut state = State::new(rules());
        let (ending, _) = play(&mut state, &events, events.len());
        prop_assert!(commits(ending), "{ending:?}");
    }
}

/// What happened on a real node: the reading before the pivot won, no rule found main, and at SIGTERM
/// the end that the kernel had told was forgotten.
#[test]
fn an_end_by_the_oom_killer_is_not_forgotten_at_sigterm() {
    let [before, after] = recorded::half_made();
    let whole = MountEvidence::from_mountinfo(&after);
    let rules = Rules {
        pod_uid: whole.pod_uid.clone(),
        host_name: Some("node-hybrid".to_owned()),
        output_mount: whole.mount_of("/var/flyte/outputs".as_ref()).cloned(),
        ..Rules::default()
    };
    let killed = ExitStatus::from_wait(9, true);
    for reading in [MountEvidence::from_runtimes_mountinfo(&before), None] {
        let mut state = State::new(rules.clone());
        for event in [
            seen(DOWNLOADER, None),
            started(DOWNLOADER, 30),
            Event::ProgramSeen {
                container: ContainerId::new(DOWNLOADER),
                program: "copilot".to_owned(),
                command: None,
            },
            ended(DOWNLOADER, 30, ExitStatus::Code(0), 40),
            seen(MAIN, reading.clone()),
            started(MAIN, 50),
            ended(MAIN, 50, killed, 60),
        ] {
            state.observe("ebpf", event);
        }
        let ending = state.ask(Moment::Sigterm, Sight::Knows);
        assert_eq!(ending, Some(Ending::Exited(killed)), "{reading:?}");
    }
}

/// A lost status does not change who main is.
#[test]
fn the_rule_that_found_main_stays_when_its_status_is_lost() {
    for (name, rule) in [("primary", Why::FlyteNaming), ("trainer", Why::Elimination)] {
        let mut state = State::new(rules());
        for event in [
            seen(MAIN, Some(evidence(name, false, Stage::Complete))),
            seen(MESH, None),
            started(MAIN, 50),
            ended(MAIN, 50, ExitStatus::Unknown, 60),
            started(MESH, 70),
            ended(MESH, 70, ExitStatus::Unknown, 80),
        ] {
            state.observe("ebpf", event);
        }
        let ending = state.ask(Moment::Sigterm, Sight::Knows);
        assert_eq!(ending, Some(Ending::StatusLost), "{name}");
        assert_eq!(state.main().map(|(_, why)| *why), Some(rule), "{name}");
    }
}

/// An init container ended well, and main never came: after a startup probe its end is not main's.
#[test]
fn a_probed_sidecar_never_takes_an_init_container_for_main_at_the_start_timeout() {
    for (is_probed, expected) in [
        (true, Ending::NeverStarted),
        (false, Ending::Exited(ExitStatus::Code(0))),
    ] {
        let mut state = State::new(rules());
        for event in [
            seen(INIT, None),
            started(INIT, 50),
            ended(INIT, 50, ExitStatus::Code(0), 60),
        ] {
            state.observe("ebpf", event);
        }
        if is_probed {
            state.probed();
        }
        assert!(state.tracker().is_in_doubt());
        let ending = state.ask(Moment::StartTimeout, Sight::Knows);
        assert_eq!(ending, Some(expected));
    }
}

/// Any program can have the command line of a sidecar. The claim alone never leads to a commit.
#[test]
fn a_main_that_claims_to_be_a_sidecar_is_not_committed_while_it_lives_or_after_it_failed() {
    let reading = || Some(evidence("trainer", true, Stage::Complete));
    let claim = |process| Event::CopilotSeen {
        container: ContainerId::new(MAIN),
        process,
        job: Some(crate::track::Job::Sidecar),
    };
    let main = [claim(process(50)), seen(MAIN, reading()), started(MAIN, 50)];
    let init = [
        seen(INIT, Some(evidence("prepare", true, Stage::Complete))),
        started(INIT, 10),
        ended(INIT, 10, ExitStatus::Code(0), 20),
    ];
    for before in [&[][..], &init] {
        let mut state = State::new(rules());
        for event in before.iter().chain(&main) {
            state.observe("ebpf", event.clone());
        }
        assert_eq!(state.ask(Moment::Sigterm, Sight::Knows), None);
        let ending = state.ask(Moment::TermWaitOver, Sight::Knows);
        assert_eq!(ending, Some(Ending::StillRunning));
        let ending = state.ask(Moment::OnlyCopilots, Sight::Knows);
        assert_eq!(ending, Some(Ending::OnlyCopilots));

        state.observe("ebpf", ended(MAIN, 50, ExitStatus::Code(7), 60));
        let ending = state.ask(Moment::Sigterm, Sight::Knows);
        assert_eq!(ending, Some(Ending::Exited(ExitStatus::Code(7))));
    }
}

/// A second sidecar that fails does not make a good main's run fail, and one that lives is not waited for.
#[test]
fn a_second_sidecar_beside_main_says_nothing_of_its_end() {
    const SECOND: &str = "eee";
    for end in [None, Some(ExitStatus::Code(1))] {
        let mut state = State::new(rules());
        let mut events = vec![
            Event::CopilotSeen {
                container: ContainerId::new(SECOND),
                process: process(30),
                job: Some(crate::track::Job::Sidecar),
            },
            seen(SECOND, Some(evidence("second", true, Stage::Complete))),
            started(SECOND, 30),
            seen(MAIN, Some(evidence("trainer", true, Stage::Complete))),
            started(MAIN, 50),
            ended(MAIN, 50, ExitStatus::Code(0), 60),
        ];
        events.extend(end.map(|status| ended(SECOND, 30, status, 70)));
        for event in events {
            state.observe("ebpf", event);
        }
        let ending = state.ask(Moment::Sigterm, Sight::Knows);
        assert_eq!(ending, Some(Ending::Exited(ExitStatus::Code(0))), "{end:?}");
    }
}
