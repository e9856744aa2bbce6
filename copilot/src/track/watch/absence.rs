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
//! | `_SUCCESS` or `_ERROR` lies there, nobody lives for a while | gone |
//! | all declared outputs lie there, nobody lives for a while | gone |
//! | anything else: an image is pulled, a volume mounted | not yet; `--main-start-timeout` bounds it |

use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use crate::track::Tracker;

/// How long nobody must have been there. Files that main left are there at once; what this waits for
/// is a main that is just being started over the files of another.
const A_WHILE: Duration = Duration::from_secs(5);

/// What speaks for main's having been here, in words; nothing while nothing does.
pub type Evidence<'a> = dyn Fn() -> Option<String> + 'a;

/// Looks for evidence while nobody is there.
pub struct Absence<'a> {
    evidence: Option<&'a Evidence<'a>>,
    next: Option<Instant>,
    warned_of: Vec<String>,
    was_empty: bool,
}

impl<'a> Absence<'a> {
    /// Begins; without evidence, which takes that other containers' processes can be seen, no
    /// absence means anything.
    #[must_use]
    pub fn new(evidence: Option<&'a Evidence<'a>>) -> Self {
        Self {
            evidence,
            next: Some(Instant::now() + A_WHILE),
            warned_of: Vec::new(),
            was_empty: false,
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

    /// Whether nobody was there at two looks, and what lies there says that main was. Says whom it
    /// sees if none of them is main: a person may have mistyped a name.
    pub fn is_the_end(&mut self, tracker: &Tracker) -> bool {
        self.next = Some(Instant::now() + A_WHILE);
        let is_empty = !tracker.is_anybody_there();
        let was_empty = std::mem::replace(&mut self.was_empty, is_empty);
        if !is_empty {
            self.warn_of_others(tracker);
            return false;
        }
        let Some(evidence) = self.evidence.filter(|_| was_empty) else {
            return false;
        };
        let found = evidence();
        if let Some(evidence) = &found {
            info!(
                evidence,
                "main was never seen and nobody is there: it has been and gone"
            );
        }
        found.is_some()
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
