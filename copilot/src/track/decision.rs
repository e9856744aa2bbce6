//! When nobody has seen main end: what follows from what was seen?
//!
//! One table, for the code and for the reader. What a source saw counts, whatever SIGTERM says: a
//! container that may have been main and ended badly is never followed by a commit. Pure.

use super::{ContainerId, ExitStatus};

/// What is known of the containers that may have been main, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// One of them ended badly.
    EndedBadly,
    /// One of them runs, and began after all that ended.
    Runs,
    /// All have ended; of one nobody could tell how.
    EndedSomehow,
    /// All have ended well.
    EndedWell,
    /// None was ever seen.
    Nobody,
}

/// Whether a source sees, at this moment, who lives in the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// One does, and learns how processes end: an end without a status is one that it has lost.
    Knows,
    /// One does, but not how processes end.
    Sees,
    /// None does: files, signals, an API that does not answer.
    Blind,
}

/// What asks for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// SIGTERM: kubelet stops a native sidecar after main, or the whole pod is deleted.
    Sigterm,
    /// `--term-wait` after SIGTERM is over.
    TermWaitOver,
    /// Nobody has been there for a while, and what lies in the output directory says that main was.
    Silence,
    /// `--main-start-timeout` is over.
    StartTimeout,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Main ended badly: its end is reported.
    Failed,
    /// Its end may still come.
    Wait,
    /// It still ran: nothing is committed.
    Interrupted,
    /// It never began.
    NeverStarted,
    /// Main is over, and nobody could tell how it ended: its outputs decide, as in the reference.
    OutputsDecide,
    /// Main is over, and how it ended was lost: without proof of a good end nothing is committed.
    StatusLost,
    /// The same of a pod in which a source that sees has never seen main: a warning says so.
    OutputsDecideUnseen,
}

use Decision::{
    Failed, Interrupted, NeverStarted, OutputsDecide, OutputsDecideUnseen, StatusLost, Wait,
};
use Seen::{EndedBadly, EndedSomehow, EndedWell, Nobody, Runs};
use Sight::{Blind, Knows, Sees};

/// What was seen, who sees at this moment, and what follows at each [`Moment`]: SIGTERM, the end of
/// `--term-wait`, silence over complete outputs, the end of `--main-start-timeout`.
#[rustfmt::skip]
const TABLE: [(Seen, Sight, [Decision; 4]); 15] = [
    //                     SIGTERM              term wait over       silence              start timeout
    (EndedBadly,   Knows, [Failed,              Failed,              Failed,              Failed]),
    (EndedBadly,   Sees,  [Failed,              Failed,              Failed,              Failed]),
    (EndedBadly,   Blind, [Failed,              Failed,              Failed,              Failed]),
    (Runs,         Knows, [Wait,                Interrupted,         Wait,                NeverStarted]),
    (Runs,         Sees,  [Wait,                Interrupted,         Wait,                NeverStarted]),
    (Runs,         Blind, [Wait,                OutputsDecideUnseen, Wait,                NeverStarted]),
    (EndedSomehow, Knows, [StatusLost,          StatusLost,          StatusLost,          NeverStarted]),
    (EndedSomehow, Sees,  [OutputsDecide,       OutputsDecide,       OutputsDecide,       NeverStarted]),
    (EndedSomehow, Blind, [OutputsDecide,       OutputsDecide,       OutputsDecide,       NeverStarted]),
    (EndedWell,    Knows, [OutputsDecide,       OutputsDecide,       OutputsDecide,       NeverStarted]),
    (EndedWell,    Sees,  [OutputsDecide,       OutputsDecide,       OutputsDecide,       NeverStarted]),
    (EndedWell,    Blind, [OutputsDecide,       OutputsDecide,       OutputsDecide,       NeverStarted]),
    (Nobody,       Knows, [OutputsDecideUnseen, OutputsDecideUnseen, OutputsDecideUnseen, NeverStarted]),
    (Nobody,       Sees,  [OutputsDecideUnseen, OutputsDecideUnseen, OutputsDecideUnseen, NeverStarted]),
    (Nobody,       Blind, [OutputsDecide,       OutputsDecide,       OutputsDecide,       NeverStarted]),
];

/// Looks it up.
#[must_use]
pub fn decide(seen: Seen, sight: Sight, moment: Moment) -> Decision {
    let row = TABLE
        .iter()
        .find(|(row, eyes, _)| (*row, *eyes) == (seen, sight));
    row.map_or(Interrupted, |(_, _, decisions)| match moment {
        Moment::Sigterm => decisions[0],
        Moment::TermWaitOver => decisions[1],
        Moment::Silence => decisions[2],
        Moment::StartTimeout => decisions[3],
    })
}

/// What is known of the containers that may have been main, and whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What was seen.
    pub seen: Seen,
    /// The containers of which it is said.
    pub containers: Vec<ContainerId>,
    /// The worst of their ends; unknown where they have not ended.
    pub status: ExitStatus,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: [Seen; 5] = [EndedBadly, Runs, EndedSomehow, EndedWell, Nobody];
    const MOMENTS: [Moment; 4] = [
        Moment::Sigterm,
        Moment::TermWaitOver,
        Moment::Silence,
        Moment::StartTimeout,
    ];

    fn every_case() -> impl Iterator<Item = (Seen, Sight, Moment)> {
        let sights = |seen| [Knows, Sees, Blind].map(|sight| (seen, sight));
        let pairs = SEEN.into_iter().flat_map(sights);
        pairs.flat_map(|(seen, sight)| MOMENTS.map(|moment| (seen, sight, moment)))
    }

    #[test]
    fn each_case_has_one_row() {
        for (seen, sight, _) in every_case() {
            let rows = TABLE.iter().filter(|row| (row.0, row.1) == (seen, sight));
            assert_eq!(rows.count(), 1, "{seen:?} {sight:?}");
        }
    }

    #[test]
    fn what_ended_badly_or_unknown_or_runs_in_sight_is_never_committed() {
        for (seen, sight, moment) in every_case() {
            let decision = decide(seen, sight, moment);
            let commits = matches!(decision, OutputsDecide | OutputsDecideUnseen);
            let must_not = seen == EndedBadly
                || (seen == Runs && sight != Blind)
                || (seen, sight) == (EndedSomehow, Knows);
            assert!(!(commits && must_not), "{seen:?} {sight:?} {moment:?}");
            assert_eq!(decision == Failed, seen == EndedBadly);
        }
    }
}
