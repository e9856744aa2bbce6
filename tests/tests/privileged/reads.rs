//! The programs report the same, whether they read the kernel's structures with a helper or without, and however deep
//! below the pod a process lives.

#![cfg(all(test, feature = "ebpf"))]

use std::fs;
use std::time::Duration;

use aya::programs::loaded_programs;
use copilot::track::place::Place;
use copilot::track::source::ebpf::{EbpfSource, LoadOptions};
use copilot::track::{Event, ExitStatus};
use copilot_tests::binary::wait_until;
use copilot_tests::pod::Pod;
use copilot_tests::requirement::Requirement;
use tokio::time::timeout;

const LONG: Duration = Duration::from_mins(2);

/// What a process reports of itself: its container if it started, how it ended otherwise.
type Reported = (u64, Option<String>, Option<ExitStatus>);

/// Runs a script to its end in a container of the pod, and returns its pid.
fn run(pod: &Pod, container: &str, script: &str) -> u64 {
    let mut command = pod.command(container, "/bin/sh").expect("it can be made");
    let mut child = command.args(["-c", script]).spawn().expect("it starts");
    let pid = child.id();
    child.wait().expect("it ends");
    pid.into()
}

/// All that a source reports until this process has ended.
async fn reported(source: &mut EbpfSource, last: u64) -> Vec<Reported> {
    let mut found = Vec::new();
    loop {
        let event = timeout(LONG, source.next()).await.expect("it is reported");
        match event {
            Event::ProcessStarted {
                process, container, ..
            } => found.push((process.pid, Some(container.to_string()), None)),
            Event::ProcessExited {
                process, status, ..
            } => {
                found.push((process.pid, None, Some(status)));
                if process.pid == last {
                    return found;
                }
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn programs_that_read_with_and_without_helpers_report_the_same() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let pod = Pod::create().expect("a pod can be made");
    let other = Pod::create().expect("a pod can be made");
    let place = Place::find(Some(pod.directory())).expect("the pod is there");
    let attach = |by_helpers| {
        let options = LoadOptions {
            by_helpers,
            ..LoadOptions::default()
        };
        EbpfSource::attach_with(&place, options).expect("the kernel lets us attach")
    };
    let (mut direct, mut helped) = (attach(false), attach(true));
    let mut strangers = vec![run(&other, "main", "exit 1")];
    let expected = [
        ("main", "exit 7", ExitStatus::Code(7)),
        ("main/inner", "exit 3", ExitStatus::Code(3)),
        (
            "main/inner/most",
            "kill -9 $$",
            ExitStatus::from_wait(9, false),
        ),
        ("second", "(exit 5); /bin/true; exit 4", ExitStatus::Code(4)),
    ]
    .map(|(container, script, status)| {
        let pid = run(&pod, container, script);
        // The programs know the pod's cgroup by now.
        strangers.push(run(&other, container, script));
        let container = container.split('/').next().unwrap_or(container);
        (pid, container, status)
    });
    let last = run(&pod, "main", "exit 0");
    let told = reported(&mut direct, last).await;
    assert_eq!(told, reported(&mut helped, last).await);
    for (pid, container, status) in expected {
        let started = (pid, Some(container.to_owned()), None);
        assert!(told.contains(&started), "{started:?}: {told:?}");
        let ended = (pid, None, Some(status));
        assert!(told.contains(&ended), "{ended:?}: {told:?}");
    }
    let foreign = told.iter().find(|(pid, ..)| strangers.contains(pid));
    assert_eq!(foreign, None, "{told:?}");
    for pod in [&pod, &other] {
        for below in ["main/inner/most", "main/inner"] {
            let directory = pod.directory().join(below);
            wait_until("a cgroup is empty", || fs::remove_dir(&directory).is_ok());
        }
    }
}

/// The verifier follows each way through a program when the sidecar attaches. A branch in a loop multiplies them: it
/// once followed 115,000 instructions, most of the time from exec to ready.
#[tokio::test(flavor = "current_thread")]
async fn the_verifier_has_little_to_follow() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let pod = Pod::create().expect("a pod can be made");
    let place = Place::find(Some(pod.directory())).expect("the pod is there");
    let _attached = EbpfSource::attach(&place).expect("the kernel lets us attach");
    let ours = own_programs();
    let mut seen = 0;
    for program in loaded_programs().filter_map(Result::ok) {
        let name = program.name_as_str().unwrap_or_default();
        if ours.contains(&program.id()) {
            let followed = program.verified_instruction_count();
            // Before Linux 5.16 the kernel does not count them.
            let followed = followed.unwrap_or(0);
            assert!(followed < 30_000, "{name}: {followed} instructions");
            seen += 1;
        }
    }
    assert!(seen >= 3, "the programs are not loaded");
}

/// The ids of the programs that this process has loaded, also in other tests.
fn own_programs() -> Vec<u32> {
    let entries = fs::read_dir("/proc/self/fdinfo").expect("it can be read");
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    let id = |text: String| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("prog_id:"))?;
        line.trim().parse().ok()
    };
    texts.filter_map(id).collect()
}
