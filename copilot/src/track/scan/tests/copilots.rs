//! Processes of our own program, which are not main.

use super::{
    fake_proc::{FakeProc, FakeProcess},
    *,
};
use crate::track::Job;

/// The command line is read when the name changes, and before the start is reported.
#[test]
fn a_process_of_our_own_program_is_recognised_by_its_name_and_command_line() {
    let mut proc = FakeProc::new();
    let mut jobs = |name: &'static str, cmdline: &str, at: u64| {
        proc.put(&FakeProcess {
            name,
            ..FakeProcess::main(7)
        });
        proc.write(7, "cmdline", cmdline);
        let events = proc.scan(at);
        let start = events
            .iter()
            .position(|event| matches!(event, Event::ProcessStarted { .. }));
        let seen = events
            .iter()
            .enumerate()
            .filter_map(|(index, event)| match event {
                Event::CopilotSeen { job, .. } => {
                    assert!(start.is_none_or(|start| index < start), "{events:?}");
                    Some(*job)
                }
                _ => None,
            });
        seen.collect::<Vec<_>>()
    };
    let sidecar = "/bin/copilot\0sidecar\0-o\0s3://b/o\0";
    assert_eq!(jobs("copilot", sidecar, 101), [Some(Job::Sidecar)]);
    assert_eq!(jobs("copilot-ready", sidecar, 102), []);
    assert_eq!(jobs("app", sidecar, 103), [None]);
    assert_eq!(jobs("sh", "sh\0", 104), []);
    let download = "flyte-copilot\0download\0";
    assert_eq!(jobs("flyte-copilot", download, 105), [Some(Job::Download)]);
    // It ends.
    assert_eq!(jobs("flyte-copilot", "", 106), []);
    assert_eq!(jobs("sh", "sh\0", 107), [None]);
    // In an exec the name comes before the command line.
    assert_eq!(jobs("copilot", "", 108), []);
    assert_eq!(jobs("copilot", sidecar, 109), [Some(Job::Sidecar)]);
}

/// A sidecar in the middle of its exec has not started: else it would pass for main until the next look.
#[test]
fn a_start_in_the_middle_of_an_exec_is_reported_with_its_command_line() {
    let mut proc = FakeProc::new();
    let mut look = |cmdline: &str, at: u64| {
        proc.put(&FakeProcess {
            name: "copilot",
            ..FakeProcess::main(7)
        });
        proc.write(7, "cmdline", cmdline);
        let events = proc.scan(at);
        let seen = |kind: fn(&Event) -> bool| events.iter().any(kind);
        (
            seen(|event| matches!(event, Event::CopilotSeen { .. })),
            seen(|event| matches!(event, Event::ProcessStarted { .. })),
        )
    };
    assert_eq!(look("", 101), (false, false));
    assert_eq!(look("", 100 + EXEC), (false, false));
    assert_eq!(look("copilot\0sidecar\0", 102 + EXEC), (true, true));
}

/// A program may remove its command line. It is main then, whatever its name.
#[test]
fn a_process_without_a_command_line_starts_after_a_second() {
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess {
        name: "copilot",
        ..FakeProcess::main(7)
    });
    proc.write(7, "cmdline", "");
    let mut starts = |at| {
        let events = proc.scan(at);
        let is_start = |event: &Event| matches!(event, Event::ProcessStarted { .. });
        events.iter().any(is_start)
    };
    assert!(!starts(101));
    assert!(starts(101 + EXEC));
    assert!(!starts(102 + EXEC), "it is reported once");
}

#[test]
fn a_child_of_main_that_runs_our_program_is_not_reported_as_a_sidecar() {
    let mut proc = FakeProc::new();
    proc.put(&FakeProcess::main(7));
    proc.put(&FakeProcess {
        name: "copilot",
        parent: 7,
        ..FakeProcess::main(8)
    });
    proc.write(8, "cmdline", "copilot\0sidecar\0");
    let events = proc.scan(101);
    let is_copilot = |event: &Event| matches!(event, Event::CopilotSeen { .. });
    assert!(!events.iter().any(is_copilot), "{events:?}");
}
