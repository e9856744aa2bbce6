//! Once main is known the kernel sends only relevant events, and all of them.

use std::{
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use copilot::track::{
    ExitStatus, Tracker, Transition,
    identify::Rules,
    place::Place,
    source::{
        Focus, Sources,
        selection::{Surroundings, Watcher, select},
    },
};
use copilot_tests::{pod::Pod, requirement::Requirement};
use tokio::time::timeout;

const LONG: Duration = Duration::from_mins(2);

/// Starts hundreds of processes, with and without exec.
const BUSY: &str = "for i in $(seq 400); do /bin/true; (exit 1); done; exec sleep 60";

/// A tracker fed by the kernel, as the sidecar's is.
struct Watch {
    sources: Sources,
    tracker: Tracker,
}

impl Watch {
    async fn attach(pod: &Pod) -> Self {
        let place = Place::find(Some(pod.directory()));
        let selection = select(&[Watcher::Ebpf], &Surroundings::from_place(&place))
            .await
            .expect("the kernel lets us attach");
        Self {
            sources: selection.sources,
            tracker: Tracker::new(Rules::default()),
        }
    }

    /// Handles one event, if there is one within this time.
    async fn step(&mut self, limit: Duration) -> Option<Vec<Transition>> {
        let (_, event) = timeout(limit, self.sources.next()).await.ok()?;
        let transitions = self.tracker.observe(event);
        if self.tracker.has_started() {
            self.sources.focus(&Focus::from(&self.tracker));
        }
        Some(transitions)
    }

    async fn until(&mut self, wanted: impl Fn(&Transition) -> bool) -> Transition {
        loop {
            let transitions = self.step(LONG).await.expect("main is seen in time");
            if let Some(found) = transitions.into_iter().find(&wanted) {
                return found;
            }
        }
    }

    /// Handles events until there has been none for a while.
    async fn until_quiet(&mut self) {
        while self.step(Duration::from_millis(200)).await.is_some() {}
    }
}

/// A shell that waits where it reads, until its input is dropped.
fn shell(pod: &Pod, container: &str, script: &str) -> Child {
    let mut command = pod
        .command(container, Path::new("/bin/sh"))
        .expect("the container's cgroup can be made");
    command.args(["-c", script]).stdin(Stdio::piped());
    command.spawn().expect("a shell can be started")
}

fn has_started(transition: &Transition) -> bool {
    matches!(transition, Transition::MainStarted { .. })
}

/// It may start and end before user space reads the event.
#[tokio::test(flavor = "current_thread")]
async fn a_short_second_main_that_starts_later_is_not_missed() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for _ in 0..20 {
        let pod = Pod::create().expect("a pod can be made");
        let mut watch = Watch::attach(&pod).await;
        let mut first = shell(&pod, "first", "read end");
        watch.until(has_started).await;
        watch.until_quiet().await;
        let mut second = shell(&pod, "second", "exit 3");
        second.wait().expect("it can be waited for");
        drop(first.stdin.take());
        let ended = watch
            .until(|each| matches!(each, Transition::MainExited { .. }))
            .await;
        let Transition::MainExited { status, .. } = ended else {
            unreachable!("it was asked for");
        };
        assert_eq!(status, ExitStatus::Code(3), "the worst of both");
        first.wait().expect("it can be waited for");
    }
}

/// It ran before the watcher was attached, or started later.
#[tokio::test(flavor = "current_thread")]
async fn a_main_that_always_starts_processes_does_not_wake_the_sidecar() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for late in [false, true] {
        let pod = Pod::create().expect("a pod can be made");
        let waiting = || shell(&pod, "main", &format!("read begin; {BUSY}"));
        let early = late.then(waiting);
        let mut watch = Watch::attach(&pod).await;
        let mut main = early.unwrap_or_else(waiting);
        watch.until(has_started).await;
        watch.until_quiet().await;
        drop(main.stdin.take());
        let mut events = 0;
        while watch.step(Duration::from_secs(3)).await.is_some() {
            events += 1;
        }
        // Events that were already queued, and at most one more of each kind that identifies the container.
        assert!(events < 20, "{events} events came, attached late: {late}");
        main.kill().expect("it can be killed");
        let ended = watch
            .until(|each| matches!(each, Transition::MainExited { .. }))
            .await;
        let Transition::MainExited { status, .. } = ended else {
            unreachable!("it was asked for");
        };
        assert_eq!(status, ExitStatus::from_wait(9, false));
        main.wait().expect("it can be waited for");
    }
}
