//! Nobody is there: has main not come yet, or has it gone?
//!
//! To whoever attaches late both look the same, and a pod in which main was too fast would be watched
//! in vain until the limit for its start. So evidence decides, and only evidence:
//!
//! | what is known | verdict |
//! | --- | --- |
//! | somebody lives who may be main | main is there |
//! | a source tells of main's end (the API, the kernel) | gone |
//! | SIGTERM: a native sidecar gets it after main only | gone |
//! | somebody ended who may have been an init container ([`Tracker::is_in_doubt`]) | as if unseen |
//! | `_SUCCESS` or `_ERROR` lies there, nobody lives for a while | gone |
//! | all declared outputs lie there, nobody lives for a while | gone |
//! | somebody ended who may have been main, nobody came for minutes | gone |
//! | anything else: an image is pulled, a volume mounted | not yet; `--main-start-timeout` bounds it |

use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::track::{Tracker, decision::Seen};

/// How long nobody must have been there. Files that main left are there at once; what this waits for
/// is a main that is just being started over the files of another.
const A_WHILE: Duration = Duration::from_secs(5);

/// The same after a container that may have been an init container: kubelet may need seconds for the
/// next one on a busy node.
const IN_DOUBT: Duration = Duration::from_secs(10);

/// How long nobody may come after a container that may have been main and ended well, before it is
/// believed without evidence: else a main that forgot an output would hold its pod for ever. An image
/// is pulled in less, as a rule.
const MINUTES: Duration = Duration::from_mins(5);

/// What speaks for main's having been here, in words; nothing while nothing does.
pub type OutputEvidence<'a> = dyn Fn() -> Option<String> + 'a;

/// Looks for evidence while nobody is there.
pub struct Absence<'a> {
    evidence: &'a OutputEvidence<'a>,
    /// Other containers' processes can be seen.
    all_is_seen: bool,
    next: Option<Instant>,
    warned_of: Vec<String>,
    /// Since when nobody has been there.
    empty_since: Option<Instant>,
    /// How many containers had ended at the last look.
    ends: usize,
}

impl<'a> Absence<'a> {
    /// Begins. Where not all processes can be seen no absence means anything, unless somebody was
    /// there before.
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

    /// Main has come.
    pub fn is_over(&mut self) {
        self.next = None;
    }

    /// Whoever seemed to be main has gone.
    pub fn begin(&mut self) {
        if self.next.is_none() {
            self.next = Some(Instant::now() + A_WHILE);
            self.empty_since = None;
        }
    }

    /// Whether nobody was there at two looks, and what lies there says that main was. Says whom it
    /// sees if none of them is main: a person may have mistyped a name.
    pub fn is_the_end(&mut self, tracker: &Tracker) -> bool {
        self.next = Some(Instant::now() + A_WHILE);
        let in_doubt = tracker.is_in_doubt();
        // Beside a container that ended, one that began before lives on as a mesh does.
        let is_empty = if in_doubt {
            tracker.sighting().seen != Seen::Runs
        } else {
            !tracker.is_anybody_there()
        };
        if !is_empty {
            self.empty_since = None;
            self.warn_of_others(tracker);
            return false;
        }
        // Somebody may have come and gone between two looks: the silence begins anew.
        let ends = tracker.ends();
        let since = self.empty_since.filter(|_| self.ends == ends);
        self.ends = ends;
        let Some(since) = since else {
            self.empty_since = Some(Instant::now());
            return false;
        };
        if !(self.all_is_seen || in_doubt) {
            return false;
        }
        if in_doubt && since.elapsed() < IN_DOUBT {
            return false;
        }
        if let Some(evidence) = (self.evidence)() {
            info!(evidence, "nobody is there: main has been and gone");
            return true;
        }
        let is_long = in_doubt && since.elapsed() >= MINUTES;
        if is_long {
            info!("nobody has come for minutes: the container that ended was main");
        }
        is_long
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
