use proptest::prelude::*;

use super::*;

const POD: &str = "/kubepods/besteffort/pod0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

fn absolute() -> PodPath {
    PodPath::Absolute(POD.to_owned())
}

fn container(name: &str) -> Membership {
    Membership::Container(ContainerId::new(name))
}

#[test]
fn a_path_lies_in_a_container_of_the_pod_or_outside_the_pod() {
    let own = container(OWN);
    let below = |rest: &str| format!("{POD}{rest}");
    for (pod, path, expected) in [
        (absolute(), below("/main"), container("main")),
        (absolute(), below("/main/container"), container("main")),
        (absolute(), below("/crio-conmon-1.scope"), Membership::Pod),
        (absolute(), below(""), Membership::Pod),
        (absolute(), below("/"), Membership::Pod),
        (absolute(), below("1/main"), Membership::Outside),
        (absolute(), "/".to_owned(), Membership::Outside),
        (absolute(), "/system.slice".to_owned(), Membership::Outside),
        (PodPath::Above(1), "/".to_owned(), own.clone()),
        (PodPath::Above(1), "/deeper".to_owned(), own),
        (PodPath::Above(1), "/../main".to_owned(), container("main")),
        (PodPath::Above(1), "/..".to_owned(), Membership::Pod),
        (
            PodPath::Above(1),
            "/../../x/y".to_owned(),
            Membership::Outside,
        ),
        (PodPath::Above(1), "/..main".to_owned(), container(OWN)),
        (
            PodPath::Above(2),
            "/../../cri-containerd-1.scope/container".to_owned(),
            container("cri-containerd-1.scope"),
        ),
        (
            PodPath::Above(2),
            "/../main".to_owned(),
            Membership::Outside,
        ),
        (
            PodPath::Above(2),
            "/../../crio-conmon-1.scope".to_owned(),
            Membership::Pod,
        ),
    ] {
        assert_eq!(pod.membership(&path), expected, "{pod:?} {path}");
    }
}

#[test]
fn the_unified_path_identifies_the_container_unless_only_another_names_a_pod() {
    let named = format!("{POD}/main");
    let v1 = format!("4:memory:{named}\n1:name=systemd:/\n");
    let both = format!("4:memory:/other\n0::{named}\n");
    let mixed = format!("9:name=systemd:{named}\n0::/\n");
    let ended = format!("0::{named} (deleted)\n");
    let older = format!("4:memory:{named}\n0::/system.slice/containerd.service\n");
    for (text, expected) in [
        ("0::/\n", Some(("/", true))),
        ("9:pids:/\n0::/../main\n", Some(("/../main", true))),
        (&both, Some((named.as_str(), true))),
        (&v1, Some((named.as_str(), false))),
        (&mixed, Some((named.as_str(), false))),
        (&older, Some((named.as_str(), false))),
        ("4:memory:/other\n0::/some/pod\n", Some(("/some/pod", true))),
        (&ended, Some((named.as_str(), true))),
        ("4:memory:/docker/1\n", None),
        ("", None),
        ("0::no slash\n0:\n:\n\n", None),
    ] {
        assert_eq!(container_path(text), expected, "{text:?}");
    }
}

/// Each row: the sidecar's first process, a probe that kubelet runs in its container, and main.
#[test]
fn only_the_part_that_identifies_the_container_is_compared() {
    let named = |line: &str, container: &str| format!("{line}:{POD}/{container}\n");
    let unified = |container: &str| named("0:", container);
    let rows: [(&str, String, String, String); 6] = [
        (
            "all in one place",
            unified("own"),
            unified("own"),
            unified("main"),
        ),
        (
            "a v1 hierarchy holds first processes only",
            "5:memory:/lab/own\n0::/\n".to_owned(),
            "5:memory:/\n0::/\n".to_owned(),
            "5:memory:/lab/main\n0::/../main\n".to_owned(),
        ),
        (
            "a v1 hierarchy belongs to a monitoring tool",
            "3:perf_event:/tool\n".to_owned() + &unified("own"),
            "3:perf_event:/\n".to_owned() + &unified("own"),
            "3:perf_event:/\n".to_owned() + &unified("main"),
        ),
        (
            "an older runtime's exec joins v1 only",
            named("4:memory", "own") + &unified("own"),
            named("4:memory", "own") + "0::/system.slice/containerd.service\n",
            named("4:memory", "main") + &unified("main"),
        ),
        (
            "a nested systemd moves its processes deeper",
            named("1:name=systemd", "own/init.scope") + &named("4:memory", "own"),
            named("1:name=systemd", "own") + &named("4:memory", "own"),
            named("1:name=systemd", "main") + &named("4:memory", "main"),
        ),
        (
            "crun's exec lies beside its leaf",
            unified("own/container"),
            unified("own"),
            unified("main/container"),
        ),
    ];
    for (case, own, probe, main) in rows {
        assert!(is_same_container(&probe, &own), "{case}");
        assert!(is_same_container(&own, &probe), "{case}");
        for ours in [&own, &probe] {
            assert!(!is_same_container(ours, &main), "{case}");
            assert!(!is_same_container(&main, ours), "{case}");
        }
    }
}

#[test]
fn the_controllers_of_the_first_hierarchy_with_the_path_are_found() {
    let named = format!("{POD}/main");
    for (text, expected) in [
        (
            format!("4:memory:{named}\n3:pids:{named}\n"),
            &["memory"][..],
        ),
        (format!("9:cpu,cpuacct:{named}\n"), &["cpu", "cpuacct"]),
        (
            format!("1:name=systemd:{named}\n7:blkio:{named}\n"),
            &["blkio"],
        ),
        (format!("4:memory:/\n3:pids:{named}\n"), &["pids"]),
        (format!("1:name=systemd:{named}\n0::{named}\n"), &[]),
        (format!("4:memory:{named}/deeper\n"), &[]),
        (format!("4:memory\n:\n{named}\n"), &[]),
    ] {
        assert_eq!(controllers(&text, &named), expected, "{text:?}");
    }
}

#[test]
fn kubelets_names_of_pods_are_recognized() {
    for (path, expected) in [
        (POD, Some(3)),
        ("/kubepods/pod8da70f9aa63c9d400f807eee79390d18/x", Some(2)),
        (
            "/kubepods.slice/kubepods-pod8da70f9aa63c9d400f807eee79390d18.slice/x.scope",
            Some(2),
        ),
        (
            "/a/kubepods-burstable-pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.slice",
            Some(2),
        ),
        ("/kubepods/besteffort", None),
        ("/podman/pod", None),
        ("/libpod-8da70f9aa63c9d400f807eee79390d18", None),
        ("/pod8da70f9aa63c9d400f807eee79390d1", None),
        ("/pod8da70f9aa63c9d400f807eee79390d18x", None),
        ("/", None),
    ] {
        assert_eq!(pod_components(path), expected, "{path}");
    }
}

#[test]
fn the_runtimes_id_is_found_in_the_name_of_a_cgroup() {
    let id = "cccd4bcdf0231219e9551637c578f4cd8dc2da27a5195c2ff18718785dc077f6";
    for name in [
        id.to_owned(),
        format!("cri-containerd-{id}.scope"),
        format!("crio-{id}.scope"),
        format!("docker-{id}.scope"),
        format!("crio-{id}"),
    ] {
        assert_eq!(ContainerId::new(&name).as_str(), id);
    }
    assert_eq!(ContainerId::new("init.scope").as_str(), "init.scope");
    assert_eq!(ContainerId::new("some-name").as_str(), "some-name");
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in ".{0,200}", steps in 0_usize..4) {
        let _ = ContainerId::new(&text);
        if let Some((path, _)) = container_path(&text) {
            prop_assert!(path.starts_with('/'));
        }
        for pod in [absolute(), PodPath::Above(steps), PodPath::SharedCgroup { uid: text.clone() }] {
            let _ = pod.membership(&text);
        }
    }

    /// The line of the cgroup2 hierarchy is found and read whole, whatever lines surround it.
    #[test]
    fn the_unified_line_is_found_among_others(
        names in prop::collection::vec("[a-z:.-]{1,12}", 1..5),
        before in prop::collection::vec("[1-9]:[a-z=]{1,8}:/[a-z/]{0,9}", 0..4),
    ) {
        prop_assume!(names.iter().all(|name| name != ".." && name != "."));
        let path = format!("/{}", names.join("/"));
        let text = format!("{}\n0::{path}\n", before.join("\n"));
        prop_assert_eq!(container_path(&text), Some((path.as_str(), true)));
        prop_assert_eq!(components(&path).count(), names.len());
    }
}

#[test]
fn only_a_neighbours_path_shows_how_far_up_the_pod_lies() {
    for (path, steps) in [
        ("/../3f2a", Some(1)),
        ("/../cri-containerd-3f2a.scope", Some(1)),
        ("/../../cri-containerd-3f2a.scope/container", Some(2)),
        ("/", None),
        ("/inner", None),
        ("/..", None),
        // The runtime's own processes, and a node's.
        ("/../../..", None),
        ("/../../../system.slice/containerd.service", None),
        ("/../../system.slice", None),
    ] {
        assert_eq!(steps_of_neighbour(path), steps, "{path}");
    }
}
