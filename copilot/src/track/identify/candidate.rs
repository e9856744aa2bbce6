//! What is known of one container, and what follows from that beside the others. Pure.

use crate::track::{
    ContainerId, Job, Timestamp,
    mounts::{Mount, MountEvidence, Stage},
    process::COPILOT,
};

/// A shorter text may begin two ids by chance, and may be a name.
const SHORTEST_ID: usize = 8;

/// A container, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its id.
    pub id: &'a ContainerId,
    /// What its mounts say; nothing if they could not be read.
    pub evidence: Option<&'a MountEvidence>,
    /// The name of the program that it runs, if it is known.
    pub program: Option<&'a str>,
    /// The fingerprint of its command line, if it is known.
    pub command: Option<u64>,
    /// What its first process does, if that runs our program or the reference's.
    pub job: Option<Job>,
    /// When its first process began to run its program.
    pub began: Option<Timestamp>,
    /// When its first process, which has ended, was last known to live.
    pub alive: Option<Timestamp>,
    /// When its first process had certainly ended: the exact time if a source reported the end.
    pub ended: Option<Timestamp>,
}

/// Whether a container whose mounts cannot be read runs our program: then it is our downloader, unless its
/// command line says that it is a sidecar.
pub(super) fn runs_copilot(candidate: &Candidate<'_>) -> bool {
    candidate.evidence.is_none()
        && candidate.job != Some(Job::Sidecar)
        && candidate
            .program
            .is_some_and(|name| COPILOT.contains(&name))
}

/// Whether a container comes after our downloader in kubelet's order. Kubelet starts no other container
/// before an init container has ended, or, if it is a native sidecar that streams, is ready.
pub(super) fn is_behind(candidate: &Candidate<'_>, downloader: &Candidate<'_>) -> bool {
    let began_later = matches!(
        (candidate.began, downloader.began),
        (Some(began), Some(earlier)) if began > earlier
    );
    began_later || follows(candidate, downloader)
}

/// Whether a container began after another had ended. If the times leave that open (the end was found by a
/// look, or the other's start is unknown), the answer is yes: otherwise we might wait for a main that has
/// ended.
pub(super) fn follows(candidate: &Candidate<'_>, earlier: &Candidate<'_>) -> bool {
    match (candidate.began, earlier.alive) {
        (Some(began), Some(alive)) => began >= alive,
        (Some(_), None) => earlier.began.is_none(),
        (None, _) => true,
    }
}

/// The earlier containers that this one may be a restart of: it runs the command line of a container that
/// ended before it began. Known only of containers whose mounts cannot be read.
pub(super) fn earlier_runs<'a, 'b>(
    candidate: &'b Candidate<'a>,
    candidates: &'b [Candidate<'a>],
) -> impl Iterator<Item = &'b Candidate<'a>> {
    candidates.iter().filter(move |other| {
        let has_same_command = candidate.command.is_some() && other.command == candidate.command;
        let ended_before = matches!(
            (other.began, other.ended, candidate.began),
            (Some(earlier), Some(ended), Some(began)) if earlier < began && ended <= began
        );
        has_same_command && ended_before
    })
}

/// When the first run of a container began: kubelet may have started it again, under the same name or, where
/// mounts cannot be read, with the same command line.
pub(super) fn first_began(
    candidate: &Candidate<'_>,
    candidates: &[Candidate<'_>],
) -> Option<Timestamp> {
    let has_its_name = |other: &&Candidate<'_>| {
        name(candidate).is_some_and(|of_it| name(other) == Some(of_it))
            && other.began <= candidate.began
    };
    let by_name = candidates.iter().filter(has_its_name);
    let runs = by_name.chain(earlier_runs(candidate, candidates));
    runs.filter_map(|run| run.began)
        .chain(candidate.began)
        .min()
}

/// Whether a container began before another one, and ended no earlier.
pub(super) fn lived_through(candidate: &Candidate<'_>, other: &Candidate<'_>) -> bool {
    matches!(
        (candidate.began, other.began, other.ended, candidate.ended),
        (Some(began), Some(later), Some(ended), Some(last)) if began < later && ended <= last
    )
}

/// The containers with this name or, if none has it, those whose id begins with it.
pub(super) fn named(candidates: &[Candidate<'_>], wanted: &str) -> Vec<ContainerId> {
    let wanted_id = ContainerId::new(wanted);
    let by_name = ids(candidates
        .iter()
        .filter(|candidate| name(candidate) == Some(wanted) || candidate.id == &wanted_id));
    if !by_name.is_empty() || wanted.len() < SHORTEST_ID {
        return by_name;
    }
    ids(candidates
        .iter()
        .filter(|candidate| candidate.id.as_str().starts_with(wanted)))
}

/// What its mounts say after the runtime has made all of them: an earlier reading may lack some.
pub(super) fn made<'a>(candidate: &Candidate<'a>) -> Option<&'a MountEvidence> {
    let evidence = candidate.evidence?;
    (evidence.stage > Stage::BeforePivot).then_some(evidence)
}

pub(super) fn mounts(evidence: &MountEvidence, output: &Mount) -> bool {
    evidence.mounts.iter().any(|mount| mount.overlaps(output))
}

/// Whether kubelet started a container of the same name later: only the last attempt counts.
pub(super) fn has_later_attempt(candidate: &Candidate<'_>, candidates: &[Candidate<'_>]) -> bool {
    let (Some(name_of_it), Some(ended)) = (name(candidate), candidate.ended) else {
        return false;
    };
    candidates.iter().any(|other| {
        other.id != candidate.id
            && name(other) == Some(name_of_it)
            && other.began.is_some_and(|began| began >= ended)
    })
}

pub(super) fn name<'a>(candidate: &Candidate<'a>) -> Option<&'a str> {
    candidate.evidence?.name.as_deref()
}

pub(super) fn ids<'a>(candidates: impl Iterator<Item = &'a Candidate<'a>>) -> Vec<ContainerId> {
    candidates.map(|candidate| candidate.id.clone()).collect()
}
