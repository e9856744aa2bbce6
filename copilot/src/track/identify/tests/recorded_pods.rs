//! Every rule finds main in every recorded pod.

use std::path::Path;

use super::*;
use crate::track::{
    place::cgroup,
    recorded::{self, RecordedPod},
};

/// The containers of a recorded pod while main ran, with made-up times in the order of truth.
fn containers_of(pod: &RecordedPod) -> Vec<Known> {
    ["pause", "sidecar", "downloader", "main", "mesh"]
        .iter()
        .zip(0_u64..)
        .map(|(role, index)| {
            let text = pod.text("host", role, "cgroup");
            let (path, _) = cgroup::container_path(&text).expect("a path is told");
            let level = cgroup::pod_components(path).expect("the node sees the pod");
            let name = cgroup::components(path).nth(level);
            Known {
                id: ContainerId::new(name.expect("the container lies below the pod")),
                evidence: Some(pod.evidence(role)),
                program: None,
                command: None,
                job: None,
                began: Some(10 * index),
                ended: (*role == "downloader").then_some(10 * index + 5),
            }
        })
        .collect()
}

fn rules_of(pod: &RecordedPod, containers: &[Known]) -> Rules {
    Rules {
        own: Some(containers[1].id.clone()),
        host_name: Some("some-node".to_owned()),
        ..Rules::from_place(&pod.place(), Path::new(recorded::OUTPUTS))
    }
}

#[test]
fn main_is_found_in_every_recorded_pod_by_every_rule() {
    for pod in recorded::pods() {
        let label = pod.label();
        let containers = containers_of(&pod);
        let main = vec![containers[3].id.clone()];
        let truth = pod.container("main");
        assert_eq!(
            ContainerId::new(main[0].as_str()).as_str(),
            truth.id,
            "{label}"
        );
        let on_the_nodes_network = rules_of(&pod, &containers);
        let in_the_pods_network = Rules {
            host_name: Some(pod.truth.pod.name.clone()),
            ..on_the_nodes_network.clone()
        };
        let with_a_domain = Rules {
            host_name: Some(format!("{}.flyte.svc.cluster.local", pod.truth.pod.name)),
            ..on_the_nodes_network.clone()
        };
        let named = |name: &str| Rules {
            main_container: Some(name.to_owned()),
            ..on_the_nodes_network.clone()
        };
        for (rules, why) in [
            (&in_the_pods_network, Why::FlyteNaming),
            (&with_a_domain, Why::FlyteNaming),
            (&on_the_nodes_network, Why::OutputVolume),
            (&named(&truth.name), Why::Named),
            (&named(&truth.id), Why::Named),
            (&named(&truth.id[..12]), Why::Named),
        ] {
            assert_eq!(
                choose(rules, &containers),
                Some((main.clone(), why)),
                "{label} {why}"
            );
        }
    }
}

#[test]
fn before_main_is_there_nobody_is_main_in_any_recorded_pod() {
    for pod in recorded::pods() {
        let mut containers = containers_of(&pod);
        let rules = rules_of(&pod, &containers);
        let by_name = Rules {
            main_container: Some(pod.truth.pod.name.clone()),
            ..rules.clone()
        };
        containers.remove(3);
        for rules in [rules, by_name] {
            assert_eq!(choose(&rules, &containers), None, "{}", pod.label());
        }
    }
}

#[test]
fn a_mesh_that_is_named_as_main_is_main() {
    for pod in recorded::pods() {
        let containers = containers_of(&pod);
        let rules = Rules {
            main_container: Some("istio-proxy".to_owned()),
            ..rules_of(&pod, &containers)
        };
        let expected = (vec![containers[4].id.clone()], Why::Named);
        assert_eq!(choose(&rules, &containers), Some(expected));
    }
}

/// A mesh that nobody knows shares the volume by `subPath`: both count until it is ignored.
#[test]
fn a_sharer_by_sub_path_is_main_too_unless_it_is_ignored() {
    for pod in recorded::pods() {
        if pod.truth.variant != "shared-subpath" {
            continue;
        }
        let mut containers = containers_of(&pod);
        let mut rules = rules_of(&pod, &containers);
        let mesh = containers[4].evidence.as_mut().expect("it was read");
        mesh.name = Some("log-shipper".to_owned());
        let both = vec![containers[3].id.clone(), containers[4].id.clone()];
        assert_eq!(choose(&rules, &containers), Some((both, Why::OutputVolume)));
        rules.ignored = vec!["log-shipper".to_owned()];
        let main = vec![containers[3].id.clone()];
        assert_eq!(choose(&rules, &containers), Some((main, Why::OutputVolume)));
    }
}
