//! No container is there: has main not started yet, or has it ended already?
//!
//! Both look the same to a sidecar that attaches late, and a main that was too fast would be waited for
//! until the limit for its start. So evidence decides, and only evidence:
//!
//! | what is known | what follows |
//! | --- | --- |
//! | a container lives that may be main, and may mount the outputs | main is there |
//! | the same, and all such containers run our program | they wait as we do: after a while nobody can tell |
//! | a source reports main's end (the API, the kernel) | main is over |
//! | SIGTERM: a native sidecar gets it after main only | main is over |
//! | a startup probe has found us: SIGTERM comes after main | not yet, whatever the files say |
//! | a container ended that may have been an init container ([`Tracker::is_in_doubt`]) | as if it was not seen |
//! | `_SUCCESS` or `_ERROR` exists, no container lives for a while | main is over |
//! | all declared outputs exist, no container lives for a while | main is over |
//! | a container ended that may have been main, none came for minutes | main is over |
//! | anything else: an image is pulled, a volume is mounted | not yet; `--main-start-timeout` is the limit |

use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::track::{
    Tracker,
    decision::{Moment, Seen},
    tracker::Writers,
};

/// How long no container must have been there. Files that main left exist at once. The wait is for a main
/// that is being started while the files of an earlier one exist.
const A_WHILE: Duration = Duration::from_secs(5);

/// The same after a container that may have been an init container, or while only containers of our own program
/// live: on a busy node kubelet may need many seconds for the next one (14 s were seen).
const IN_DOUBT: Duration = Duration::from_secs(30);

/// After a container that may have been main and ended well: how long no other container must come before
/// it counts as main without evidence. Otherwise a main that forgot an output would hold its pod for
/// ever. Pulling an image usually takes less.
const MINUTES: Duration = Duration::from_mins(5);

/// Says in words which files show that main has run; nothing while none do.
pub type OutputEvidence<'a> = dyn Fn() -> Option<String> + 'a;

/// Looks for evidence while no container is there.
pub struct Absence<'a> {
    evidence: &'a OutputEvidence<'a>,
    /// We see the processes of other containers.
    all_is_seen: bool,
    next: Option<Instant>,
    warned_of: Vec<String>,
    /// Since when no container has been there that we would wait for, and who was.
    empty_since: Option<(Instant, Writers)>,
    /// How many containers had ended at the last look.
    ends: usize,
}

impl<'a> Absence<'a> {
    /// Begins. If other containers' processes are hidden (`all_is_seen` is false), absence means something
    /// only after a container was seen.
    #[must_use]
    pub fn new(evidence: &'a OutputEvidence<'a>, all_is_seen: bool) -> Self {
        Self {
            evidence,
            all_is_seen,
            next: Some(Instant::now() + A_WHILE),
            warned_of: Vec::new(),
            empty_since: None,
            ends: 0,
        }
    }

    /// When to look next.
    #[must_use]
    pub fn next_look(&self) -> Option<Instant> {
        self.next
    }

    /// Main has started: no more looks.
    pub fn is_over(&mut self) {
        self.next = None;
    }

    /// The container that seemed to be main has ended: looks begin again.
    pub fn begin(&mut self) {
        if self.next.is_none() {
            self.next = Some(Instant::now() + A_WHILE);
            self.empty_since = None;
        }
    }

    /// The moment of decision that has come, if no container was there at two looks, and files show that main
    /// was. Warns of the containers that it sees if none of them is main: `--main-container` may be mistyped. If
    /// a startup probe has found us (`is_probed`), silence says nothing: an init container may have written the
    /// files, and main's image may be on its way.
    pub fn moment(&mut self, tracker: &Tracker, is_probed: bool) -> Option<Moment> {
        self.next = Some(Instant::now() + A_WHILE);
        let in_doubt = tracker.is_in_doubt();
        if !in_doubt && tracker.is_anybody_there() {
            self.warn_of_others(tracker);
        }
        let (elapsed, writers) = self.silence(tracker, in_doubt)?;
        if is_probed || !(self.all_is_seen || in_doubt) {
            return None;
        }
        if (in_doubt || writers == Writers::Copilots) && elapsed < IN_DOUBT {
            return None;
        }
        if let Some(evidence) = (self.evidence)() {
            if writers == Writers::Copilots {
                let seen = tracker.names_seen().join(", ");
                warn!(
                    evidence,
                    containers = seen,
                    "main has run, and only containers are left that run our program: each waits for main"
                );
                return Some(Moment::OnlyCopilots);
            }
            info!(evidence, "no container is there: main has run and ended");
            return Some(Moment::Silence);
        }
        let is_long = in_doubt && elapsed >= MINUTES;
        if is_long {
            info!("no container has come for minutes: the container that ended was main");
        }
        is_long.then_some(Moment::Silence)
    }

    /// How long no container has been there that we would wait for, and who is there instead; nothing if one is,
    /// or at the first look.
    fn silence(&mut self, tracker: &Tracker, in_doubt: bool) -> Option<(Duration, Writers)> {
        // A container that began before another one ended, and still lives, is a mesh sidecar.
        let writers = match (in_doubt, tracker.writers()) {
            (true, _) if tracker.sighting().seen == Seen::Runs => Writers::Others,
            (true, _) => Writers::Nobody,
            (false, writers) => writers,
        };
        // A container may have come and gone between two looks: then the silence begins again.
        let ends = tracker.ends();
        let is_same = |(_, before): &(Instant, Writers)| *before == writers && self.ends == ends;
        let since = self.empty_since.filter(is_same);
        self.ends = ends;
        self.empty_since = (writers != Writers::Others)
            .then(|| since.unwrap_or_else(|| (Instant::now(), writers)));
        since
            .filter(|_| writers != Writers::Others)
            .map(|(since, writers)| (since.elapsed(), writers))
    }

    fn warn_of_others(&mut self, tracker: &Tracker) {
        let seen = tracker.names_seen();
        if tracker.mains().is_empty() && self.warned_of != seen {
            warn!(
                containers = seen.join(", "),
                "none of the containers seen so far is main; still waiting. If one of them is, name \
                 it with --main-container"
            );
            self.warned_of = seen;
        }
    }
}

#[cfg(test)]
mod tests;
