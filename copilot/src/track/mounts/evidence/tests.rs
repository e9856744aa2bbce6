use proptest::prelude::*;

use super::*;
use crate::track::recorded;

const UID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/// A line of mountinfo that binds `root` of the node's disk to `target`.
fn line(root: &str, target: &str) -> String {
    format!("216 210 254:0 {root} {target} rw,relatime master:6 - ext4 /dev/vda rw\n")
}

#[test]
fn name_uid_and_sandbox_of_every_recorded_container_are_read() {
    for pod in recorded::pods() {
        for process in pod.processes("host") {
            if process.role == "main-child" {
                continue;
            }
            let label = format!("{} {}", pod.label(), process.role);
            let evidence = pod.evidence(&process.role);
            assert!(evidence.is_of_a_pod(), "{label}");
            assert_eq!(
                evidence.sandbox.as_ref(),
                Some(&pod.truth.sandbox_id),
                "{label}"
            );
            let is_pause = process.role == "pause";
            assert_eq!(evidence.is_sandbox, is_pause, "{label}");
            let expected = (!is_pause).then_some(&process.container);
            assert_eq!(evidence.name.as_ref(), expected, "{label}");
            let expected = (!is_pause).then_some(&pod.truth.pod.uid);
            assert_eq!(evidence.pod_uid.as_ref(), expected, "{label}");
        }
    }
}

#[test]
fn evidence_read_from_inside_and_from_the_node_is_the_same() {
    for pod in recorded::pods() {
        for process in pod.processes("inside") {
            if process.role == "main-child" {
                continue;
            }
            let text = pod.text("inside", &process.role, "mountinfo");
            let inside = MountEvidence::from_mountinfo(&text);
            let host = pod.evidence(&process.role);
            let label = format!("{} {}", pod.label(), process.role);
            assert_eq!(inside.name, host.name, "{label}");
            assert_eq!(inside.pod_uid, host.pod_uid, "{label}");
            assert_eq!(inside.is_sandbox, host.is_sandbox, "{label}");
        }
    }
}

#[test]
fn only_containers_that_mount_the_volume_share_it() {
    for pod in recorded::pods() {
        let sidecar = pod.evidence("sidecar");
        let output = sidecar
            .mount_of(Path::new(recorded::OUTPUTS))
            .expect("the sidecar mounts the output volume");
        for (role, shares) in [
            ("pause", false),
            ("main", true),
            ("mesh", pod.truth.variant == "shared-subpath"),
            ("downloader", false),
        ] {
            let mounts = pod.evidence(role).mounts;
            let found = mounts.iter().any(|mount| mount.overlaps(output));
            assert_eq!(found, shares, "{} {role}", pod.label());
        }
    }
}

#[test]
fn only_kubelets_own_paths_name_a_container() {
    let pod = format!("/var/lib/kubelet/pods/{UID}");
    for (root, name, uid) in [
        (
            format!("{pod}/containers/main/5e5df18f"),
            Some("main"),
            true,
        ),
        // Kubelet's directory may be a file system of its own, or lie anywhere.
        (
            format!("/pods/{UID}/containers/main/5e5df18f"),
            Some("main"),
            true,
        ),
        (
            format!("/srv/pods/a/containers/b/c/pods/{UID}/containers/main/5e5df18f"),
            Some("main"),
            true,
        ),
        (
            format!("{pod}/containers/main/5e5df18f//deleted"),
            Some("main"),
            true,
        ),
        (format!("{pod}/containers/main"), None, true),
        (
            format!("{pod}/volumes/kubernetes.io~empty-dir/data"),
            None,
            true,
        ),
        (format!("{pod}/volume-subpaths/data/main/0"), None, true),
        (format!("{pod}/etc-hosts"), None, true),
        (format!("{pod}/plugins/x"), None, false),
        (
            format!("/kubepods/besteffort/pod{UID}/containers"),
            None,
            false,
        ),
        ("/".to_owned(), None, false),
    ] {
        let evidence = MountEvidence::from_mountinfo(&line(&root, "/somewhere"));
        assert_eq!(evidence.name.as_deref(), name, "{root}");
        assert_eq!(evidence.pod_uid.as_deref(), uid.then_some(UID), "{root}");
        assert!(!evidence.is_sandbox, "{root}");
    }
}

#[test]
fn lines_that_cannot_be_parsed_are_skipped() {
    let good = line(
        &format!("/pods/{UID}/containers/main/5e5df18f"),
        "/dev/termination-log",
    );
    for bad in [
        "",
        "garbage",
        "1 2 254:0",
        "x y z / / rw - ext4",
        "1 2 3:4 / /a rw no-dash",
    ] {
        let text = format!("{bad}\n{good}{bad}\n");
        let evidence = MountEvidence::from_mountinfo(&text);
        assert_eq!(evidence.name.as_deref(), Some("main"), "{bad:?}");
        assert_eq!(evidence.mounts.len(), 1, "{bad:?}");
    }
}

#[test]
fn a_path_lies_in_the_deepest_mount_and_if_two_are_equal_in_the_later() {
    let text = [
        line("/a", "/var"),
        line("/b", "/var/out"),
        line("/c", "/var/out"),
        line("/d", "/var/output"),
        "1 0 254:0 / / rw - ext4 /dev/vda rw\n".to_owned(),
    ];
    let evidence = MountEvidence::from_mountinfo(&text.concat());
    let root_of = |path: &str| {
        evidence
            .mount_of(Path::new(path))
            .map(|mount| mount.root.to_string_lossy().into_owned())
    };
    for (path, expected) in [
        ("/var/out/x", Some("/c")),
        ("/var/out", Some("/c")),
        ("/var/outer", Some("/a")),
        ("/var/output/x", Some("/d")),
        ("/tmp", None),
    ] {
        assert_eq!(root_of(path).as_deref(), expected, "{path}");
    }
}

#[test]
fn the_kernels_escapes_in_paths_are_undone() {
    for (written, read) in [
        (r"/a\040b", "/a b"),
        (r"/a\011b\012c", "/a\tb\nc"),
        (r"/a\134040", r"/a\040"),
        (r"/a\777", r"/a\777"),
        (r"/a\", r"/a\"),
        (r"/ü\04", r"/ü\04"),
        (r"/a\ö", r"/a\ö"),
    ] {
        let evidence = MountEvidence::from_mountinfo(&line(written, "/x"));
        assert_eq!(evidence.mounts[0].root, Path::new(read), "{written}");
    }
}

/// Lines as the kernel writes them, of parts that may or may not be kubelet's.
fn some_line() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("pods".to_owned()),
        Just("containers".to_owned()),
        Just("volumes".to_owned()),
        Just("sandboxes".to_owned()),
        "[a-z0-9\\\\~ü-]{0,8}",
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| line(&format!("/{}", parts.join("/")), "/x"))
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,300}") {
        let _ = MountEvidence::from_mountinfo(&text);
    }

    #[test]
    fn no_path_makes_the_reader_panic(lines in prop::collection::vec(some_line(), 0..6)) {
        let evidence = MountEvidence::from_mountinfo(&lines.concat());
        prop_assert_eq!(evidence.mounts.len(), lines.len());
        prop_assert!(!evidence.is_sandbox || evidence.name.is_none());
    }

    /// Cut anywhere, as by a short read: whole lines are read.
    #[test]
    fn the_whole_lines_of_a_truncated_text_are_read(cut in 0_usize..400) {
        let whole = line(&format!("/pods/{UID}/containers/main/5e5df18f"), "/dev/termination-log");
        let text = format!("{whole}{whole}{whole}");
        let text = &text[..cut.min(text.len())];
        let evidence = MountEvidence::from_mountinfo(text);
        prop_assert_eq!(evidence.name.is_some(), !evidence.mounts.is_empty());
        prop_assert!(evidence.mounts.len() >= text.matches('\n').count());
    }

    #[test]
    fn overlapping_is_mutual(
        one in prop::collection::vec("[ab]", 0..4),
        other in prop::collection::vec("[ab]", 0..4),
    ) {
        let mount = |parts: &[String]| Mount {
            device: "254:0".to_owned(),
            root: format!("/{}", parts.join("/")).into(),
            target: "/x".into(),
        };
        let (one, other) = (mount(&one), mount(&other));
        prop_assert_eq!(one.overlaps(&other), other.overlaps(&one));
        prop_assert!(one.overlaps(&one));
        let elsewhere = Mount { device: "254:1".to_owned(), ..other };
        prop_assert!(!one.overlaps(&elsewhere));
    }
}

const NAME: &str = "f340cdac70312-n0-0-node-hybrid";

#[test]
fn before_the_pivot_only_the_containers_own_mounts_count() {
    let [before, after] = recorded::half_made().map(|text| MountEvidence::from_mountinfo(&text));
    assert_eq!(before.stage, Stage::BeforePivot);
    assert_eq!(after.stage, Stage::Complete);
    for evidence in [&before, &after] {
        assert_eq!(evidence.name.as_deref(), Some(NAME));
        assert_eq!(evidence.pod_uid, after.pod_uid);
        assert_eq!(evidence.sandbox, after.sandbox);
        assert!(!evidence.is_sandbox);
    }
    let missing = |mount: &&Mount| !after.mounts.contains(mount);
    assert_eq!(before.mounts.iter().find(missing), None, "all are its own");
    let outputs = Path::new("/var/flyte/outputs");
    assert!(before.mount_of(outputs).is_none());
    assert!(after.mount_of(outputs).is_some());
}

/// The mounts of a runtime's process may still change, and a table without a termination log is the
/// node's.
#[test]
fn a_runtimes_process_has_no_evidence_before_its_mounts_name_the_container() {
    let read = MountEvidence::from_runtimes_mountinfo;
    let [before, after] = recorded::half_made();
    let stage = |text: &str| read(text).map(|evidence| evidence.stage);
    assert_eq!(stage(&before), Some(Stage::BeforePivot));
    assert_eq!(stage(&after), Some(Stage::BeforeStart));
    let is_the_nodes = |line: &&str| !line.contains("rootfs/");
    let nodes: Vec<&str> = before.lines().filter(is_the_nodes).collect();
    let nodes = nodes.join("\n");
    assert_eq!(read(&nodes), None);
    // Another pod's volume, bound below kubelet's directory by a `subPath`.
    let pods = "/var/lib/kubelet/pods/other";
    let other = line(
        &format!("{pods}/volumes/v"),
        &format!("{pods}/volume-subpaths/v/c/0"),
    );
    assert_eq!(read(&format!("{nodes}\n{other}")), None);
    let evidence = read(&format!("{before}{other}")).expect("the container is named");
    assert_ne!(evidence.pod_uid.as_deref(), Some("other"));
}

/// Whenever the mounts of a container in the making are read, they are its own, and they are complete
/// once the runtime has pivoted.
#[test]
fn no_reading_of_a_container_in_the_making_is_wrong() {
    let mut stages = Vec::new();
    for container in recorded::in_the_making() {
        let label = &container.label;
        let complete = MountEvidence::from_mountinfo(&container.programs);
        assert_eq!(complete.name.as_ref(), Some(&container.name), "{label}");
        let mut last = None;
        for (count, text) in container.runtimes.iter().enumerate() {
            let Some(evidence) = MountEvidence::from_runtimes_mountinfo(text) else {
                // A table that changes while it is read may come without the name.
                continue;
            };
            assert_eq!(
                evidence.name.as_ref(),
                Some(&container.name),
                "{label} {count}"
            );
            assert_eq!(
                evidence.pod_uid.as_ref(),
                Some(&container.pod_uid),
                "{label} {count}"
            );
            let is_foreign = |mount: &&Mount| !complete.mounts.contains(mount);
            assert_eq!(
                evidence.mounts.iter().find(is_foreign),
                None,
                "{label} {count}"
            );
            if evidence.stage == Stage::BeforeStart {
                // The runtime masks parts of these two last.
                let is_system = |mount: &Mount| {
                    let target = &mount.target;
                    target.starts_with("/proc") || target.starts_with("/sys")
                };
                let is_missing =
                    |mount: &&Mount| !is_system(mount) && !evidence.mounts.contains(mount);
                assert_eq!(
                    complete.mounts.iter().find(is_missing),
                    None,
                    "{label} {count}"
                );
            }
            assert!(last <= Some(evidence.stage), "{label} {count}");
            last = Some(evidence.stage);
            stages.push(evidence.stage);
        }
    }
    assert!(stages.contains(&Stage::BeforePivot) && stages.contains(&Stage::BeforeStart));
}

/// For any name of the runtime's directory and any path of the termination log.
#[test]
fn a_root_in_the_making_is_recognized_by_its_name_or_its_proc() {
    let log = format!("/var/lib/kubelet/pods/{UID}/containers/main/5e5df18f");
    let proc = |target: &str| format!("9 1 0:73 / {target} rw - proc proc rw\n");
    for (table, stage) in [
        (line(&log, "/dev/termination-log"), Stage::Complete),
        (
            line(&log, "/run/x/rootfs/dev/log") + &line("/", "/run/x/rootfs"),
            Stage::BeforePivot,
        ),
        (
            line(&log, "/run/x/merged/dev/log") + &line("/", "/run/x/merged"),
            Stage::BeforePivot,
        ),
        (
            line(&log, "/run/x/r/dev/log") + &line("/", "/run/x/r") + &proc("/run/x/r/proc"),
            Stage::BeforePivot,
        ),
        (line(&log, "/run/x/rootfs/dev/log"), Stage::Complete),
        (
            line(&log, "/dev/log") + &proc("/proc") + &proc("/mnt/rootfs/proc"),
            Stage::Complete,
        ),
        (
            // A program that keeps roots of its own, such as a runtime in the container.
            line(&log, "/dev/log")
                + &line(&log, "/run/x/rootfs/dev/log")
                + &line("/", "/run/x/rootfs"),
            Stage::Complete,
        ),
    ] {
        assert_eq!(
            MountEvidence::from_mountinfo(&table).stage,
            stage,
            "{table}"
        );
    }
}
