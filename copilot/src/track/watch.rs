//! Watching main from attach to the end: one source beside SIGTERM and the time limits.
//!
//! The only loop of the tracking side, and the only place with a clock. It decides nothing about
//! main: the tracker does. It decides how long to wait.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::{
    task::unconstrained,
    time::{Instant, sleep, sleep_until},
};
use tracing::{debug, info, warn};

use super::{
    ContainerId, Event, ExitStatus, Timestamp, Tracker, Transition,
    identify::{Rules, Why},
    place::Place,
    scan::Scanner,
    source::{Source, ladder::Rung},
};
use crate::termination::Termination;

/// Until the second look whether main's container still holds processes; each later one takes
/// twice as long to come. Short, since the kernel tells of main's end before main is gone.
const FIRST_SETTLE_STEP: Duration = Duration::from_millis(1);

/// The longest time between two such looks.
const LAST_SETTLE_STEP: Duration = Duration::from_millis(50);

/// How many events that are ready are taken when a signal or a time limit asks for a decision.
const READY_AT_ONCE: usize = 10_000;

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For main's start, counted from the watcher's attachment; nothing for no limit.
    pub start: Option<Duration>,
    /// For main's end, after a SIGTERM that came while it ran.
    pub term_wait: Duration,
    /// For the last process of main's container, after main's end.
    pub settle: Duration,
}

/// How the wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Main was seen to end.
    Exited(ExitStatus),
    /// Nobody saw main; by the word of SIGTERM, or of `--watcher noop`, it is over.
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
    /// The source's name.
    pub watcher: &'static str,
    /// Why it was this source.
    pub reason: String,
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

/// Watches until main is over, or is known not to come.
pub async fn watch(
    rung: Rung,
    place: Option<&Place>,
    rules: Rules,
    limits: Limits,
    termination: &mut Termination,
) -> Watched {
    let mut watch = Watch::new(rung, rules);
    let ending = if watch.source.sees_processes() {
        watch.until_over(limits, termination).await
    } else {
        if matches!(watch.source, Source::Signal) {
            termination.received().await;
            info!(source = "signal", "SIGTERM: main is taken to be over");
        }
        Ending::Unseen
    };
    if let (Ending::Exited(_), Some(place)) = (ending, place) {
        settle(place, watch.tracker.mains(), limits.settle).await;
    }
    watch.finish(ending)
}

struct Watch {
    source: Source,
    reason: String,
    tracker: Tracker,
    main: Option<(Vec<ContainerId>, Why)>,
    attached: Timestamp,
    started: Option<Timestamp>,
    exited: Option<(ExitStatus, Timestamp)>,
}

impl Watch {
    fn new(rung: Rung, rules: Rules) -> Self {
        Self {
            source: rung.source,
            reason: rung.reason,
            tracker: Tracker::new(rules),
            main: None,
            attached: Timestamp::now(),
            started: None,
            exited: None,
        }
    }

    async fn until_over(&mut self, limits: Limits, termination: &mut Termination) -> Ending {
        let mut deadline = limits.start.map(|start| Instant::now() + start);
        let mut stopping = false;
        loop {
            // The source comes last: in a storm of events it always has one more.
            tokio::select! {
                biased;
                () = termination.received(), if !stopping => {
                    self.catch_up();
                    stopping = true;
                    if self.started.is_none() {
                        info!("SIGTERM, and main is not to be seen: it is taken to be over");
                        return Ending::Unseen;
                    }
                    info!(wait = ?limits.term_wait, "SIGTERM while main runs: waiting for its end");
                    deadline = Some(Instant::now() + limits.term_wait);
                }
                () = until(deadline) => {
                    self.catch_up();
                    if stopping && self.exited.is_none() {
                        return Ending::StillRunning;
                    }
                    if self.started.is_none() {
                        return Ending::NeverStarted;
                    }
                    deadline = None;
                }
                event = self.source.next() => self.observe(event),
            }
            if let Some((status, _)) = self.exited {
                return Ending::Exited(status);
            }
            if self.started.is_some() && !stopping {
                deadline = None;
            }
        }
    }

    /// Takes what the source has to tell at this moment: it may be what decides.
    fn catch_up(&mut self) {
        for _ in 0..READY_AT_ONCE {
            // The budget of cooperative scheduling would make a source look empty.
            let next = unconstrained(self.source.next()).now_or_never();
            let (Some(event), None) = (next, self.exited) else {
                return;
            };
            self.observe(event);
        }
    }

    fn observe(&mut self, event: Event) {
        debug!(source = self.source.name(), ?event, "event");
        for transition in self.tracker.observe(event) {
            self.take(transition);
        }
        if self.started.is_some() {
            self.source.focus(&self.tracker);
        }
    }

    fn take(&mut self, transition: Transition) {
        let source = self.source.name();
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
                self.exited = Some((status, at));
            }
        }
    }

    fn finish(self, ending: Ending) -> Watched {
        Watched {
            ending,
            watcher: self.source.name(),
            reason: self.reason,
            main: self.main,
            containers: self.tracker.names_seen(),
            attached: self.attached,
            started: self.started,
            exited: self.exited.map(|(_, at)| at),
            settled: Timestamp::now(),
        }
    }
}

/// Children of main may still write when it has ended: waits until its containers hold no process.
async fn settle(place: &Place, mains: &[ContainerId], limit: Duration) {
    let deadline = Instant::now() + limit;
    let mut scanner = Scanner::new(place.clone());
    let mut step = FIRST_SETTLE_STEP;
    loop {
        let left = scanner.living_in(mains);
        if left == Some(0) {
            return;
        }
        if Instant::now() >= deadline {
            warn!(
                left,
                ?limit,
                "processes of main's container live on; what they write from now on is not uploaded"
            );
            return;
        }
        sleep(step).await;
        step = (step * 2).min(LAST_SETTLE_STEP);
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
