//! Watching main from attach to the end: the sources beside SIGTERM and the time limits.
//!
//! The only loop of the tracking side, and the only place with a clock. It decides nothing about
//! main: the tracker does. It decides how long to wait, and what silence means ([`Absence`]).

mod absence;

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::{
    task::unconstrained,
    time::{Instant, sleep_until},
};
use tracing::{debug, info, warn};

pub use self::absence::{Absence, Evidence};
use super::{
    ContainerId, Event, ExitStatus, Marker, Timestamp, Tracker, Transition,
    identify::{Rules, Why},
    place::Place,
    settle::settle,
    source::{Sources, ladder::Rung},
};
use crate::termination::Termination;

/// How many events that are ready are taken when a signal or a time limit asks for a decision.
const READY_AT_ONCE: usize = 10_000;

/// Until when main is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// Its end.
    #[default]
    End,
    /// Its start: `--exit-watcher-type noop` does not wait for the end.
    Start,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For main's start, counted from the watcher's attachment; nothing for no limit.
    pub start: Option<Duration>,
    /// For main's end, after a SIGTERM that came while it ran.
    pub term_wait: Duration,
    /// For the last process of main's container, after main's end.
    pub settle: Duration,
    /// What ends the wait.
    pub until: Until,
}

/// How the wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Main was seen to end.
    Exited(ExitStatus),
    /// Main has said by a marker file that it is over.
    Marked(Marker),
    /// Nobody saw main; by the word of SIGTERM, of `--watcher noop` or of what it left, it is over.
    Unseen,
    /// SIGTERM came while main ran, and it did not end in the time given.
    StillRunning,
    /// Main was not seen to start in the time given.
    NeverStarted,
}

/// What was seen, for the report.
#[derive(Clone, Debug)]
pub struct Watched {
    /// How the wait ended.
    pub ending: Ending,
    /// The sources' names.
    pub watcher: String,
    /// Why it was these.
    pub reason: String,
    /// The source whose word was the last.
    pub told_by: &'static str,
    /// The main containers and the rule that found them.
    pub main: Option<(Vec<ContainerId>, Why)>,
    /// All containers seen, by name where it is known.
    pub containers: Vec<String>,
    /// When the source was attached.
    pub attached: Timestamp,
    /// When main started.
    pub started: Option<Timestamp>,
    /// When main ended.
    pub exited: Option<Timestamp>,
    /// When its container held no process any more, or the wait for that was over.
    pub settled: Timestamp,
}

/// Main is watched.
pub struct Watch {
    sources: Sources,
    reason: String,
    tracker: Tracker,
    main: Option<(Vec<ContainerId>, Why)>,
    attached: Timestamp,
    started: Option<Timestamp>,
    /// How it is over, and when it was.
    over: Option<(Ending, Timestamp)>,
    told_by: &'static str,
}

impl Watch {
    /// Nothing has been looked at yet.
    #[must_use]
    pub fn new(rung: Rung, rules: Rules) -> Self {
        Self {
            sources: rung.sources,
            reason: rung.reason,
            tracker: Tracker::new(rules),
            main: None,
            attached: Timestamp::now(),
            started: None,
            over: None,
            told_by: "signal",
        }
    }

    /// Watches until main is over, or is known not to come.
    pub async fn until_over(
        &mut self,
        place: Option<&Place>,
        limits: Limits,
        evidence: Option<&Evidence<'_>>,
        termination: &mut Termination,
    ) -> Watched {
        let ending = if self.sources.tell() {
            self.ending(limits, evidence, termination).await
        } else {
            if !self.sources.are_noop() {
                termination.received().await;
                info!(source = "signal", "SIGTERM: main is taken to be over");
            }
            Ending::Unseen
        };
        if let (Ending::Exited(_), Some(place)) = (ending, place) {
            settle(place, self.tracker.mains(), limits.settle).await;
        }
        self.watched(ending)
    }

    /// Watches on until main is not to be seen any more, or SIGTERM says that it is over: of a main
    /// that had said itself that it was. Whoever ends before main is started again by kubelet.
    pub async fn until_gone(&mut self, termination: &mut Termination) {
        while self.tracker.is_main_alive() {
            tokio::select! {
                biased;
                () = termination.received() => return,
                (source, event) = self.sources.next() => {
                    debug!(source, ?event, "event");
                    self.tracker.observe(event);
                    self.sources.focus(&self.tracker);
                }
            }
        }
    }

    async fn ending(
        &mut self,
        limits: Limits,
        evidence: Option<&Evidence<'_>>,
        termination: &mut Termination,
    ) -> Ending {
        let mut deadline = limits.start.map(|start| Instant::now() + start);
        let mut stopping = false;
        let mut absence = Absence::new(evidence);
        loop {
            // The sources come last: in a storm of events they always have one more.
            tokio::select! {
                biased;
                () = termination.received(), if !stopping => {
                    self.catch_up();
                    stopping = true;
                    if !self.tracker.is_main_alive() {
                        info!("SIGTERM, and main is not to be seen: it is taken to be over");
                        return self.over.map_or(Ending::Unseen, |(ending, _)| ending);
                    }
                    info!(wait = ?limits.term_wait, "SIGTERM while main runs: waiting for its end");
                    deadline = Some(Instant::now() + limits.term_wait);
                }
                () = until(deadline) => {
                    self.catch_up();
                    if let Some(ending) = self.when_time_is_up(stopping) {
                        return ending;
                    }
                    deadline = None;
                }
                () = until(absence.next_look()) => {
                    self.catch_up();
                    if self.started.is_none() && absence.is_the_end(&self.tracker) {
                        return Ending::Unseen;
                    }
                }
                (source, event) = self.sources.next() => self.observe(source, event),
            }
            if let Some((ending, _)) = self.over {
                return ending;
            }
            if self.started.is_some() {
                if limits.until == Until::Start {
                    info!("main has started, and its end is not waited for");
                    return Ending::Unseen;
                }
                absence.is_over();
                deadline = deadline.filter(|_| stopping);
            }
        }
    }

    fn when_time_is_up(&self, stopping: bool) -> Option<Ending> {
        if let Some((ending, _)) = self.over {
            Some(ending)
        } else if stopping {
            Some(Ending::StillRunning)
        } else {
            self.started.is_none().then_some(Ending::NeverStarted)
        }
    }

    /// Takes what the sources have to tell at this moment: it may be what decides.
    fn catch_up(&mut self) {
        for _ in 0..READY_AT_ONCE {
            // The budget of cooperative scheduling would make a source look empty.
            let next = unconstrained(self.sources.next()).now_or_never();
            let (Some((source, event)), None) = (next, self.over) else {
                return;
            };
            self.observe(source, event);
        }
    }

    fn observe(&mut self, source: &'static str, event: Event) {
        debug!(source, ?event, "event");
        for transition in self.tracker.observe(event) {
            self.told_by = source;
            self.take(source, transition);
        }
        if self.started.is_some() {
            self.sources.focus(&self.tracker);
        }
    }

    fn take(&mut self, source: &'static str, transition: Transition) {
        match transition {
            Transition::MainFound { containers, why } => {
                if why == Why::Elimination {
                    warn!(source, ?containers, %why, "main found");
                } else {
                    info!(source, ?containers, %why, "main found");
                }
                self.main = Some((containers, why));
            }
            Transition::MainStarted { processes, at } => {
                info!(source, ?processes, at = at.0, "main started");
                self.started = Some(at);
            }
            Transition::MainExited { status, at } => {
                info!(source, %status, at = at.0, "main ended");
                self.over = Some((Ending::Exited(status), at));
            }
            Transition::MainMarked { marker, at } => {
                let file = marker.file_name();
                info!(source, file, at = at.0, "main says that it is over");
                self.over.get_or_insert((Ending::Marked(marker), at));
            }
        }
    }

    fn watched(&self, ending: Ending) -> Watched {
        Watched {
            ending,
            watcher: self.sources.names(),
            reason: self.reason.clone(),
            told_by: self.told_by,
            main: self.main.clone(),
            containers: self.tracker.names_seen(),
            attached: self.attached,
            started: self.started,
            exited: self.over.map(|(_, at)| at),
            settled: Timestamp::now(),
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
