//! What is known of all containers that may have been main, also of those that no rule finds.

use super::{Tracker, container::Container, judgement::candidate};
use crate::track::{
    ContainerId, ExitStatus, Timestamp,
    decision::{Seen, Sighting},
    identify::Candidate,
};

/// A container that may have been main.
struct Possible<'a> {
    id: &'a ContainerId,
    began: Option<Timestamp>,
    /// When it had ended, and how.
    ended: Option<(Timestamp, ExitStatus)>,
}

impl Tracker {
    /// The worst that was seen of the containers that may have been main.
    #[must_use]
    pub fn sighting(&self) -> Sighting {
        let possible = self.possible();
        let ended = |is: fn(ExitStatus) -> bool| {
            let all = possible.iter();
            all.filter(move |one| one.ended.is_some_and(|(_, status)| is(status)))
        };
        let last_end = possible
            .iter()
            .filter_map(|one| one.ended)
            .map(|(at, _)| at)
            .max();
        // A container that no rule finds, and that began before another one ended, is a mesh sidecar.
        let is_main = |one: &Possible<'_>| self.mains().contains(one.id);
        let runs = possible.iter().filter(|one| {
            let has_begun = one.ended.is_none() && one.began.is_some();
            has_begun && (is_main(one) || one.began >= last_end)
        });
        let told = [
            (
                Seen::EndedBadly,
                ended(ExitStatus::is_failure).collect::<Vec<_>>(),
            ),
            (Seen::Runs, runs.collect()),
            (
                Seen::EndedSomehow,
                ended(|status| status == ExitStatus::Unknown).collect(),
            ),
            (
                Seen::EndedWell,
                ended(|status| status == ExitStatus::Code(0)).collect(),
            ),
        ];
        let worst = told.into_iter().find(|(_, them)| !them.is_empty());
        let (seen, them) = worst.unwrap_or((Seen::Nobody, Vec::new()));
        let statuses = them
            .iter()
            .filter_map(|one| one.ended)
            .map(|(_, status)| status);
        Sighting {
            seen,
            containers: them.iter().map(|one| one.id.clone()).collect(),
            status: statuses
                .reduce(ExitStatus::worse)
                .unwrap_or(ExitStatus::Unknown),
        }
    }

    fn possible(&self) -> Vec<Possible<'_>> {
        let candidates: Vec<Candidate<'_>> = self
            .containers
            .iter()
            .map(|(id, container)| candidate(id, container))
            .collect();
        let all = self.containers.iter().zip(&candidates);
        let is_possible = |candidate: &Candidate<'_>| {
            self.rules.may_have_been_main(candidate, &candidates)
                && !self.rules.waited_beside_main(candidate, &candidates)
        };
        all.filter(|(_, candidate)| is_possible(candidate))
            .map(|((id, container), candidate)| Possible {
                id,
                began: candidate.began,
                ended: self.end_of(id, container),
            })
            .collect()
    }

    /// The end of a container's first process. If its start was lost, the first process is the oldest one
    /// whose end was reported: a scan would have shown an older one that lives.
    fn end_of(&self, id: &ContainerId, container: &Container) -> Option<(Timestamp, ExitStatus)> {
        let told = container.exit().map(|exit| (exit.at, exit.status));
        let stray = || {
            let mut strays = self.strays.values();
            let (exit, _) = strays.find(|(_, of)| of.as_ref() == Some(id))?;
            Some((exit.at, exit.status))
        };
        let is_unknown = container.first.is_none() && self.last_loss.is_some();
        told.or_else(|| is_unknown.then(stray).flatten())
    }
}
