//! Containers of tables, described by hand; the tests of the rules are in the files beside.

mod certainty;
mod copilots;
mod order;
mod past;
mod recorded_pods;

use super::*;
use crate::track::{
    ContainerId, Job, Timestamp,
    mounts::{Mount, MountEvidence, Stage},
};

/// A container of a table, described by hand.
struct Known {
    id: ContainerId,
    evidence: Option<MountEvidence>,
    program: Option<&'static str>,
    command: Option<u64>,
    job: Option<Job>,
    began: Option<u64>,
    ended: Option<u64>,
}

impl Known {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            id: &self.id,
            evidence: self.evidence.as_ref(),
            program: self.program,
            command: self.command,
            job: self.job,
            began: self.began.map(Timestamp),
            alive: self.ended.map(Timestamp),
            ended: self.ended.map(Timestamp),
        }
    }
}

fn choose(rules: &Rules, containers: &[Known]) -> Option<(Vec<ContainerId>, Why)> {
    let candidates: Vec<Candidate<'_>> = containers.iter().map(Known::candidate).collect();
    rules.choose(&candidates)
}

const UID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

fn volume() -> Mount {
    Mount {
        device: "254:0".to_owned(),
        root: format!("/pods/{UID}/volumes/kubernetes.io~empty-dir/out").into(),
        target: "/outputs".into(),
    }
}

fn pods_rules() -> Rules {
    Rules {
        pod_uid: Some(UID.to_owned()),
        output_mount: Some(volume()),
        ..Rules::default()
    }
}

/// A container of our pod; `*` behind the name: it mounts the output volume.
fn container(name: &str, began: Option<u64>, ended: Option<u64>) -> Known {
    let plain = name.trim_end_matches('*');
    Known {
        id: ContainerId::new(plain),
        evidence: Some(MountEvidence {
            name: Some(plain.to_owned()),
            pod_uid: Some(UID.to_owned()),
            mounts: if plain == name {
                Vec::new()
            } else {
                vec![volume()]
            },
            ..MountEvidence::default()
        }),
        program: None,
        command: None,
        job: None,
        began,
        ended,
    }
}

fn chosen(rules: &Rules, containers: &[Known]) -> Vec<String> {
    let mains = choose(rules, containers).map_or_else(Vec::new, |(mains, _)| mains);
    mains.iter().map(ToString::to_string).collect()
}
