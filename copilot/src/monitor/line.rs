//! One event, or one conclusion of the tracker, as a line of text or as a JSON object. Pure.

use serde::Serialize;

use crate::report::one_line;
use crate::track::{
    ContainerId, Event, ExitStatus, Job, ProcessId, Timestamp, Tracker, Transition,
};

/// What is shown of an event. What an event has not is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When it happened, RFC 3339 in UTC.
    pub time: String,
    /// The pod, if several are watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// The source, or `tracker` for a conclusion.
    pub source: &'static str,
    /// What happened, such as `process-started`.
    pub event: &'static str,
    /// The container's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The container's name, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The process, in the pid namespace of this process if that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<String>,
    /// How it ended, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The exit code as a runtime reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// More words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Line {
    /// For people. No word from outside acts on a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut words = vec![self.time.clone()];
        words.extend(self.pod.clone());
        words.push(format!("{}: {}", self.source, self.event));
        words.extend(self.name.clone().or_else(|| self.container.clone()));
        words.extend(self.pid.as_ref().map(|pid| format!("pid {pid}")));
        words.extend(self.status.clone());
        words.extend(self.detail.as_ref().map(|detail| format!("({detail})")));
        one_line(&words.join(" "))
    }

    /// One JSON object in one line.
    #[must_use]
    pub fn json(&self) -> String {
        // Texts and numbers only: nothing that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn of_container(mut self, container: &ContainerId, tracker: &Tracker) -> Self {
        let id = container.to_string();
        let names = tracker.names(std::slice::from_ref(container));
        self.name = names.into_iter().next().filter(|name| *name != id);
        self.container = Some(id);
        self
    }

    fn of_process(mut self, process: ProcessId) -> Self {
        self.pid = Some(process.to_string());
        self
    }

    fn ended(mut self, status: ExitStatus) -> Self {
        self.exit_code = status.exit_code();
        self.status = Some(status.to_string());
        self
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// The line of an event that the tracker has taken; `None` for a look that has found nothing new. `time` turns a
/// moment into text.
#[must_use]
pub fn of_event(
    source: &'static str,
    event: &Event,
    tracker: &Tracker,
    time: &dyn Fn(Timestamp) -> String,
) -> Option<Line> {
    let line = |event, at| Line {
        time: time(at),
        source,
        event,
        ..Line::default()
    };
    let now = Timestamp::now();
    Some(match event {
        Event::ContainerSeen { container, .. } => {
            line("container-seen", now).of_container(container, tracker)
        }
        Event::ProcessStarted {
            process,
            container,
            at,
            entered,
        } => {
            let started = line("process-started", *at);
            let started = started
                .of_container(container, tracker)
                .of_process(*process);
            if *entered {
                started.detail("it entered the container")
            } else {
                started
            }
        }
        Event::ProcessExited {
            process,
            container,
            status,
            at,
        } => {
            let ended = line("process-exited", *at)
                .of_process(*process)
                .ended(*status);
            match container {
                Some(container) => ended.of_container(container, tracker),
                None => ended,
            }
        }
        Event::ProgramSeen {
            container, program, ..
        } => line("program-seen", now)
            .of_container(container, tracker)
            .detail(program.clone()),
        Event::CopilotSeen {
            container,
            process,
            job,
        } => line("copilot-seen", now)
            .of_container(container, tracker)
            .of_process(*process)
            .detail(job_name(*job)),
        Event::ContainerStarted { container, at } => {
            line("container-started", *at).of_container(container, tracker)
        }
        Event::ContainerExited {
            container,
            status,
            at,
            ..
        } => line("container-exited", *at)
            .of_container(container, tracker)
            .ended(*status),
        Event::MarkerWritten { marker, at } => {
            line("marker-written", *at).detail(marker.file_name())
        }
        Event::Scanned { .. } => return None,
        Event::Lost { count, at } => line("events-lost", *at).detail(count.to_string()),
    })
}

/// What our program does, in a word.
#[must_use]
pub fn job_name(job: Option<Job>) -> &'static str {
    match job {
        Some(Job::Sidecar) => "copilot sidecar",
        Some(Job::Download) => "copilot download",
        None => "another program",
    }
}

/// The line of a conclusion.
#[must_use]
pub fn of_transition(
    transition: &Transition,
    tracker: &Tracker,
    time: &dyn Fn(Timestamp) -> String,
) -> Line {
    let line = |event, at| Line {
        time: time(at),
        source: "tracker",
        event,
        ..Line::default()
    };
    match transition {
        Transition::MainFound { containers, why } => Line {
            name: Some(tracker.names(containers).join(", ")),
            ..line("main-found", Timestamp::now()).detail(why.to_string())
        },
        Transition::MainDismissed => line("main-dismissed", Timestamp::now()),
        Transition::MainStarted { processes, at } => {
            let pids: Vec<String> = processes.iter().map(ToString::to_string).collect();
            Line {
                pid: Some(pids.join(", ")),
                ..line("main-started", *at)
            }
        }
        Transition::MainInDoubt { status, at } => line("main-in-doubt", *at)
            .ended(*status)
            .detail("it may have been an init container"),
        Transition::MainExited { status, at } => line("main-exited", *at).ended(*status),
        Transition::MainMarked { marker, at } => {
            line("main-marked", *at).detail(marker.file_name())
        }
    }
}
