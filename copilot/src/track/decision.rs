//! No source has seen main end: what follows from what they saw?
//!
//! One table, for the code and for the reader. What a source saw counts at SIGTERM too: nothing is committed
//! after a bad end of a container that may have been main. Pure.

use std::fmt;

use super::{ContainerId, ExitStatus};

/// What is known of the containers that may have been main, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// One of them ended badly.
    EndedBadly,
    /// One of them runs, and began after all others ended.
    Runs,
    /// All have ended, and the exit status of one is unknown.
    EndedSomehow,
    /// All have ended well.
    EndedWell,
    /// None was ever seen.
    Nobody,
}

/// Whether a source sees, at this moment, which containers live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// One does, and reads exit statuses: an end without a status is one that it has lost.
    Knows,
    /// One does, but reads no exit statuses.
    Sees,
    /// None does, but the API reports what kubelet knows, often after SIGTERM only.
    Reported,
    /// The same for a pod that is being deleted: kubelet reports nothing before all containers have ended,
    /// including ours.
    Muted,
    /// None does now, and one may again: an API that does not answer, a `/proc` that cannot be read.
    Lost,
    /// None ever does: files, signals.
    Blind,
}

impl Sight {
    /// The better one of two.
    #[must_use]
    pub fn better(self, other: Self) -> Self {
        let rank = |sight| ALL.iter().position(|one| *one == sight);
        if rank(self) <= rank(other) {
            self
        } else {
            other
        }
    }

    /// Whether a source knows, at this moment, which containers live.
    #[must_use]
    pub fn is_any(self) -> bool {
        !matches!(self, Lost | Blind)
    }

    /// Whether a source reads exit statuses. Then an end without a status is not a good one.
    #[must_use]
    pub fn knows_ends(self) -> bool {
        !matches!(self, Sees | Blind)
    }
}

/// What asks for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// SIGTERM: kubelet stops a native sidecar after main, or the whole pod is deleted.
    Sigterm,
    /// `--term-wait` after SIGTERM is over.
    TermWaitOver,
    /// No container has been there for a while, and the output directory shows that main has run.
    Silence,
    /// `--main-start-timeout` is over.
    StartTimeout,
    /// Files show that main has run, and for a while only containers have lived that run our program, or say so.
    OnlyCopilots,
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
    /// No source reports main's end in time: nothing is committed.
    Untold,
    /// Main is over, and its exit status was lost: nothing is committed.
    StatusLost,
    /// Main is over, and its exit status cannot be known: its outputs decide, as in the reference.
    OutputsDecide,
    /// The same, but a source that sees containers has never seen main: a warning says so.
    OutputsDecideUnseen,
    /// Only sidecars are left, and each waits for the others. One of them may be a main that says it is one, so
    /// nothing is committed.
    Undecided,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sigterm => "SIGTERM",
            Self::TermWaitOver => "--term-wait is over",
            Self::Silence => "no container has been there for a while",
            Self::StartTimeout => "--main-start-timeout is over",
            Self::OnlyCopilots => "only sidecars live",
        })
    }
}

use Decision::{
    Failed, Interrupted, NeverStarted, OutputsDecide, OutputsDecideUnseen, StatusLost, Undecided,
    Untold, Wait,
};
use Seen::{EndedBadly, EndedSomehow, EndedWell, Nobody, Runs};
use Sight::{Blind, Knows, Lost, Muted, Reported, Sees};

/// The best first.
const ALL: &[Sight] = &[Knows, Sees, Reported, Muted, Lost, Blind];

/// Those with a source that reads exit statuses.
const INFORMED: &[Sight] = &[Knows, Reported, Muted, Lost];

/// What was seen, what the sources see at this moment, and what follows at each [`Moment`].
#[rustfmt::skip]
const TABLE: [(Seen, &[Sight], [Decision; 5]); 12] = [
    //                               SIGTERM              term wait over       silence              start timeout  only copilots
    (EndedBadly,   ALL,                  [Failed,              Failed,              Failed,              Failed, Failed]),
    (Runs,         &[Knows, Sees, Reported], [Wait,                Interrupted,         Wait,                NeverStarted, Undecided]),
    (Runs,         &[Muted],             [Untold,              Untold,              Wait,                NeverStarted, Wait]),
    (Runs,         &[Lost],              [Wait,                Untold,              Wait,                NeverStarted, Wait]),
    (Runs,         &[Blind],             [Wait,                OutputsDecideUnseen, Wait,                NeverStarted, Wait]),
    (EndedSomehow, INFORMED,             [StatusLost,          StatusLost,          StatusLost,          NeverStarted, StatusLost]),
    (EndedSomehow, &[Sees, Blind],       [OutputsDecide,       OutputsDecide,       OutputsDecide,       NeverStarted, Undecided]),
    (EndedWell,    ALL,                  [OutputsDecide,       OutputsDecide,       OutputsDecide,       NeverStarted, Undecided]),
    (Nobody,       &[Knows, Sees],       [OutputsDecideUnseen, OutputsDecideUnseen, OutputsDecideUnseen, NeverStarted, Undecided]),
    (Nobody,       &[Reported, Lost],    [Wait,                Untold,              Wait,                NeverStarted, Wait]),
    (Nobody,       &[Muted],             [Untold,              Untold,              Wait,                NeverStarted, Wait]),
    (Nobody,       &[Blind],             [OutputsDecide,       OutputsDecide,       OutputsDecide,       NeverStarted, Wait]),
];

/// Looks up what follows.
#[must_use]
pub fn decide(seen: Seen, sight: Sight, moment: Moment) -> Decision {
    let row = TABLE
        .iter()
        .find(|(row, eyes, _)| *row == seen && eyes.contains(&sight));
    row.map_or(Interrupted, |(_, _, decisions)| match moment {
        Moment::Sigterm => decisions[0],
        Moment::TermWaitOver => decisions[1],
        Moment::Silence => decisions[2],
        Moment::StartTimeout => decisions[3],
        Moment::OnlyCopilots => decisions[4],
    })
}

/// What is known of the containers that may have been main.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What was seen.
    pub seen: Seen,
    /// The containers that this is about.
    pub containers: Vec<ContainerId>,
    /// The worst of their exit statuses; unknown if they have not ended.
    pub status: ExitStatus,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: [Seen; 5] = [EndedBadly, Runs, EndedSomehow, EndedWell, Nobody];
    const MOMENTS: [Moment; 5] = [
        Moment::Sigterm,
        Moment::TermWaitOver,
        Moment::Silence,
        Moment::StartTimeout,
        Moment::OnlyCopilots,
    ];

    fn every_case() -> impl Iterator<Item = (Seen, Sight, Moment)> {
        let sights = |seen| ALL.iter().map(move |sight| (seen, *sight));
        let pairs = SEEN.into_iter().flat_map(sights);
        pairs.flat_map(|(seen, sight)| MOMENTS.map(|moment| (seen, sight, moment)))
    }

    #[test]
    fn each_case_has_one_row() {
        for (seen, sight, _) in every_case() {
            let rows = TABLE
                .iter()
                .filter(|row| row.0 == seen && row.1.contains(&sight));
            assert_eq!(rows.count(), 1, "{seen:?} {sight:?}");
        }
    }

    #[test]
    fn what_ended_badly_or_runs_in_sight_is_never_committed() {
        for (seen, sight, moment) in every_case() {
            let decision = decide(seen, sight, moment);
            let commits = matches!(decision, OutputsDecide | OutputsDecideUnseen);
            let is_told = sight != Blind;
            let must_not = seen == EndedBadly
                || (seen == Runs && is_told)
                || (seen == EndedSomehow && sight.knows_ends());
            assert!(!(commits && must_not), "{seen:?} {sight:?} {moment:?}");
            assert_eq!(decision == Failed, seen == EndedBadly);
        }
    }

    /// A main may say that it is a sidecar.
    #[test]
    fn nothing_is_committed_while_a_container_lives_that_says_it_is_a_sidecar() {
        for (seen, sight, _) in every_case() {
            let decision = decide(seen, sight, Moment::OnlyCopilots);
            let expected = [Failed, StatusLost, Undecided, Wait];
            assert!(expected.contains(&decision), "{seen:?} {sight:?}");
        }
    }

    /// Kubelet reports after its SIGTERM, so that the API has reported no container means nothing.
    #[test]
    fn a_main_that_the_api_has_not_told_of_is_never_committed() {
        for sight in [Reported, Muted, Lost] {
            for moment in MOMENTS {
                let decision = decide(Nobody, sight, moment);
                let commits = matches!(decision, OutputsDecide | OutputsDecideUnseen);
                assert!(!commits, "{sight:?} {moment:?}");
            }
        }
    }
}
