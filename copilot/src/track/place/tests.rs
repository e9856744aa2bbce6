use std::{error::Error as _, path::Path};

use super::{proc_self::count, *};
use crate::track::recorded;

const UID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const ID: &str = "43e1d16dbd58105fbedf05eb6381e3e3effeb917d1ff5c0a84bf1fd2bce27dc8";
const WHOLE_TREE: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";

fn proc_self<'a>(cgroup: &'a str, mountinfo: &'a str, initial_namespace: bool) -> ProcSelf<'a> {
    ProcSelf {
        cgroup,
        mountinfo,
        initial_namespace,
        others: &Vec::new,
    }
}

#[test]
fn the_sidecar_finds_its_place_in_every_recorded_pod() {
    for pod in recorded::pods() {
        let label = pod.label();
        let place = pod.place();
        let is_crun = pod.truth.layout == "crun-systemd";
        assert!(place.unified, "{label}");
        assert_eq!(
            place.evidence.pod_uid.as_ref(),
            Some(&pod.truth.pod.uid),
            "{label}"
        );
        assert_eq!(
            place.evidence.name.as_deref(),
            Some("flyte-copilot-uploader"),
            "{label}"
        );
        // Alone in its pid namespace the sidecar does not see that crun puts it one level deeper.
        let is_guess = pod.truth.variant == "noshare" && !pod.sees_whole_paths();
        let expected = 1 + u32::from(is_crun && !is_guess);
        assert_eq!(place.above_us, Some(expected), "{label}");
        match &place.pod {
            PodPath::Absolute(path) => {
                assert!(pod.sees_whole_paths(), "{label}");
                assert!(path.contains(&escaped(&pod.truth.pod.uid, path)), "{label}");
                let level = cgroup::components(path).count();
                assert_eq!(
                    place.level,
                    pod.is_in_the_initial_namespace().then(|| count(level)),
                    "{label}"
                );
                let own = place.own.as_ref().expect("we are in the pod");
                let container = pod.container("sidecar");
                assert_eq!(
                    ContainerId::new(own.as_str()).as_str(),
                    container.id,
                    "{label}"
                );
            }
            PodPath::Above(steps) => {
                assert!(!pod.sees_whole_paths(), "{label}");
                assert_eq!(count(*steps), expected, "{label}");
                assert_eq!(place.level, None, "{label}");
                assert_eq!(place.directory, None, "{label}");
            }
            PodPath::Beside { .. } | PodPath::SharedCgroup { .. } => {
                panic!("{label}: the path names the pod")
            }
        }
    }
}

/// The recorded listing of the cgroup tree, from inside the sidecar, holds the pod's directory.
#[test]
fn the_pods_directory_is_the_one_that_the_sidecar_can_list() {
    let mut listed = 0;
    for pod in recorded::pods() {
        let directory = pod.place().directory;
        let listing = pod.text("inside", "self", "cgroup-dirs.txt");
        let paths: Vec<&str> = listing
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(_, path)| path)
            .collect();
        let Some(directory) = directory else {
            let sees_it = paths.iter().any(|path| path.contains("kubepods"));
            assert!(!sees_it, "{}", pod.label());
            continue;
        };
        let directory = directory.to_str().expect("the path is text");
        assert!(paths.contains(&directory), "{}: {directory}", pod.label());
        listed += 1;
    }
    assert_eq!(listed, 9, "the privileged sidecars of the three v2 layouts");
}

/// How the uid is spelt in a path: systemd's names have underscores.
fn escaped(uid: &str, path: &str) -> String {
    if path.starts_with("/kubepods.slice/") {
        uid.replace('-', "_")
    } else {
        uid.to_owned()
    }
}

#[test]
fn each_process_seen_from_inside_belongs_to_its_container() {
    let mut checked = 0;
    for pod in recorded::pods() {
        let place = pod.place();
        for process in pod.processes("inside") {
            let text = pod.text("inside", &process.role, "cgroup");
            let (path, unified) = cgroup::container_path(&text).expect("the text has a path");
            assert!(unified);
            let label = format!("{} {}", pod.label(), process.role);
            let Membership::Container(container) = place.pod.membership(path) else {
                panic!("{label}: {path} does not lie in a container");
            };
            let is_own = process.role == "sidecar";
            assert_eq!(place.is_own(&container), is_own, "{label}");
            if !is_own || pod.sees_whole_paths() {
                let id = ContainerId::new(container.as_str());
                assert_eq!(id.as_str(), process.container_id, "{label}");
            }
            checked += 1;
        }
    }
    assert!(checked > 24 * 6, "only {checked} processes were checked");
}

/// Layouts that the recordings lack, by hand from the runtimes' own documentation.
#[test]
fn layouts_without_a_recording_are_understood() {
    let escaped = UID.replace('-', "_");
    let slice =
        format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{escaped}.slice");
    let rows = [
        // CRI-O with crun: the processes are in a directory below the scope.
        (
            slice.clone(),
            format!("crio-{ID}.scope"),
            "/container",
            3,
            2,
        ),
        (slice.clone(), format!("docker-{ID}.scope"), "", 3, 1),
        (
            format!("/kubepods/burstable/pod{UID}"),
            ID.to_owned(),
            "",
            3,
            1,
        ),
        // kind: the node is itself a container.
        (
            format!(
                "/docker/{ID}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{escaped}.slice"
            ),
            format!("cri-containerd-{ID}.scope"),
            "",
            5,
            1,
        ),
        // k3s in a pod of another cluster: the inner pod is ours.
        (
            format!(
                "/kubepods/pod{}/{ID}/k3s/kubepods/besteffort/pod{UID}",
                UID.replace('0', "1")
            ),
            ID.to_owned(),
            "",
            7,
            1,
        ),
    ];
    for (pod, container, deeper, level, above) in rows {
        let text = format!("0::{pod}/{container}{deeper}\n");
        let place = proc_self(&text, WHOLE_TREE, true).place().expect("a pod");
        assert_eq!(place.pod, PodPath::Absolute(pod.clone()));
        assert_eq!(place.own, Some(ContainerId::new(&container)), "{pod}");
        assert_eq!(
            (place.level, place.above_us),
            (Some(level), Some(above)),
            "{pod}"
        );
        let directory = place.directory.expect("the tree is mounted");
        assert_eq!(directory, Path::new("/sys/fs/cgroup").join(&pod[1..]));
        assert!(place.unified);
    }
}

#[test]
fn on_a_node_with_cgroup_v1_only_a_controllers_hierarchy_names_the_pod() {
    let pod = format!("/kubepods/besteffort/pod{UID}");
    let whole = "31 30 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
                 32 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";
    let own = format!("31 30 0:27 {pod}/{ID} /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n");
    let paths =
        format!("12:pids:{pod}/{ID}\n5:cpu,cpuacct:{pod}/{ID}\n1:name=systemd:{pod}/{ID}\n");
    let shared = format!("5:cpu,cpuacct:{pod}/{ID}\n12:pids:{pod}/{ID}\n");
    let bare = format!("4:memory:/\n1:name=systemd:{pod}/{ID}\n0::/\n");
    for (text, mounts, controllers, tree) in [
        (&paths, whole, &["pids"][..], Some("/sys/fs/cgroup/pids")),
        (
            &shared,
            whole,
            &["cpu", "cpuacct"],
            Some("/sys/fs/cgroup/cpu"),
        ),
        // An unprivileged container sees only its own part.
        (&paths, &own, &["pids"], None),
        (&paths, WHOLE_TREE, &["pids"], None),
        (&bare, WHOLE_TREE, &[], None),
    ] {
        let place = proc_self(text, mounts, true).place().expect("a pod");
        assert_eq!(place.pod, PodPath::Absolute(pod.clone()));
        assert_eq!(place.own, Some(ContainerId::new(ID)));
        assert_eq!((place.unified, place.above_us), (false, Some(1)));
        assert_eq!(place.controllers, controllers, "{text}");
        let directory = tree.map(|tree| Path::new(tree).join(&pod[1..]));
        assert_eq!(place.directory, directory, "{text}{mounts}");
    }
}

#[test]
fn where_the_path_names_no_pod_kubelets_mounts_do() {
    let mounts = format!(
        "9 1 254:0 /var/lib/kubelet/pods/{UID}/containers/uploader/5e5df18f /dev/termination-log rw - ext4 /dev/vda rw\n"
    );
    let place = proc_self("0::/everything/in/one\n", &mounts, true)
        .place()
        .expect("a pod");
    assert_eq!(
        place.pod,
        PodPath::SharedCgroup {
            uid: UID.to_owned()
        }
    );
    assert_eq!(place.own, Some(ContainerId::new("uploader")));
    assert!(!place.unified);
}

#[test]
fn outside_kubernetes_the_error_names_the_flag_that_helps() {
    let error = proc_self("0::/user.slice/session-3.scope\n", WHOLE_TREE, true)
        .place()
        .expect_err("the process runs outside a pod");
    let message = error.to_string();
    assert!(message.contains("/user.slice/session-3.scope"), "{message}");
    assert!(message.contains("--pod-cgroup"), "{message}");
}

#[test]
fn a_given_pod_cgroup_is_used_whether_we_run_in_it_or_not() {
    let given = Path::new("/sys/fs/cgroup/test/pod");
    let inside = proc_self("0::/test/pod/sidecar/deep\n", WHOLE_TREE, true)
        .place_in(given)
        .expect("it is in the tree");
    assert_eq!(inside.pod, PodPath::Absolute("/test/pod".to_owned()));
    assert_eq!(inside.own, Some(ContainerId::new("sidecar")));
    assert_eq!((inside.level, inside.above_us), (Some(2), Some(2)));
    let outside = proc_self("0::/user.slice\n", WHOLE_TREE, true)
        .place_in(given)
        .expect("it is in the tree");
    assert_eq!((outside.own, outside.above_us), (None, None));
    assert_eq!(outside.level, Some(2));
}

#[test]
fn a_given_pod_cgroup_that_is_not_one_is_refused_with_the_reason() {
    for (mountinfo, path, reason) in [
        ("", "/sys/fs/cgroup/pod", "no cgroup2 hierarchy is mounted"),
        (WHOLE_TREE, "/elsewhere/pod", "mounted at /sys/fs/cgroup"),
        (WHOLE_TREE, "/sys/fs/cgroup", "the root"),
    ] {
        let refused = proc_self("0::/\n", mountinfo, true).place_in(Path::new(path));
        let error = refused.expect_err(path);
        assert!(error.source().is_some(), "{error:?}");
        let message = error.to_string();
        assert!(
            message.contains(reason) && message.contains(path),
            "{message}"
        );
    }
    let gone = Path::new("/sys/fs/cgroup/there-is-no-such-pod");
    assert!(matches!(
        Place::find(Some(gone)),
        Err(PlaceError::NoSuchCgroup { .. })
    ));
}

/// A runtime that makes cgroups itself, under a kubelet that leaves them to systemd.
#[test]
fn beside_the_containers_of_other_pods_the_name_of_ours_shows_the_pod() {
    let pod = format!("kubepods-burstable-pod{}.slice", UID.replace('-', "_"));
    let other = pod.replace("0f1e", "1f1e");
    for parent in ["", "/system.slice/containerd.service"] {
        for runtime in ["cri-containerd", "crio", "docker"] {
            let own = format!("{parent}/{pod}:{runtime}:{ID}");
            let text = format!("0::{own}\n");
            let place = proc_self(&text, WHOLE_TREE, true)
                .place()
                .expect("it is a pod");
            assert_eq!(
                place.pod,
                PodPath::Beside {
                    parent: parent.to_owned(),
                    pod: pod.clone()
                }
            );
            assert_eq!(place.own, Some(ContainerId::new(ID)), "{own}");
            assert_eq!(place.above_us, Some(1));
            assert_eq!(place.level, Some(count(cgroup::components(parent).count())));
            let container = |path: String| place.pod.membership(&path);
            let sibling = Membership::Container(ContainerId::new(&"7".repeat(64)));
            let id = "7".repeat(64);
            assert_eq!(container(format!("{parent}/{pod}:{runtime}:{id}")), sibling);
            assert_eq!(
                container(format!("{parent}/{pod}:{runtime}:{id}/init")),
                sibling
            );
            for foreign in [
                format!("{parent}/{other}:{runtime}:{id}"),
                format!("{parent}/docker-{id}.scope"),
                format!("/elsewhere/{pod}:{runtime}:{id}"),
                format!("{parent}/{pod}"),
            ] {
                assert_eq!(container(foreign.clone()), Membership::Outside, "{foreign}");
            }
            assert!(cgroup::is_same_container(
                &text,
                &format!("0::{own}/init\n")
            ));
            assert!(!cgroup::is_same_container(
                &text,
                &format!("0::{parent}/{pod}:crio:{id}\n")
            ));
        }
    }
}
