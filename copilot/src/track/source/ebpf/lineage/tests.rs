use super::*;
use crate::track::{
    mounts::MountEvidence,
    place::{Kinship, Namespaces},
};

const POD: &str = "kubepods-burstable-pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.slice";

/// Cgroups of these names, with ids from 1.
fn lineage(names: &[&str]) -> Vec<Ancestor> {
    let ancestor = |(index, name): (usize, &&str)| {
        let mut it = Ancestor {
            id: index as u64 + 1,
            name: [0; copilot_common::NAME_BYTES],
        };
        it.name[..name.len()].copy_from_slice(name.as_bytes());
        it
    };
    names.iter().enumerate().map(ancestor).collect()
}

fn place(above_us: Option<u32>) -> Place {
    Place {
        pod: PodPath::Above(1),
        unified: true,
        controllers: Vec::new(),
        directory: None,
        level: None,
        above_us,
        own: None,
        evidence: MountEvidence::default(),
        proc_root: None,
        hides_processes: false,
        kinship: None,
    }
}

#[test]
fn the_deepest_name_of_a_pod_counts() {
    let scope = "cri-containerd-43e1.scope";
    let beside = format!("{POD}:cri-containerd:43e1");
    let other = "pod1f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    let by_pods_name = || by_name(POD);
    let rows: [(&[&str], u32, Proof, u64); 8] = [
        (&["", "kubepods.slice", POD, scope], 2, Proof::Place, 4),
        // crun: the processes are one level below the scope.
        (
            &["", POD, "crio-43e1.scope", "container"],
            1,
            Proof::Place,
            3,
        ),
        (&["", "system.slice", &beside], 1, by_pods_name(), 3),
        (&["", &beside], 0, by_pods_name(), 2),
        (&["", &beside, "container"], 0, by_pods_name(), 2),
        // A node in a pod.
        (
            &["", &beside, "kubepods", other, "43e1"],
            3,
            Proof::Place,
            5,
        ),
        (
            &["", other, "43e1", "system.slice", &beside],
            3,
            by_pods_name(),
            5,
        ),
        // Docker without a parent of kubelet's, or a kernel without BTF: the parent may be anybody's.
        (
            &["", "system.slice", "docker-43e1.scope"],
            1,
            Proof::Namespaces,
            3,
        ),
    ];
    for (names, level, proof, own) in rows {
        let found = find(&lineage(names), None, &place(Some(1))).expect("the pod is there");
        let expected = PodFilter {
            id: u64::from(level) + 1,
            level,
            proof,
            own: Some(own),
        };
        assert_eq!(found, expected, "{names:?}");
    }
}

#[test]
fn a_directory_that_is_known_goes_before_names() {
    let names = ["", "mine", POD, "cri-containerd-43e1.scope"];
    let found = find(&lineage(&names), Some(2), &place(None)).expect("we run there");
    assert_eq!((found.id, found.proof), (2, Proof::Place));
    let error = find(&lineage(&names), Some(9), &place(None)).expect_err("we do not");
    assert!(error.to_string().contains("--pod-cgroup"), "{error}");
}

#[test]
fn near_the_root_there_is_no_pod() {
    for (names, above) in [(&[""][..], 1), (&["", "mine"], 1), (&["", "a", "b"], 2)] {
        find(&lineage(names), None, &place(Some(above))).expect_err("no cgroup can be the pod's");
    }
}

#[test]
fn a_name_of_which_the_programs_read_only_a_part_proves_nothing() {
    let beside = |pod: String| PodPath::Beside {
        parent: String::new(),
        pod,
    };
    let long = format!("{}-{POD}", "root".repeat(20));
    assert_eq!(PodFilter::of(1, 0, &beside(long)).proof, Proof::Namespaces);
    assert_eq!(
        PodFilter::of(1, 0, &beside(POD.to_owned())).proof,
        by_name(POD)
    );
    assert!(matches!(by_name(POD), Proof::Name(_)));
}

/// With the node's processes in sight, and no mounts of kubelet's.
#[test]
fn what_the_kernel_shows_of_our_pod_helps_to_read_proc() {
    let hidden = Kinship::new(&MountEvidence::default(), Namespaces::default());
    assert!(!hidden.can_tell());
    let known = Place {
        hides_processes: false,
        kinship: Some(hidden.clone()),
        ..place(Some(1))
    };
    let seen = |proof: Proof| {
        let filter = PodFilter {
            proof,
            ..PodFilter::of(1, 1, &known.pod)
        };
        filter.place(&known).kinship
    };
    assert_eq!(seen(Proof::Place), None, "all that lies there is ours");
    assert_eq!(seen(Proof::Namespaces), Some(hidden));
    assert!(seen(by_name(POD)).is_some_and(|kinship| kinship.can_tell()));
}
