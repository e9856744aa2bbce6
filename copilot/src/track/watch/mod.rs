//! Watches main from attach to the end: the sources beside SIGTERM and the time limits.
//!
//! This is the only loop of `track`, and the only place with a clock. It decides how long to wait, and
//! [`Absence`] decides what silence means. What follows from the events is decided by [`State`], which
//! is pure. Called by the `sidecar` and `download` jobs. Never here: uploads.

mod absence;
mod limits;
mod look;
mod oom;
mod outcome;
mod settle;
mod state;

use std::{io, time::Duration};

use futures_util::FutureExt as _;
use tokio::{
    task::unconstrained,
    time::{Instant, sleep_until},
};
use tracing::{debug, info};

use self::absence::Absence;
pub use self::absence::OutputEvidence;
pub use self::limits::{Limits, Until};
pub use self::look::{Glance, glance};
pub use self::oom::KillCause;
pub use self::outcome::{Ending, Watched};
use self::{oom::OomCounts, settle::settle, state::State};
use super::{
    Event, Timestamp,
    decision::Moment,
    identify::Rules,
    place::{Place, PlaceError, is_in_a_cluster},
    readiness::{self, Probes},
    source::{Focus, Sources, selection::Selection},
};
use crate::termination::Termination;

/// How many ready events are taken when a signal or a time limit asks for a decision.
const READY_AT_ONCE: usize = 10_000;

/// How long to wait for a main that wrote its marker before it was seen: some looks at `/proc`, or the
/// time that kubelet needs to report a start.
const UNTIL_SEEN: Duration = Duration::from_secs(2);

/// Attached sources, and what they have reported so far.
pub struct Watch {
    sources: Sources,
    reason: String,
    state: State,
    attached: Timestamp,
    place: Result<Place, PlaceError>,
    limits: Limits,
    oom: OomCounts,
    probes: Option<Probes>,
    /// The sources may leave out events.
    is_focused: bool,
}

impl Watch {
    /// Starts with sources that have not been read yet.
    #[must_use]
    pub fn new(
        selection: Selection,
        rules: Rules,
        place: Result<Place, PlaceError>,
        limits: Limits,
    ) -> Self {
        Self {
            sources: selection.sources,
            reason: selection.reason,
            state: State::new(rules),
            attached: Timestamp::now(),
            place,
            limits,
            oom: OomCounts::default(),
            probes: None,
            is_focused: false,
        }
    }

    /// Shows startup probes that the sources are attached, and listens for them. Needs a running tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// The kernel refuses the thread's name or the signal's handler.
    pub fn announce(&mut self) -> io::Result<()> {
        self.probes = Some(Probes::listen()?);
        readiness::announce()
    }

    /// Whether it must go on to look into other processes to tell which are our pod's.
    #[must_use]
    pub fn looks_for_kin(&self) -> bool {
        self.place
            .as_ref()
            .is_ok_and(|place| place.kinship.is_some())
    }

    /// Whether it must look into main's processes to tell who killed main.
    #[must_use]
    pub fn looks_for_causes(&self) -> bool {
        let shows_others = self.place.as_ref().is_ok_and(Place::shows_others);
        self.sources.emit() && !self.sources.explain_kills() && shows_others
    }

    /// Whether its sources read and update BPF maps.
    #[must_use]
    pub fn uses_bpf(&self) -> bool {
        self.sources.use_bpf()
    }

    /// Whether no pod surrounds us: nobody stops us then, and main may never come.
    #[must_use]
    pub fn is_outside_a_pod(&self) -> bool {
        match &self.place {
            Err(PlaceError::NoPod { .. }) => !is_in_a_cluster(),
            Err(_) => false,
            Ok(place) => place.is_unknown_to_kubelet() && !is_in_a_cluster(),
        }
    }

    /// Whether Flyte has made our container: kubelet's mounts show its name, which ends as Flyte's names do.
    #[must_use]
    pub fn is_flytes(&self) -> bool {
        self.place.as_ref().is_ok_and(Place::is_flytes)
    }

    /// What is known of main if nobody waits for it.
    #[must_use]
    pub fn without_a_wait(&self) -> Watched {
        self.watched(Ending::Unseen, KillCause::Unknown)
    }

    /// Watches until main is over, or will not come. `evidence` says which files main has left.
    pub async fn until_over(
        &mut self,
        evidence: &OutputEvidence<'_>,
        termination: &mut Termination,
    ) -> Watched {
        let ending = if self.sources.emit() {
            // That no process is seen means something only if it could be seen.
            let shows_others = self.place.as_ref().is_ok_and(Place::shows_others);
            let absence = Absence::new(evidence, shows_others);
            self.ending(absence, termination).await
        } else {
            if !self.sources.are_noop() {
                termination.received().await;
                info!(source = "signal", "SIGTERM: main is over");
            }
            Ending::Unseen
        };
        // At once: the runtime removes main's cgroup soon.
        let kill = if self.sources.explain_kills() {
            KillCause::Seen
        } else {
            self.oom.cause()
        };
        self.sources.wait_is_over();
        if let (Ending::Exited(_), Ok(place)) = (ending, &self.place) {
            settle(place, self.state.mains(), self.limits.settle).await;
        }
        let watched = self.watched(ending, kill);
        debug!(?watched, "the wait is over");
        watched
    }

    /// Waits for the end of a main that wrote a marker file while it ran: until it is gone, or until
    /// SIGTERM. Kubelet restarts a sidecar that ends before main.
    pub async fn until_gone(&mut self, termination: &mut Termination) {
        let unseen = Instant::now() + UNTIL_SEEN;
        while self.may_be_alive(unseen) {
            let is_alive = self.state.tracker().is_main_alive();
            tokio::select! {
                biased;
                () = termination.received() => return,
                (source, event) = self.sources.next() => self.observe(source, event),
                () = sleep_until(unseen), if !is_alive => return,
            }
        }
    }

    /// Whether main may live. A main may write its markers, that of its start too, before a look has shown it.
    fn may_be_alive(&self, unseen: Instant) -> bool {
        let may_be_seen = || {
            let is_unseen = self.state.tracker().mains().is_empty();
            is_unseen && self.sources.sight().is_any() && Instant::now() < unseen
        };
        self.state.tracker().is_main_alive() || may_be_seen()
    }

    async fn ending(&mut self, mut absence: Absence<'_>, termination: &mut Termination) -> Ending {
        let limits = self.limits;
        let mut deadline = limits.start.map(|start| Instant::now() + start);
        let mut stopping = false;
        let mut had_started = false;
        loop {
            // The sources come last: in a storm of events there is always one more.
            tokio::select! {
                biased;
                () = termination.received(), if !stopping => {
                    stopping = true;
                    if let Some(ending) = self.at_sigterm() {
                        return ending;
                    }
                    deadline = Some(Instant::now() + limits.term_wait);
                }
                () = until(deadline) => {
                    self.catch_up();
                    let moment = if stopping { Moment::TermWaitOver } else { Moment::StartTimeout };
                    if let Some(ending) = self.ask(moment) {
                        return ending;
                    }
                    deadline = None;
                }
                () = come(self.probes.as_mut()), if !self.state.is_probed() => {
                    info!(
                        "a startup probe has found this sidecar: main starts after it, and SIGTERM comes \
                         after main's end"
                    );
                    self.state.probed();
                }
                () = until(absence.next_look()) => {
                    if let Some(ending) = self.at_absence(&mut absence) {
                        return ending;
                    }
                }
                (source, event) = self.sources.next() => self.observe(source, event),
            }
            let asked = stopping.then(|| self.ask(Moment::Sigterm)).flatten();
            if let Some(ending) = asked.or_else(|| self.state.concluded(self.sources.sight())) {
                return ending;
            }
            let is_dismissed = had_started && self.state.started().is_none();
            had_started = self.state.started().is_some();
            if self.state.tracker().is_in_doubt() || is_dismissed {
                absence.begin();
                deadline = deadline.or_else(|| limits.start.map(|start| Instant::now() + start));
            }
            if self.state.started().is_some() {
                if limits.until == Until::Start {
                    info!("main has started, and the exit watcher noop does not wait for its end");
                    return Ending::Unseen;
                }
                absence.is_over();
                deadline = deadline.filter(|_| stopping);
            }
        }
    }

    /// SIGTERM has come: what that decides, or nothing if main's end is still awaited.
    fn at_sigterm(&mut self) -> Option<Ending> {
        self.catch_up();
        let ending = self.ask(Moment::Sigterm);
        if ending.is_none() {
            let known = if self.state.started().is_some() {
                "while main runs"
            } else {
                "before main was seen"
            };
            info!(
                wait_seconds = self.limits.term_wait.as_secs_f64(),
                "SIGTERM {known}: waiting for its end"
            );
            self.sources.look_again();
        }
        ending
    }

    /// Main has not been seen for a while: what that decides.
    fn at_absence(&mut self, absence: &mut Absence<'_>) -> Option<Ending> {
        self.catch_up();
        if self.state.started().is_some() {
            return None;
        }
        let moment = absence.moment(self.state.tracker(), self.state.is_probed())?;
        self.ask(moment)
    }

    fn ask(&mut self, moment: Moment) -> Option<Ending> {
        if self.sources.gap().is_some() {
            self.state.had_gap();
        }
        self.state.ask(moment, self.sources.sight())
    }

    /// Takes the events that are ready at this moment: they may decide.
    fn catch_up(&mut self) {
        for _ in 0..READY_AT_ONCE {
            // The budget of cooperative scheduling would make a source look empty.
            let next = unconstrained(self.sources.next()).now_or_never();
            let (Some((source, event)), None) = (next, self.state.concluded(self.sources.sight()))
            else {
                return;
            };
            self.observe(source, event);
        }
    }

    fn observe(&mut self, source: &'static str, event: Event) {
        debug!(source, ?event, "event");
        self.state.observe(source, event);
        if !self.sources.explain_kills()
            && let Ok(place) = &self.place
        {
            self.oom.note(place, &self.state.tracker().main_processes());
        }
        let wants_focus = self.state.wants_focus();
        if wants_focus || self.is_focused {
            self.sources.focus(&Focus::from(self.state.tracker()));
        }
        self.is_focused = wants_focus;
    }

    fn watched(&self, ending: Ending, kill: KillCause) -> Watched {
        Watched {
            ending,
            kill,
            watcher: self.sources.names(),
            reason: self.reason.clone(),
            told_by: self.state.told_by(),
            sees: self.sources.sight().is_any(),
            unseen: self.sources.gap().map(str::to_owned),
            main: self.state.main().cloned(),
            main_names: self.state.tracker().names(self.state.mains()),
            containers: self.state.tracker().names_seen(),
            attached: self.attached,
            started: self.state.started(),
            exited: self.state.over_at(),
            settled: Timestamp::now(),
        }
    }
}

async fn come(probes: Option<&mut Probes>) {
    match probes {
        Some(probes) => probes.come().await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
