//! The rules, from a name to elimination. Pure.

use std::{fmt, path::Path};

use super::candidate::{
    Candidate, earlier_runs, first_began, has_later_attempt, ids, is_behind, lived_through, made,
    mounts, name, named, runs_copilot,
};
use crate::track::{ContainerId, Timestamp, flyte, mounts::Mount, place::Place};

/// By which rule main was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// `--main-container` names it.
    Named,
    /// It is called as Flyte calls a main container.
    FlyteNaming,
    /// It mounts our output directory.
    OutputVolume,
    /// No other container is left.
    Elimination,
    /// No rule finds it, and nothing excludes that it was main.
    NotExcluded,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "named by --main-container",
            Self::FlyteNaming => "named as Flyte names a main container",
            Self::OutputVolume => "it mounts the output directory",
            Self::Elimination => "by elimination: no other container of the pod is left",
            Self::NotExcluded => "no rule finds it, and nothing excludes that it was main",
        })
    }
}

/// The name that Flyte gives to the main container of a pod task.
const PRIMARY: &str = "primary";

/// Containers that other systems put into a pod. None of them is main.
const INFRASTRUCTURE: &[&str] = &[
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

/// The containers of a pod, for a rule that chooses among them.
struct Choice<'a, 'b> {
    /// Those that a rule may choose: not us, not the sandbox, and no other container of our program.
    eligible: Vec<Candidate<'a>>,
    /// All of them, with our downloader: they show which of the others began when.
    all: &'b [Candidate<'a>],
}

/// What the rules compare containers with.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// `--main-container`.
    pub main_container: Option<String>,
    /// `--ignore-container`, in addition to known infrastructure.
    pub ignored: Vec<String>,
    /// Our host name, which is the pod's name unless it uses the node's network.
    pub host_name: Option<String>,
    /// Our own container.
    pub own: Option<ContainerId>,
    /// Its name, if kubelet's mounts show it. If Flyte made it, the name shows the prefix of Flyte's containers.
    pub own_name: Option<String>,
    /// Our pod's uid, if kubelet's mounts show it: then each container of the pod except the sandbox has
    /// such mounts.
    pub pod_uid: Option<String>,
    /// The mount that holds our output directory.
    pub output_mount: Option<Mount>,
    /// A source reports all containers by name: one without a name has not been reported yet.
    pub all_are_named: bool,
}

/// What the pod's manifest says, if a source can read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The pod's name, also for a pod on the node's network.
    pub pod_name: String,
    /// Containers that cannot be main: init containers, native sidecars, our own, and others that run our
    /// program.
    pub never_main: Vec<String>,
    /// The mount that holds our output directory, in the form in which the same source reports the mounts of
    /// other containers.
    pub output_mount: Option<Mount>,
}

impl Rules {
    /// From our place: our container, our pod, and the mount that holds `output`, our output directory as an
    /// absolute path without links. No names yet.
    #[must_use]
    pub fn from_place(place: &Place, output: &Path) -> Self {
        Self {
            own: place.own.clone(),
            own_name: place.evidence.name.clone(),
            pod_uid: place.evidence.pod_uid.clone(),
            output_mount: place.evidence.mount_of(output).cloned(),
            ..Self::default()
        }
    }

    /// Adds what the manifest says. The output mount that our own mounts show stays: the manifest's was
    /// derived from it.
    #[must_use]
    pub fn with_manifest(mut self, manifest: &Manifest) -> Self {
        self.host_name = Some(manifest.pod_name.clone());
        self.ignored.extend_from_slice(&manifest.never_main);
        self.output_mount = self.output_mount.or_else(|| manifest.output_mount.clone());
        self.all_are_named = true;
        self
    }

    /// The main containers and the rule that found them; nothing if no rule finds one yet.
    #[must_use]
    pub fn choose(&self, candidates: &[Candidate<'_>]) -> Option<(Vec<ContainerId>, Why)> {
        let choice = Choice {
            eligible: candidates
                .iter()
                .filter(|candidate| self.may_be_main(candidate) && !self.is_copilot(candidate))
                .copied()
                .collect(),
            all: candidates,
        };
        let (chosen, why) = match &self.main_container {
            Some(wanted) => (named(&choice.eligible, wanted), Why::Named),
            None => self.unnamed(&choice),
        };
        if !chosen.is_empty() {
            return Some((chosen, why));
        }
        let left = self.by_elimination(&choice);
        (!left.is_empty()).then_some((left, Why::Elimination))
    }

    /// Whether containers that this rule finds are certainly main, whatever container comes later. Only a
    /// name is certain. The output volume is not, not even after our downloader: a pod template may put an
    /// init container there, and a second main may begin after the first. Outside Kubernetes init
    /// containers do not exist.
    #[must_use]
    pub fn is_certain(&self, why: Why) -> bool {
        self.pod_uid.is_none() || matches!(why, Why::Named | Why::FlyteNaming)
    }

    /// Whether a container may be main, or may turn out to be main when more is known of it.
    #[must_use]
    pub fn may_become_main(&self, candidate: &Candidate<'_>) -> bool {
        self.may_be_main(candidate) && !self.is_infrastructure(candidate)
    }

    /// Whether a container that lives may still write outputs: it may be main, and it mounts them as far as is
    /// known.
    #[must_use]
    pub fn may_write_outputs(&self, candidate: &Candidate<'_>) -> bool {
        let is_elsewhere = || match (made(candidate), &self.output_mount) {
            (Some(evidence), Some(output)) if evidence.is_of_a_pod() => !mounts(evidence, output),
            _ => false,
        };
        self.may_become_main(candidate) && (self.is_mains_name(candidate) || !is_elsewhere())
    }

    /// Whether a container runs our program, or the reference's: then no rule but its name makes it main.
    #[must_use]
    pub fn is_copilot(&self, candidate: &Candidate<'_>) -> bool {
        candidate.job.is_some() && !self.is_mains_name(candidate)
    }

    /// Whether a container of our program only waited beside another one that may have been main: it, or an
    /// earlier run of it, began before that one's end. Then its end says nothing of main, and nobody waits for it.
    /// Any program may have our command line, and one that began later may be main after an init container.
    #[must_use]
    pub fn waited_beside_main(
        &self,
        candidate: &Candidate<'_>,
        candidates: &[Candidate<'_>],
    ) -> bool {
        let began = first_began(candidate, candidates);
        let was_there = |main: &Candidate<'_>| {
            main.began.is_some() && main.ended.is_none_or(|ended| began < Some(ended))
        };
        let may_be_its_main = |main: &&Candidate<'_>| {
            !self.is_copilot(main) && was_there(main) && self.may_have_been_main(main, candidates)
        };
        self.is_copilot(candidate) && candidates.iter().any(|main| may_be_its_main(&main))
    }

    /// Whether a container has main's name. Then it is main, whatever it mounts.
    fn is_mains_name(&self, candidate: &Candidate<'_>) -> bool {
        let one = std::slice::from_ref(candidate);
        let found = match &self.main_container {
            Some(wanted) => named(one, wanted),
            None => self.by_flytes_naming(one),
        };
        !found.is_empty()
    }

    fn may_be_main(&self, candidate: &Candidate<'_>) -> bool {
        let is_sandbox = candidate.evidence.is_some_and(|evidence| {
            evidence.is_sandbox || (self.pod_uid.is_some() && evidence.pod_uid != self.pod_uid)
        });
        !is_sandbox && self.own.as_ref() != Some(candidate.id)
    }

    /// By a name or the output volume.
    fn unnamed(&self, choice: &Choice<'_, '_>) -> (Vec<ContainerId>, Why) {
        let by_name = self.by_flytes_naming(&choice.eligible);
        if by_name.is_empty() {
            (self.by_output_volume(choice), Why::OutputVolume)
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

    fn by_output_volume(&self, choice: &Choice<'_, '_>) -> Vec<ContainerId> {
        let Some(output) = &self.output_mount else {
            return Vec::new();
        };
        let downloader = self.downloader(choice.all);
        let sharers: Vec<&Candidate<'_>> = choice
            .eligible
            .iter()
            .filter(|candidate| !self.is_infrastructure(candidate))
            .filter(|candidate| {
                // A reading before the pivot is true, but not complete.
                candidate
                    .evidence
                    .is_some_and(|evidence| mounts(evidence, output))
            })
            .filter(|candidate| {
                downloader.is_none_or(|downloader| is_behind(candidate, downloader))
            })
            .collect();
        // One that is being made will begin later than all that have ended.
        let began = |sharer: &&Candidate<'_>| sharer.began.unwrap_or(Timestamp(u64::MAX));
        let last_began = sharers.iter().map(began).max();
        ids(sharers.into_iter().filter(|sharer| {
            !matches!((sharer.ended, last_began), (Some(ended), Some(last)) if ended < last)
        }))
    }

    fn by_elimination(&self, choice: &Choice<'_, '_>) -> Vec<ContainerId> {
        let rules_apply = self.main_container.is_some() || self.output_mount.is_some();
        let possible = |one: &&Candidate<'_>| self.may_have_been_main(one, choice.all);
        let last_began = choice
            .eligible
            .iter()
            .filter(possible)
            .filter_map(|one| one.began)
            .max();
        let eligible = choice.eligible.iter();
        ids(eligible.filter(|candidate| match made(candidate) {
            // Gone before its mounts could be read: it may have been main, unless another began later.
            None => {
                candidate
                    .ended
                    .is_some_and(|ended| Some(ended) >= last_began)
                    && possible(candidate)
            }
            // Not a container of Kubernetes, so no rule can match its name.
            Some(evidence) if !evidence.is_of_a_pod() => self.main_container.is_none(),
            Some(_) => !rules_apply && !self.is_infrastructure(candidate),
        }))
    }

    /// Whether a container may be, or may have been, main by all that is known of it. If it ended badly the
    /// run is a failure, whichever container the rules find. `candidates` are all containers of the pod.
    #[must_use]
    pub fn may_have_been_main(
        &self,
        candidate: &Candidate<'_>,
        candidates: &[Candidate<'_>],
    ) -> bool {
        let is_known_not_to_be = !self.may_be_main(candidate)
            || self.is_infrastructure(candidate)
            || runs_copilot(candidate)
            || has_later_attempt(candidate, candidates)
            || self.is_restart_of_another(candidate, candidates);
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
        self.may_mount_outputs(candidate) && self.downloader(candidates).is_none_or(is_behind)
    }

    /// Whether kubelet has restarted a container that was not main: a mesh sidecar that lived until main had
    /// ended. An equal command line alone proves too little: an init container may have main's.
    fn is_restart_of_another(
        &self,
        candidate: &Candidate<'_>,
        candidates: &[Candidate<'_>],
    ) -> bool {
        let is_over = |main: &Candidate<'_>, mesh: &Candidate<'_>| {
            main.began < candidate.began
                && lived_through(mesh, main)
                && self.may_have_been_main(main, candidates)
        };
        earlier_runs(candidate, candidates).any(|earlier| {
            !self.may_have_been_main(earlier, candidates)
                && candidates.iter().any(|main| is_over(main, earlier))
        })
    }

    /// Whether the outputs may be this container's, by what is known of its mounts.
    fn may_mount_outputs(&self, candidate: &Candidate<'_>) -> bool {
        match (made(candidate), &self.output_mount) {
            // Nothing is known of it, so all is possible, unless a source reports all containers by name.
            (None, _) => !self.all_are_named && !self.has_other_name(candidate),
            (Some(evidence), _) if !evidence.is_of_a_pod() => self.main_container.is_none(),
            (Some(_), _) if self.main_container.is_some() => false,
            (Some(evidence), Some(output)) => mounts(evidence, output),
            (Some(_), None) => true,
        }
    }

    /// Whether its name is known, and is not `--main-container`.
    fn has_other_name(&self, candidate: &Candidate<'_>) -> bool {
        self.main_container.is_some() && name(candidate).is_some()
    }

    fn is_infrastructure(&self, candidate: &Candidate<'_>) -> bool {
        name(candidate).is_some_and(|name| {
            INFRASTRUCTURE.contains(&name)
                || flyte::prefix(name).is_some_and(|prefix| self.is_prefix(prefix))
                || self.ignored.iter().any(|ignored| ignored == name)
        })
    }

    /// Whether Flyte's own containers have this prefix here: our container's, or the default one. A main of
    /// another system may be called `video-uploader`.
    fn is_prefix(&self, prefix: &str) -> bool {
        let own = self.own_name.as_deref().and_then(flyte::prefix);
        prefix == flyte::DEFAULT_PREFIX || own == Some(prefix)
    }

    fn downloader<'a, 'b>(&self, candidates: &'b [Candidate<'a>]) -> Option<&'b Candidate<'a>> {
        let is_named = |candidate: &Candidate<'_>| {
            let name = name(candidate).filter(|name| name.ends_with(flyte::DOWNLOADER));
            let prefix = name.and_then(flyte::prefix);
            prefix.is_some_and(|prefix| self.is_prefix(prefix))
        };
        candidates
            .iter()
            .find(|candidate| is_named(candidate) || runs_copilot(candidate))
    }
}
