//! What is known of main, and what follows from it at a moment of decision. Pure: no clock, no source.

use tracing::{info, warn};

use super::Ending;
use crate::track::{
    ContainerId, Event, Timestamp, Tracker, Transition,
    decision::{Decision, Moment, Seen, Sight, Sighting, decide},
    identify::{Rules, Why},
};

/// The tracker, and what it has concluded so far.
pub(super) struct State {
    tracker: Tracker,
    main: Option<(Vec<ContainerId>, Why)>,
    started: Option<Timestamp>,
    /// How main is over, and when it was.
    over: Option<(Ending, Timestamp)>,
    /// The source whose event led to the last conclusion, and the source of the last event.
    told_by: &'static str,
    last_source: &'static str,
    /// A startup probe has found us: SIGTERM comes after main's end.
    is_probed: bool,
    /// For a while a source could not see which containers live: main may have come and gone.
    had_gap: bool,
}

impl State {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            tracker: Tracker::new(rules),
            main: None,
            started: None,
            over: None,
            told_by: "signal",
            last_source: "signal",
            is_probed: false,
            had_gap: false,
        }
    }

    /// For a while a source could not see which containers live.
    pub(super) fn had_gap(&mut self) {
        self.had_gap = true;
    }

    /// A startup probe has found us.
    pub(super) fn probed(&mut self) {
        self.is_probed = true;
    }

    pub(super) fn is_probed(&self) -> bool {
        self.is_probed
    }

    pub(super) fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// The main containers and the rule that found them.
    pub(super) fn main(&self) -> Option<&(Vec<ContainerId>, Why)> {
        self.main.as_ref()
    }

    pub(super) fn mains(&self) -> &[ContainerId] {
        self.main.as_ref().map_or(&[], |(mains, _)| mains)
    }

    pub(super) fn started(&self) -> Option<Timestamp> {
        self.started
    }

    pub(super) fn over_at(&self) -> Option<Timestamp> {
        self.over.map(|(_, at)| at)
    }

    pub(super) fn told_by(&self) -> &'static str {
        self.told_by
    }

    /// Whether the sources may leave out what does not matter for main.
    pub(super) fn wants_focus(&self) -> bool {
        self.started.is_some() || self.tracker.is_in_doubt()
    }

    pub(super) fn observe(&mut self, source: &'static str, event: Event) {
        self.last_source = source;
        for transition in self.tracker.observe(event) {
            self.told_by = source;
            self.take(source, transition);
        }
    }

    /// How main ended, if the tracker has concluded it. A good end does not count if another container
    /// that may have been main ended badly. An end whose status was lost is not a good end.
    pub(super) fn concluded(&mut self, sight: Sight) -> Option<Ending> {
        let (ending, _) = self.over?;
        if matches!(ending, Ending::Exited(status) if status.is_failure()) {
            return Some(ending);
        }
        let sighting = self.tracker.sighting();
        // A marker file that main wrote stands for a status.
        let wants_status = sight.knows_ends() && matches!(ending, Ending::Exited(_));
        match sighting.seen {
            Seen::EndedBadly => Some(self.blame(sighting)),
            Seen::EndedSomehow if wants_status => Some(self.miss(sighting)),
            _ => Some(ending),
        }
    }

    /// The ending that follows at this moment; nothing if main's end may still come.
    pub(super) fn ask(&mut self, moment: Moment, sight: Sight) -> Option<Ending> {
        let sighting = self.tracker.sighting();
        // If the gap lasts, main may still run.
        let may_be_missed = self.had_gap
            && sight != Sight::Lost
            && match sighting.seen {
                Seen::Nobody => true,
                Seen::EndedWell => self.tracker.is_in_doubt(),
                _ => false,
            };
        let seen = if may_be_missed {
            Seen::EndedSomehow
        } else {
            sighting.seen
        };
        let decision = decide(seen, sight, moment);
        let ends = matches!(moment, Moment::TermWaitOver | Moment::StartTimeout);
        let may_come = self.tracker.is_main_alive() && !ends && decision != Decision::Untold;
        if decision == Decision::Wait || may_come {
            return None;
        }
        if may_be_missed && decision == Decision::StatusLost {
            return Some(self.miss(sighting));
        }
        if self.is_probed && decision == Decision::NeverStarted && self.tracker.is_in_doubt() {
            return Some(Ending::NeverStarted);
        }
        // One that runs, and began after the end in doubt, may be main: also if it claims to be a sidecar.
        let is_refuted = matches!(
            decision,
            Decision::Interrupted | Decision::Untold | Decision::Undecided
        ) && sighting.seen == Seen::Runs
            && self.tracker.is_in_doubt();
        if !is_refuted {
            self.dispel_doubt();
            if let Some(ending) = self.concluded(sight) {
                return Some(ending);
            }
        }
        match decision {
            Decision::Wait => None,
            Decision::Failed => Some(self.blame(sighting)),
            Decision::Interrupted => Some(Ending::StillRunning),
            Decision::Untold => Some(Ending::Untold),
            Decision::NeverStarted => self.started.is_none().then_some(Ending::NeverStarted),
            Decision::StatusLost => Some(self.miss(sighting)),
            Decision::Undecided => Some(Ending::OnlyCopilots),
            Decision::OutputsDecide => {
                info!(
                    %moment,
                    "main is over, and its exit status is unknown: its outputs decide"
                );
                Some(Ending::Unseen)
            }
            Decision::OutputsDecideUnseen => {
                let containers = self.tracker.names_seen().join(", ");
                let reason = if sight.is_any() {
                    "main was never seen"
                } else {
                    "main cannot be seen any more"
                };
                warn!(
                    %moment,
                    containers, "{reason}, so its exit status is unknown: its outputs decide"
                );
                Some(Ending::Unseen)
            }
        }
    }

    /// A container that may have been main ended badly, so main's end counts as bad.
    fn blame(&mut self, sighting: Sighting) -> Ending {
        let Sighting {
            containers, status, ..
        } = sighting;
        warn!(
            containers = self.tracker.names(&containers).join(", "),
            %status,
            "a container that may have been main ended badly: its end counts as main's"
        );
        self.suspect(containers);
        Ending::Exited(status)
    }

    /// A container that may have been main ended, and its exit status was lost.
    fn miss(&mut self, sighting: Sighting) -> Ending {
        warn!(
            containers = self.tracker.names(&sighting.containers).join(", "),
            "the exit status of a container that may have been main is unknown: nothing is committed"
        );
        self.suspect(sighting.containers);
        Ending::StatusLost
    }

    /// Reports these containers as main. If a rule has found them already, that rule stays.
    fn suspect(&mut self, containers: Vec<ContainerId>) {
        self.told_by = self.last_source;
        let mains = self.mains();
        let are_found = !containers.is_empty() && containers.iter().all(|one| mains.contains(one));
        if !are_found {
            self.main = Some((containers, Why::NotExcluded));
        }
    }

    /// No other container will come: an end that may have been an init container's was main's.
    fn dispel_doubt(&mut self) {
        if self.tracker.is_in_doubt() {
            for transition in self.tracker.confirm() {
                self.take(self.told_by, transition);
            }
        }
    }

    fn take(&mut self, source: &'static str, transition: Transition) {
        match transition {
            Transition::MainFound { containers, why } => {
                let ids = listed(&containers);
                if why == Why::Elimination {
                    warn!(source, containers = ids, %why, "main found");
                } else {
                    info!(source, containers = ids, %why, "main found");
                }
                self.main = Some((containers, why));
            }
            Transition::MainDismissed => {
                info!(
                    source,
                    "what seemed to be main runs our program, and waits for main as this sidecar does"
                );
                self.main = None;
                self.started = None;
            }
            Transition::MainStarted { processes, at } => {
                let pids: Vec<u64> = processes.iter().map(|process| process.pid).collect();
                info!(source, pids = listed(&pids), boot_ns = at.0, "main started");
                self.started = Some(at);
            }
            Transition::MainInDoubt { status, at } => {
                info!(
                    source,
                    %status,
                    boot_ns = at.0,
                    "the container that seemed to be main has ended, and may have been an init \
                     container: waiting for another one, for SIGTERM, or for signs that none comes"
                );
                self.started = None;
            }
            Transition::MainExited { status, at } => {
                info!(source, %status, boot_ns = at.0, "main ended");
                self.over = Some((Ending::Exited(status), at));
            }
            Transition::MainMarked { marker, at } => {
                let file = marker.file_name();
                info!(source, file, boot_ns = at.0, "main says that it is over");
                self.over.get_or_insert((Ending::Marked(marker), at));
            }
        }
    }
}

/// Values for the log, in one text.
fn listed(values: &[impl ToString]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    values.join(", ")
}

#[cfg(test)]
mod tests;
