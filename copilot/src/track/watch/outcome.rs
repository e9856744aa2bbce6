//! How a wait ended, and what was seen of main.

use std::fmt;

use super::KillCause;
use crate::track::identify::Why;
use crate::track::{ContainerId, ExitStatus, Marker, Timestamp};

/// How the wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Main was seen to end.
    Exited(ExitStatus),
    /// Main was seen to end. The source reads exit statuses, and has lost this one.
    StatusLost,
    /// Main has written a marker file that says it is over.
    Marked(Marker),
    /// Main was not seen to end. SIGTERM, `--watcher noop` or files that main left show that it is over.
    Unseen,
    /// SIGTERM came while main ran, and main did not end within the limit.
    StillRunning,
    /// SIGTERM came, and no source reported main's end within the limit.
    Untold,
    /// Main was not seen to start within the limit.
    NeverStarted,
    /// Main has left files and was not seen, and only containers of our own program live.
    OnlyCopilots,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exited(status) => return status.fmt(f),
            Self::StatusLost => "ended, and its exit status was lost",
            Self::Marked(marker) => return write!(f, "wrote {}", marker.file_name()),
            Self::Unseen => "its end was not seen",
            Self::StillRunning => "still running when the pod was stopped",
            Self::Untold => "its end was not reported in time",
            Self::NeverStarted => "never started",
            Self::OnlyCopilots => "not seen, and only sidecars live",
        })
    }
}

/// What was seen of main, for the report.
#[derive(Clone, Debug)]
pub struct Watched {
    /// How the wait ended.
    pub ending: Ending,
    /// Who killed main, if SIGKILL ended it.
    pub kill: KillCause,
    /// The sources' names.
    pub watcher: String,
    /// Why these sources were selected.
    pub reason: String,
    /// The source whose event decided.
    pub told_by: &'static str,
    /// At the end a source saw which containers live.
    pub sees: bool,
    /// Why for a while a source could not see them, in words.
    pub unseen: Option<String>,
    /// The main containers and the rule that found them.
    pub main: Option<(Vec<ContainerId>, Why)>,
    /// Their names; the id if a name is unknown.
    pub main_names: Vec<String>,
    /// All other containers that were seen: names, or ids if a name is unknown.
    pub containers: Vec<String>,
    /// When the source was attached.
    pub attached: Timestamp,
    /// When main started.
    pub started: Option<Timestamp>,
    /// When main ended.
    pub exited: Option<Timestamp>,
    /// When main's container held no process any more, or the wait for that was over.
    pub settled: Timestamp,
}

impl Watched {
    /// Whether main was seen to end after the source was attached.
    #[must_use]
    pub fn saw_the_end(&self) -> bool {
        // A marker file may be older than this life.
        let has_ended = matches!(self.ending, Ending::Exited(_) | Ending::StatusLost);
        has_ended && self.exited.is_some_and(|at| at >= self.attached)
    }
}
