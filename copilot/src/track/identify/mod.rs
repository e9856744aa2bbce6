//! Who is main? Pure rules over what is known of the pod's containers; the first that holds.
//!
//! 1. `--main-container`: a name, or the beginning of a container id.
//! 2. Flyte's naming: a container called like the pod (the host name), or `primary`.
//! 3. The containers that mount our output directory. Whatever began before our downloader, or ended
//!    before a later one of them began, was not main.
//! 4. Elimination, where rule 3 cannot be evaluated: not us, not the sandbox, not known
//!    infrastructure.
//!
//! A container that ended before its mounts could be read, or while the runtime still made them, is
//! main only by elimination, and only if no other container is.
//!
//! Rules 3 and 4 may take an init container for main while main has not come. Kubelet runs init
//! containers one after the other, and whatever it makes next would show the error; so what they
//! find is never main for certain.

use std::{fmt, path::Path};

use super::{
    ContainerId, Timestamp,
    mounts::{Mount, MountEvidence, Stage},
    place::Place,
};

/// A shorter text that begins an id may begin another's by chance, and may well be a name.
const SHORTEST_ID: usize = 8;

/// The name that Flyte gives to the main container of a pod task.
const PRIMARY: &str = "primary";

/// Our own init container, which ends before main begins, unless it streams.
const DOWNLOADER: &str = "flyte-copilot-downloader";

/// The names of our program: ours and the reference's.
const COPILOT: &[&str] = &["copilot", "flyte-copilot"];

/// Containers that other systems put into a pod, and Flyte's own: never main.
const INFRASTRUCTURE: &[&str] = &[
    DOWNLOADER,
    "flyte-copilot-uploader",
    "flyte-copilot-sidecar",
    "istio-proxy",
    "istio-init",
    "istio-validation",
    "linkerd-proxy",
    "linkerd-init",
    "linkerd-network-validator",
    "consul-dataplane",
    "envoy-sidecar",
    "kuma-sidecar",
    "kuma-init",
    "vault-agent",
    "vault-agent-init",
    "cloud-sql-proxy",
    "gke-gcsfuse-sidecar",
    "gke-gcsfuse-metadata-prefetch",
    "datadog-agent-injector",
];

/// What the rules go by.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// `--main-container`.
    pub main_container: Option<String>,
    /// `--ignore-container`, beside the known infrastructure.
    pub ignored: Vec<String>,
    /// Our host name, which is the pod's name unless it uses the node's network.
    pub host_name: Option<String>,
    /// Our own container.
    pub own: Option<ContainerId>,
    /// Our pod's uid, if kubelet's mounts tell it: each container of the pod then has such mounts,
    /// the sandbox excepted.
    pub pod_uid: Option<String>,
    /// The mount that holds our output directory.
    pub output_mount: Option<Mount>,
    /// A source tells of all containers by name: one that nobody describes is not yet told of.
    pub all_are_named: bool,
}

/// What the pod's manifest says, where a source may read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The pod's name: the true one, on the node's network as well.
    pub pod_name: String,
    /// Containers that main cannot be: init containers, native sidecars, and we ourselves.
    pub never_main: Vec<String>,
    /// The mount that holds our output directory, in the words in which the same source tells of
    /// the mounts of others.
    pub output_mount: Option<Mount>,
}

/// A container, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Which.
    pub id: &'a ContainerId,
    /// What its mounts say; nothing where they could not be read.
    pub evidence: Option<&'a MountEvidence>,
    /// The name of the program that it runs, where that was told.
    pub program: Option<&'a str>,
    /// When its first process began to run its program.
    pub began: Option<Timestamp>,
    /// When its first process, which has ended, was last known to live.
    pub alive: Option<Timestamp>,
    /// When its first process had ended for certain: exact where the end itself was told.
    pub ended: Option<Timestamp>,
}

/// By which rule main was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// `--main-container` names it.
    Named,
    /// It is called as Flyte calls a main container.
    FlyteNaming,
    /// It mounts our output directory.
    OutputVolume,
    /// Nothing else is left.
    Elimination,
    /// No rule finds it, but it ended badly, and nothing excludes that it was main.
    NotExcluded,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "named by --main-container",
            Self::FlyteNaming => "named as Flyte names a main container",
            Self::OutputVolume => "it mounts the output directory",
            Self::Elimination => "by elimination: no other container of the pod is left",
            Self::NotExcluded => "it ended badly, and nothing excludes that it was main",
        })
    }
}

impl Rules {
    /// What our place tells: who we are, which pod is ours, and which mount holds `output`, our
    /// output directory as an absolute path without links. No names yet.
    #[must_use]
    pub fn of(place: &Place, output: &Path) -> Self {
        Self {
            own: place.own.clone(),
            pod_uid: place.evidence.pod_uid.clone(),
            output_mount: place.evidence.mount_of(output).cloned(),
            ..Self::default()
        }
    }

    /// With what the manifest says. What our own mounts say of the output directory stays: that is
    /// how the manifest's word was translated.
    #[must_use]
    pub fn with_manifest(mut self, manifest: &Manifest) -> Self {
        self.host_name = Some(manifest.pod_name.clone());
        self.ignored.extend_from_slice(&manifest.never_main);
        self.output_mount = self.output_mount.or_else(|| manifest.output_mount.clone());
        self.all_are_named = true;
        self
    }

    /// The main containers and the rule that found them; nothing while none is known.
    #[must_use]
    pub fn choose(&self, candidates: &[Candidate<'_>]) -> Option<(Vec<ContainerId>, Why)> {
        let others: Vec<Candidate<'_>> = candidates
            .iter()
            .filter(|candidate| self.may_be_main(candidate))
            .copied()
            .collect();
        let (chosen, why) = match &self.main_container {
            Some(wanted) => (named(&others, wanted), Why::Named),
            None => self.unnamed(&others),
        };
        if !chosen.is_empty() {
            return Some((chosen, why));
        }
        let left = self.by_elimination(&others);
        (!left.is_empty()).then_some((left, Why::Elimination))
    }

    /// Whether containers that this rule finds are main for certain: no container that comes later can
    /// show that they were not. Only a name says so. The output volume does not, not even behind our
    /// downloader: a pod template may put an init container there, and a second main begins after
    /// the first. Outside Kubernetes init containers do not exist.
    #[must_use]
    pub fn is_certain(&self, why: Why) -> bool {
        self.pod_uid.is_none() || matches!(why, Why::Named | Why::FlyteNaming)
    }

    /// Whether a container may be main, or may turn out to be once more is known of it.
    #[must_use]
    pub fn may_become_main(&self, candidate: &Candidate<'_>) -> bool {
        self.may_be_main(candidate) && !self.is_infrastructure(candidate)
    }

    fn may_be_main(&self, candidate: &Candidate<'_>) -> bool {
        let is_sandbox = candidate.evidence.is_some_and(|evidence| {
            evidence.is_sandbox || (self.pod_uid.is_some() && evidence.pod_uid != self.pod_uid)
        });
        !is_sandbox && self.own.as_ref() != Some(candidate.id)
    }

    fn unnamed(&self, candidates: &[Candidate<'_>]) -> (Vec<ContainerId>, Why) {
        let by_name = self.by_flytes_naming(candidates);
        if by_name.is_empty() {
            (self.by_output_volume(candidates), Why::OutputVolume)
        } else {
            (by_name, Why::FlyteNaming)
        }
    }

    fn by_flytes_naming(&self, candidates: &[Candidate<'_>]) -> Vec<ContainerId> {
        // `setHostnameAsFQDN` puts the cluster's domain behind the pod's name.
        let host_name = self
            .host_name
            .as_deref()
            .and_then(|host| host.split('.').next());
        ids(candidates.iter().filter(|candidate| {
            self.may_be_main(candidate)
                && name(candidate).is_some_and(|name| name == PRIMARY || host_name == Some(name))
        }))
    }

    fn by_output_volume(&self, candidates: &[Candidate<'_>]) -> Vec<ContainerId> {
        let Some(output) = &self.output_mount else {
            return Vec::new();
        };
        let downloader = downloader(candidates);
        let sharers: Vec<&Candidate<'_>> = candidates
            .iter()
            .filter(|candidate| !self.is_infrastructure(candidate))
            .filter(|candidate| {
                // What was read before the pivot is true as far as it goes.
                candidate
                    .evidence
                    .is_some_and(|evidence| mounts(evidence, output))
            })
            .filter(|candidate| {
                downloader.is_none_or(|downloader| is_behind(candidate, downloader))
            })
            .collect();
        // One that is being made will begin later than whatever has ended.
        let began = |sharer: &&Candidate<'_>| sharer.began.unwrap_or(Timestamp(u64::MAX));
        let last_began = sharers.iter().map(began).max();
        ids(sharers.into_iter().filter(|sharer| {
            !matches!((sharer.ended, last_began), (Some(ended), Some(last)) if ended < last)
        }))
    }

    fn by_elimination(&self, candidates: &[Candidate<'_>]) -> Vec<ContainerId> {
        let rules_apply = self.main_container.is_some() || self.output_mount.is_some();
        let possible = |one: &&Candidate<'_>| self.may_have_been_main(one, candidates);
        let last_began = candidates
            .iter()
            .filter(possible)
            .filter_map(|one| one.began)
            .max();
        ids(candidates.iter().filter(|candidate| match made(candidate) {
            // Gone before its mounts could be read: it may have been main, unless another began later.
            None => {
                candidate
                    .ended
                    .is_some_and(|ended| Some(ended) >= last_began)
                    && possible(candidate)
            }
            // Not a container of Kubernetes: it has no name that a rule could have matched.
            Some(evidence) if !evidence.is_of_a_pod() => self.main_container.is_none(),
            Some(_) => !rules_apply && !self.is_infrastructure(candidate),
        }))
    }

    /// Whether what is known of a container leaves open that it is main, or was. If it ended badly the
    /// run is a failure, whichever container the rules find. `candidates` are all of the pod.
    #[must_use]
    pub fn may_have_been_main(
        &self,
        candidate: &Candidate<'_>,
        candidates: &[Candidate<'_>],
    ) -> bool {
        let is_known_not_to_be = !self.may_be_main(candidate)
            || self.is_infrastructure(candidate)
            || runs_copilot(candidate)
            || has_later_attempt(candidate, candidates);
        if is_known_not_to_be {
            return false;
        }
        let named = match &self.main_container {
            Some(wanted) => named(candidates, wanted),
            None => self.by_flytes_naming(candidates),
        };
        if !named.is_empty() {
            return named.contains(candidate.id);
        }
        let is_behind = |downloader| is_behind(candidate, downloader);
        self.may_mount_outputs(candidate) && downloader(candidates).is_none_or(is_behind)
    }

    /// Whether what is known of its mounts leaves open that main's outputs are its.
    fn may_mount_outputs(&self, candidate: &Candidate<'_>) -> bool {
        match (made(candidate), &self.output_mount) {
            // Of whom nothing is known all is possible, unless all are told of by name.
            (None, _) => !self.all_are_named && !self.has_other_name(candidate),
            (Some(evidence), _) if !evidence.is_of_a_pod() => self.main_container.is_none(),
            (Some(_), _) if self.main_container.is_some() => false,
            (Some(evidence), Some(output)) => mounts(evidence, output),
            (Some(_), None) => true,
        }
    }

    /// Whether its name is known, and is not that of the container which is asked for.
    fn has_other_name(&self, candidate: &Candidate<'_>) -> bool {
        self.main_container.is_some() && name(candidate).is_some()
    }

    fn is_infrastructure(&self, candidate: &Candidate<'_>) -> bool {
        name(candidate).is_some_and(|name| {
            INFRASTRUCTURE.contains(&name) || self.ignored.iter().any(|ignored| ignored == name)
        })
    }
}

fn downloader<'a, 'b>(candidates: &'b [Candidate<'a>]) -> Option<&'b Candidate<'a>> {
    candidates
        .iter()
        .find(|candidate| name(candidate) == Some(DOWNLOADER) || runs_copilot(candidate))
}

/// Whether a container of which nothing can be read runs what we are: it is then our downloader.
fn runs_copilot(candidate: &Candidate<'_>) -> bool {
    candidate.evidence.is_none()
        && candidate
            .program
            .is_some_and(|name| COPILOT.contains(&name))
}

/// Whether a container comes after our downloader in kubelet's order. Until an init container has
/// ended nothing else begins; of one that streams, and lives beside main, the same holds until it is
/// ready.
fn is_behind(candidate: &Candidate<'_>, downloader: &Candidate<'_>) -> bool {
    let began_later = matches!(
        (candidate.began, downloader.began),
        (Some(began), Some(earlier)) if began > earlier
    );
    began_later || follows(candidate, downloader)
}

/// Whether a container began after another had ended. Where that end was not told but found out
/// later, or not even the other's beginning is known, the doubt is in favour of the container: else
/// main could be waited for in vain.
fn follows(candidate: &Candidate<'_>, earlier: &Candidate<'_>) -> bool {
    match (candidate.began, earlier.alive) {
        (Some(began), Some(alive)) => began >= alive,
        (Some(_), None) => earlier.began.is_none(),
        (None, _) => true,
    }
}

/// The containers of this name or, if there are none, those whose id begins so.
fn named(candidates: &[Candidate<'_>], wanted: &str) -> Vec<ContainerId> {
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

/// What its mounts say once the runtime has made them all: what is missing in an earlier reading may
/// still have come.
fn made<'a>(candidate: &Candidate<'a>) -> Option<&'a MountEvidence> {
    let evidence = candidate.evidence?;
    (evidence.stage > Stage::BeforePivot).then_some(evidence)
}

fn mounts(evidence: &MountEvidence, output: &Mount) -> bool {
    evidence.mounts.iter().any(|mount| mount.overlaps(output))
}

/// Whether kubelet started a container of the same name later: what counts is the last attempt.
fn has_later_attempt(candidate: &Candidate<'_>, candidates: &[Candidate<'_>]) -> bool {
    let (Some(name_of_it), Some(ended)) = (name(candidate), candidate.ended) else {
        return false;
    };
    candidates.iter().any(|other| {
        other.id != candidate.id
            && name(other) == Some(name_of_it)
            && other.began.is_some_and(|began| began >= ended)
    })
}

fn name<'a>(candidate: &Candidate<'a>) -> Option<&'a str> {
    candidate.evidence?.name.as_deref()
}

fn ids<'a>(candidates: impl Iterator<Item = &'a Candidate<'a>>) -> Vec<ContainerId> {
    candidates.map(|candidate| candidate.id.clone()).collect()
}

#[cfg(test)]
mod tests;
