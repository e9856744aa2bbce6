//! A signal or a time limit asks for a decision while events wait or keep coming.

use std::{
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use copilot::{
    termination::Termination,
    track::{
        ExitStatus,
        identify::Rules,
        place::Place,
        source::selection::{Surroundings, Watcher, select},
        watch::{Ending, Limits, Until, Watch},
    },
};
use copilot_tests::{own_process::is_alone, pod::Pod, requirement::Requirement};
use rustix::process::{Signal, getpid, kill_process};

fn limits(start: Duration) -> Limits {
    Limits {
        start: Some(start),
        term_wait: Duration::from_secs(5),
        settle: Duration::from_secs(2),
        until: Until::End,
    }
}

fn shell(pod: &Pod, container: &str, script: &str) -> Command {
    let mut command = pod
        .command(container, Path::new("/bin/sh"))
        .expect("the container's cgroup can be made");
    command.args(["-c", script]);
    command
}

/// Loops that start processes as fast as possible; killed when dropped.
struct Storm(Vec<Child>);

impl Storm {
    fn start(pod: &Pod) -> Self {
        let start = |_| shell(pod, "storm", "while :; do /bin/true; done").spawn();
        Self(
            (0..3)
                .map(start)
                .map(|child| child.expect("a shell can be started"))
                .collect(),
        )
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have been killed with its pod already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Runs one test in its own process, since a signal reaches the whole process.
#[tokio::test(flavor = "current_thread")]
async fn a_decision_is_made_at_once_from_all_events() {
    let test = "decide::a_decision_is_made_at_once_from_all_events";
    if !Requirement::Bpf.is_met() || !is_alone(test) {
        return;
    }
    let mut termination = Termination::listen().expect("signals can be listened to");
    let absent = Rules {
        main_container: Some("no-such-container".to_owned()),
        ..Rules::default()
    };

    // A storm of events of other processes must not delay the time limit.
    let pod = Pod::create().expect("a pod can be made");
    let place = Place::find(Some(pod.directory()));
    let selection = select(&[Watcher::Ebpf], &Surroundings::from_place(&place))
        .await
        .expect("the kernel lets us attach");
    let storm = Storm::start(&pod);
    let began = Instant::now();
    let limits_of_a_second = limits(Duration::from_secs(1));
    let watched = Watch::new(selection, absent, place, limits_of_a_second)
        .until_over(&|| None, &mut termination)
        .await;
    assert_eq!(watched.ending, Ending::NeverStarted);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    drop(storm);

    // Main has started and ended, but no event was read yet, when SIGTERM arrives.
    let pod = Pod::create().expect("a pod can be made");
    let place = Place::find(Some(pod.directory()));
    let selection = select(&[Watcher::Ebpf], &Surroundings::from_place(&place))
        .await
        .expect("the kernel lets us attach");
    let mut main = shell(&pod, "main", "exit 7").spawn().expect("main starts");
    main.wait().expect("main can be waited for");
    kill_process(getpid(), Signal::TERM).expect("we may signal ourselves");
    termination.received().await;
    let limits = limits(Duration::from_mins(2));
    let watched = Watch::new(selection, Rules::default(), place, limits)
        .until_over(&|| None, &mut termination)
        .await;
    assert_eq!(watched.ending, Ending::Exited(ExitStatus::Code(7)));
}
