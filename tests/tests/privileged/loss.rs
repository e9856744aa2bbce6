//! The kernel's ring buffer is too small and events are lost: main's start and end are still found, by a
//! scan of all processes.

#![cfg(all(test, feature = "ebpf"))]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use copilot::track::identify::Rules;
use copilot::track::place::Place;
use copilot::track::source::ebpf::{EbpfSource, LoadOptions};
use copilot::track::{Event, ExitStatus, Tracker, Transition};
use copilot_tests::pod::Pod;
use copilot_tests::requirement::Requirement;
use tokio::time::timeout;

/// The smallest possible size: one page, for about 45 records.
const RING: u32 = 4096;

const LONG: Duration = Duration::from_mins(2);

/// Hundreds of processes, each of which starts and ends.
const NOISE: &str = "for i in $(seq 300); do /bin/true; done";

struct Watch {
    source: EbpfSource,
    tracker: Tracker,
    lost: u64,
    looks: usize,
    said: Vec<Transition>,
}

impl Watch {
    fn attach(pod: &Pod) -> Self {
        let place = Place::find(Some(pod.directory())).expect("the pod is there");
        let rules = Rules {
            main_container: Some("main".to_owned()),
            ..Rules::default()
        };
        let options = LoadOptions {
            ring: Some(RING),
            ..LoadOptions::default()
        };
        Self {
            source: EbpfSource::attach_with(&place, options).expect("the kernel lets us attach"),
            tracker: Tracker::new(rules),
            lost: 0,
            looks: 0,
            said: Vec::new(),
        }
    }

    /// Handles events until the tracker reports something like this.
    async fn until(&mut self, wanted: impl Fn(&Transition) -> bool) {
        while !self.said.iter().any(&wanted) {
            self.step().await;
        }
    }

    /// Handles events until a scan has found the running processes.
    async fn until_next_look(&mut self) {
        let before = self.looks;
        while self.looks == before {
            self.step().await;
        }
    }

    async fn step(&mut self) {
        let event = timeout(LONG, self.source.next()).await;
        let event = event.expect("it is told in time");
        match event {
            Event::Lost { count, .. } => self.lost += count,
            Event::Scanned { .. } => self.looks += 1,
            _ => {}
        }
        self.said.extend(self.tracker.observe(event));
    }

    fn ends(&self) -> Vec<ExitStatus> {
        let status = |transition: &Transition| match transition {
            Transition::MainExited { status, .. } => Some(*status),
            _ => None,
        };
        self.said.iter().filter_map(status).collect()
    }
}

fn shell(pod: &Pod, container: &str, script: &str) -> Command {
    let mut command = pod
        .command(container, "/bin/sh")
        .expect("the container's cgroup can be made");
    command.args(["-c", script]);
    command
}

fn run(command: &mut Command) -> Child {
    command.spawn().expect("a shell can be started")
}

fn has_started(transition: &Transition) -> bool {
    matches!(transition, Transition::MainStarted { .. })
}

fn has_ended(transition: &Transition) -> bool {
    matches!(transition, Transition::MainExited { .. })
}

/// The record of main's end is lost: the end is detected, but not the exit status.
#[tokio::test(flavor = "current_thread")]
async fn a_lost_end_is_found_by_a_scan() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let pod = Pod::create().expect("a pod can be made");
    let mut watch = Watch::attach(&pod);
    let status = run(&mut shell(&pod, "main", &format!("{NOISE}; exit 7"))).wait();
    assert_eq!(status.expect("main can be waited for").code(), Some(7));
    watch.until(has_ended).await;
    assert!(watch.lost > 100, "{} were lost", watch.lost);
    assert!(watch.looks >= 2, "one look at first, one for the loss");
    assert_eq!(watch.ends(), [ExitStatus::Unknown]);
}

/// Main starts while the buffer is full; its end comes when there is room again, and is reported.
#[tokio::test(flavor = "current_thread")]
async fn a_lost_start_is_found_by_a_scan_and_the_end_is_reported() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let pod = Pod::create().expect("a pod can be made");
    let mut watch = Watch::attach(&pod);
    let mut noise = run(&mut shell(&pod, "noise", NOISE));
    noise.wait().expect("it can be waited for");
    let mut main = shell(&pod, "main", "echo begun; read go; exit 7");
    let mut main = run(main.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut word = [0; 6];
    let output = main.stdout.as_mut().expect("it is piped");
    std::io::Read::read_exact(output, &mut word).expect("main says that it has begun");
    watch.until(has_started).await;
    assert!(watch.lost > 100, "{} were lost", watch.lost);
    assert_eq!(watch.ends(), []);
    drop(main.stdin.take());
    watch.until(has_ended).await;
    main.wait().expect("main can be waited for");
    assert_eq!(watch.ends(), [ExitStatus::Code(7)]);
}

/// Repeated losses, with a reader that is always late.
#[tokio::test(flavor = "current_thread")]
async fn repeated_losses_report_one_end() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let pod = Pod::create().expect("a pod can be made");
    let mut watch = Watch::attach(&pod);
    let mut main = shell(&pod, "main", &format!("read go; {NOISE}; exit 7"));
    let mut main = run(main.stdin(Stdio::piped()));
    watch.until(has_started).await;
    for _ in 0..3 {
        let before = watch.lost;
        let mut noise = run(&mut shell(&pod, "noise", NOISE));
        noise.wait().expect("it can be waited for");
        while watch.lost == before {
            watch.step().await;
        }
        watch.until_next_look().await;
        assert_eq!(watch.ends(), []);
    }
    let before = watch.lost;
    drop(main.stdin.take());
    main.wait().expect("main can be waited for");
    watch.until(has_ended).await;
    assert!(watch.lost > before);
    assert_eq!(watch.ends(), [ExitStatus::Unknown]);
    let starts = watch.said.iter().filter(|each| has_started(each));
    assert_eq!(starts.count(), 1);
}
