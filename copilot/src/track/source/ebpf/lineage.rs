//! Which of the cgroups above ours is the pod's, from their names in the kernel. Pure.
//!
//! In a cgroup namespace of our own no file names the cgroup above ours. It may be the pod's, or the parent of
//! the containers of all pods, or, with crun, our own container's.

use copilot_common::{Ancestor, NAME_BYTES};

use super::EbpfError;
use crate::track::place::{
    Place, PodPath,
    cgroup::{names_a_pod, pod_beside, uid_of},
};

/// Which processes the programs report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodFilter {
    /// Those below the cgroup with this id,
    pub id: u64,
    /// so many levels below the root of the hierarchy,
    pub level: u32,
    /// if this shows that they are of our pod.
    pub proof: Proof,
    /// The cgroup id of our own container, if it is known.
    pub own: Option<u64>,
}

/// What shows that a container below that cgroup is our pod's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The cgroup is the pod's.
    Place,
    /// The name of its cgroup begins with this.
    Name(String),
    /// It has namespaces of our pod.
    Namespaces,
}

impl PodFilter {
    /// The filter for a pod whose cgroup is known by its path.
    pub fn of(id: u64, level: u32, pod: &PodPath) -> Self {
        let proof = match pod {
            PodPath::Beside { pod, .. } => by_name(pod),
            _ => Proof::Place,
        };
        Self {
            id,
            level,
            proof,
            own: None,
        }
    }

    /// Our place, with what this shows of the processes in `/proc`.
    pub fn place(&self, known: &Place) -> Place {
        let kinship = known.kinship.clone();
        let kinship = match &self.proof {
            Proof::Place => None,
            Proof::Name(begin) => {
                let uid = uid_of(begin.trim_end_matches(':'));
                kinship.map(|kinship| kinship.of_pod(uid))
            }
            Proof::Namespaces => kinship,
        };
        Place {
            kinship,
            ..known.clone()
        }
    }
}

/// Finds the pod in `lineage`, the cgroups of our own task, root first; `id` is its id if its directory is
/// known.
///
/// # Errors
///
/// None of them can be the pod's.
pub fn find(lineage: &[Ancestor], id: Option<u64>, place: &Place) -> Result<PodFilter, EbpfError> {
    if lineage.len() < 2 {
        return Err(EbpfError::NoHierarchy);
    }
    let at = |level: usize, proof: Proof| PodFilter {
        id: lineage[level].id,
        level: u32::try_from(level).unwrap_or(0),
        proof,
        own: lineage.get(level + 1).map(|own| own.id),
    };
    if let Some(id) = id {
        let known = lineage.iter().position(|ancestor| ancestor.id == id);
        let level = known.ok_or(EbpfError::PodCgroup(
            "we do not run in the cgroup that --pod-cgroup names",
        ))?;
        return Ok(at(level, PodFilter::of(id, 0, &place.pod).proof));
    }
    // The deepest name counts: the node may itself run in a pod.
    let named = (1..lineage.len()).rev().find_map(|level| {
        let name = name_of(&lineage[level]);
        match pod_beside(name) {
            Some(pod) => Some(at(level - 1, by_name(pod))),
            // A pod's cgroup has its containers below it.
            None if names_a_pod(name) && level + 1 < lineage.len() => Some(at(level, Proof::Place)),
            None => None,
        }
    });
    match named {
        Some(found) => Ok(found),
        None => Ok(at(level_above(lineage, place)?, Proof::Namespaces)),
    }
}

/// The level of the cgroup that our own path leads to: the parent of our container's.
fn level_above(lineage: &[Ancestor], place: &Place) -> Result<usize, EbpfError> {
    let above = place.above_us.ok_or(EbpfError::PodCgroup(
        "we do not run in the pod, and its directory is not mounted here",
    ))?;
    let leaf = lineage.len() - 1;
    leaf.checked_sub(above as usize)
        .filter(|level| *level > 0)
        .ok_or(EbpfError::PodCgroup(
            "our own cgroup lies too near the root of the hierarchy to have a pod above it",
        ))
}

fn by_name(pod: &str) -> Proof {
    let begin = format!("{pod}:");
    // The programs read no more of a name, and the pod's uid is at its end.
    if begin.len() < NAME_BYTES {
        Proof::Name(begin)
    } else {
        Proof::Namespaces
    }
}

fn name_of(ancestor: &Ancestor) -> &str {
    let end = ancestor.name.iter().position(|byte| *byte == 0);
    let bytes = &ancestor.name[..end.unwrap_or(ancestor.name.len())];
    // Names of pods are ASCII; the programs may have cut another one in a character.
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests;
