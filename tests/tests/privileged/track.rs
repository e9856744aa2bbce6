//! The watchers see main's start and end, with real processes in real cgroups.

use std::{
    path::Path,
    process::{Child, Command},
    time::Duration,
};

use copilot::{
    termination::Termination,
    track::{
        ExitStatus,
        identify::Rules,
        place::Place,
        source::selection::{Surroundings, Watcher, select},
        watch::{Ending, Limits, Until, Watch, Watched},
    },
};
use copilot_tests::{
    pod::Pod,
    requirement::{Requirement, pidfds_tell_exit_codes},
};

const LIMITS: Limits = Limits {
    start: Some(Duration::from_mins(2)),
    term_wait: Duration::from_secs(5),
    settle: Duration::from_secs(2),
    until: Until::End,
};

/// Watches the pod from outside; `start` is called when the watcher is attached.
async fn watch_pod(
    wanted: Watcher,
    pod: &Pod,
    start: impl FnOnce() -> Command,
) -> (Watched, Child) {
    let place = Place::find(Some(pod.directory()));
    let selection = select(&[wanted], &Surroundings::from_place(&place))
        .await
        .expect("the watcher works here");
    let mut termination = Termination::listen().expect("signals can be listened to");
    let child = start().spawn().expect("main starts");
    let watched = Watch::new(selection, Rules::default(), place, LIMITS)
        .until_over(&|| None, &mut termination)
        .await;
    (watched, child)
}

fn shell(pod: &Pod, script: &str) -> Command {
    let mut command = pod
        .command("main", Path::new("/bin/sh"))
        .expect("the container's cgroup can be made");
    command.args(["-c", script]);
    command
}

#[tokio::test(flavor = "current_thread")]
async fn the_kernel_tells_how_main_ended() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for (script, expected) in [
        ("exit 0", ExitStatus::Code(0)),
        ("exit 7", ExitStatus::Code(7)),
        ("kill -9 $$", ExitStatus::from_wait(9, false)),
        ("sleep 0.2; exit 3", ExitStatus::Code(3)),
        ("(exit 5); (exec sleep 0.1); exit 4", ExitStatus::Code(4)),
    ] {
        let pod = Pod::create().expect("a pod can be made");
        let (watched, mut child) = watch_pod(Watcher::Ebpf, &pod, || shell(&pod, script)).await;
        child.wait().expect("main can be waited for");
        assert_eq!(watched.ending, Ending::Exited(expected), "{script}");
        assert_eq!(watched.watcher, "ebpf");
        assert!(watched.started <= watched.exited);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn scanning_proc_sees_main_start_and_end() {
    if !Requirement::Cgroups.is_met() {
        return;
    }
    let pod = Pod::create().expect("a pod can be made");
    let reaper = || shell(&pod, "sleep 2; exit 7");
    let (watched, mut child) = watch_pod(Watcher::Proc, &pod, reaper).await;
    child.wait().expect("main can be waited for");
    assert_eq!(watched.ending, Ending::Exited(ExitStatus::Unknown));
    assert!(watched.started.is_some());
}

/// The wait below reaps the process, after which the kernel no longer has the status.
#[tokio::test(flavor = "current_thread")]
async fn a_descriptor_of_main_tells_how_it_ended() {
    if !Requirement::Cgroups.is_met() {
        return;
    }
    for (script, expected) in [
        ("sleep 1", ExitStatus::Code(0)),
        ("sleep 1; exit 7", ExitStatus::Code(7)),
        ("sleep 1; kill -9 $$", ExitStatus::from_wait(9, false)),
        ("(sleep 5)& sleep 1; exit 4", ExitStatus::Code(4)),
    ] {
        let pod = Pod::create().expect("a pod can be made");
        let place = Place::find(Some(pod.directory()));
        let around = Surroundings::from_place(&place);
        let selection = select(&[Watcher::Pidfd], &around)
            .await
            .expect("the watcher works here");
        let mut termination = Termination::listen().expect("signals can be listened to");
        let mut child = shell(&pod, script).spawn().expect("main starts");
        let waiter = tokio::task::spawn_blocking(move || child.wait());
        let limits = Limits {
            settle: Duration::ZERO,
            ..LIMITS
        };
        let watched = Watch::new(selection, Rules::default(), place, limits)
            .until_over(&|| None, &mut termination)
            .await;
        waiter
            .await
            .expect("joined")
            .expect("main can be waited for");
        assert_eq!(watched.watcher, "pidfd");
        if pidfds_tell_exit_codes() {
            assert_eq!(watched.ending, Ending::Exited(expected), "{script}");
        } else {
            assert_eq!(
                watched.ending,
                Ending::Exited(ExitStatus::Unknown),
                "{script}"
            );
        }
    }
}
