//! Our place: namespaces, cgroups, the pod.

use std::fs;

use crate::doctor::facts::{CgroupVersion, PidNamespace, PlaceFacts, PodFacts, Reason};
use crate::track::mounts::MountEvidence;
use crate::track::place::{
    Place, PlaceError, PodPath,
    cgroup::{container_path, unified_path},
    is_in_a_cluster, visibility,
};

/// Where we are. `found`: as `--pod-cgroup` and `--proc-root` say, or as `/proc` shows.
#[must_use]
pub fn place(found: &Result<Place, PlaceError>) -> PlaceFacts {
    let text = |path| {
        fs::read(path).map_or_else(
            |_| String::new(),
            |it| String::from_utf8_lossy(&it).into_owned(),
        )
    };
    let cgroup = text("/proc/self/cgroup");
    let mounts = text("/proc/self/mountinfo");
    let place = found.as_ref().ok();
    let own_path = place
        .and_then(|place| place.path_in(&cgroup))
        .or_else(|| container_path(&cgroup).map(|(path, _)| path))
        .or_else(|| unified_path(&cgroup));
    PlaceFacts {
        pids: pids(&MountEvidence::from_mountinfo(&mounts)),
        hides_processes: place.map_or_else(
            || visibility::hides_processes(&mounts, "/proc"),
            |place| place.hides_processes,
        ),
        own_path: own_path.unwrap_or("unknown").to_owned(),
        pod: match found {
            Ok(place) if place.is_unknown_to_kubelet() && !is_in_a_cluster() => Err(Reason(
                "our cgroup namespace is private, and nothing here is kubelet's; name the pod's cgroup with \
                 --pod-cgroup"
                    .to_owned(),
            )),
            Ok(place) => Ok(pod(place)),
            Err(error) => Err(Reason(error.to_string())),
        },
        is_in_a_cluster: is_in_a_cluster(),
        host_name: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
    }
}

fn pids(own: &MountEvidence) -> PidNamespace {
    if !visibility::is_private_pid_namespace() {
        PidNamespace::Node
    } else if visibility::is_alone(own) {
        PidNamespace::Own
    } else {
        PidNamespace::Pod
    }
}

fn pod(place: &Place) -> PodFacts {
    PodFacts {
        path: match &place.pod {
            PodPath::Absolute(path) => path.clone(),
            PodPath::Above(steps) => {
                format!("{steps} above it (our cgroup namespace is private and hides its name)")
            }
            PodPath::Beside { parent, pod } => format!("{parent}, by the name {pod}"),
            PodPath::SharedCgroup { .. } => "the same".to_owned(),
        },
        cgroups: if place.unified {
            CgroupVersion::Two
        } else {
            CgroupVersion::One(place.controllers.clone())
        },
        uid: place.evidence.pod_uid.clone(),
        container: place.evidence.name.clone(),
        is_hidden: place.hides_the_pod(),
    }
}
