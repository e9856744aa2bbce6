use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::track::{
    ExitStatus, Timestamp, Tracker, Transition,
    identify::{Rules, Why},
    recorded::{self, RecordedPod},
    scan::Scanner,
};

const RUNTIMES: [&str; 3] = ["containerd", "cri-o", "docker"];
const NOON: &str = "2026-03-01T12:00:00Z";

fn pod(value: &Value) -> Pod {
    serde_json::from_value(value.clone()).expect("this is a pod")
}

fn clock() -> Clock {
    Clock {
        wall: "2026-03-01T12:00:10Z"
            .parse()
            .expect("a time is written so"),
        boot: Timestamp(1_000_000_000_000),
    }
}

/// The API's object of a recorded pod while main ran.
fn described(pod: &RecordedPod, runtime: &str) -> Value {
    let truth = &pod.truth;
    let mut value = json!({
        "metadata": {"name": truth.pod.name, "uid": truth.pod.uid},
        "spec": {"initContainers": [], "containers": []},
        "status": {"initContainerStatuses": [], "containerStatuses": []},
    });
    for container in &truth.containers {
        let is_init = ["sidecar", "downloader"].contains(&container.role.as_str());
        let (specs, statuses) = if is_init {
            ("initContainers", "initContainerStatuses")
        } else {
            ("containers", "containerStatuses")
        };
        let state = if container.role == "downloader" {
            json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": NOON,
                "finishedAt": NOON}})
        } else {
            json!({"running": {"startedAt": NOON}})
        };
        let push = |list: &mut Value, item: Value| {
            list.as_array_mut().expect("it is a list").push(item);
        };
        let spec = json!({"name": container.name, "volumeMounts": mounts(pod, &container.role)});
        push(&mut value["spec"][specs], spec);
        let id = format!("{runtime}://{}", container.id);
        let status = json!({"name": container.name, "containerID": id, "state": state});
        push(&mut value["status"][statuses], status);
    }
    value
}

/// The volume mounts in the manifest, reconstructed from the recorded mounts.
fn mounts(pod: &RecordedPod, role: &str) -> Value {
    let evidence = pod.evidence(role);
    let volumes = evidence.mounts.iter().filter_map(|mount| {
        let root = mount.root.to_string_lossy();
        let (_, below) = root.split_once("/volumes/")?;
        let mut names = below.splitn(3, '/').skip(1);
        Some(json!({
            "name": names.next()?,
            "mountPath": mount.target,
            "subPath": names.next().unwrap_or_default(),
        }))
    });
    volumes.collect()
}

/// From the API's events the tracker finds the one main, by each rule that may apply.
#[test]
fn main_is_found_in_every_recorded_pod() {
    for recorded in recorded::pods() {
        let place = recorded.place();
        for runtime in RUNTIMES {
            let described = pod(&described(&recorded, runtime));
            let output = Path::new(recorded::OUTPUTS);
            let view = PodView::new(&described, Some(&place), Some(output));
            let manifest = view.manifest(&described);
            let main = recorded.container("main");
            for (manifest, why) in [
                (manifest.clone(), Why::FlyteNaming),
                (
                    Manifest {
                        pod_name: "another".to_owned(),
                        ..manifest.clone()
                    },
                    Why::OutputVolume,
                ),
            ] {
                let rules = Rules::from_place(&place, output).with_manifest(&manifest);
                let mut tracker = Tracker::new(rules);
                let events: Vec<Transition> = view
                    .events(&described, clock())
                    .into_iter()
                    .flat_map(|event| tracker.observe(event))
                    .collect();
                let containers = vec![ContainerId::new(&main.id)];
                assert_eq!(tracker.mains(), containers, "{}", recorded.label());
                let found = Transition::MainFound { containers, why };
                assert!(events.contains(&found), "{} {events:?}", recorded.label());
                assert!(tracker.has_started(), "{}", recorded.label());
            }
        }
    }
}

/// A scan of `/proc` reports the same containers.
#[test]
fn containers_have_the_ids_that_the_other_sources_use() {
    for recorded in recorded::pods() {
        if recorded.truth.variant == "noshare" {
            continue;
        }
        let place = recorded.place();
        let described = pod(&described(&recorded, "containerd"));
        let view = PodView::new(&described, Some(&place), None);
        let ours = ids(view.events(&described, clock()));
        let root = tempfile::tempdir().expect("a directory can be made");
        recorded.show(root.path(), &["sidecar", "main", "mesh"]);
        let mut place = place;
        place.proc_root = Some(root.path().to_owned());
        let theirs = ids(Scanner::new(place).scan());
        assert!(theirs.len() >= 2, "{} {theirs:?}", recorded.label());
        assert!(
            theirs.is_subset(&ours),
            "{} {theirs:?} {ours:?}",
            recorded.label()
        );
    }
}

fn ids(events: Vec<Event>) -> BTreeSet<ContainerId> {
    let seen = events.into_iter().filter_map(|event| match event {
        Event::ContainerSeen { container, .. } => Some(container),
        _ => None,
    });
    seen.collect()
}

fn with_state(state: &Value) -> Pod {
    pod(&json!({
        "metadata": {"name": "task", "uid": "uid"},
        "spec": {"containers": [{"name": "main"}]},
        "status": {"containerStatuses": [state]},
    }))
}

/// The events of the only container, without [`Event::ContainerSeen`].
fn events(state: &Value) -> Vec<Event> {
    let pod = with_state(state);
    let events = PodView::new(&pod, None, None).events(&pod, clock());
    let events = events.into_iter();
    events
        .filter(|event| !matches!(event, Event::ContainerSeen { .. }))
        .collect()
}

#[test]
fn a_restarted_container_counts_as_two() {
    let events = events(&json!({
        "name": "main", "containerID": "containerd://two",
        "state": {"running": {"startedAt": "2026-03-01T12:00:05Z"}},
        "lastState": {"terminated": {"exitCode": 3, "startedAt": NOON,
            "finishedAt": "2026-03-01T12:00:04Z", "containerID": "containerd://one"}},
    }));
    let second = 1_000_000_000;
    let [one, two] = ["one", "two"].map(ContainerId::new);
    let expected = [
        Event::ContainerStarted {
            container: one.clone(),
            at: Timestamp(991 * second - 1),
        },
        Event::ContainerExited {
            container: one,
            status: ExitStatus::Code(3),
            at: Timestamp(995 * second - 1),
            alive: Timestamp(994 * second),
        },
        Event::ContainerStarted {
            container: two,
            at: Timestamp(996 * second - 1),
        },
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_container_that_has_not_begun_is_not_reported() {
    for state in [
        json!({"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff"}}}),
        json!({"name": "main"}),
    ] {
        assert_eq!(events(&state), [], "{state}");
    }
    let refused = events(&json!({
        "name": "main", "containerID": "containerd://one",
        "state": {"terminated": {"exitCode": 128, "reason": "StartError",
            "startedAt": "1970-01-01T00:00:00Z", "finishedAt": NOON}},
    }));
    assert!(
        matches!(
            refused.as_slice(),
            [Event::ContainerExited {
                status: ExitStatus::NotStarted,
                ..
            }]
        ),
        "{refused:?}"
    );
}

#[test]
fn without_our_own_mounts_the_manifest_shows_who_shares_the_output_directory() {
    let running = |name: &str| {
        json!({"name": name, "containerID": format!("containerd://{name}"),
            "state": {"running": {"startedAt": NOON}}})
    };
    let mount = |volume: &str, path: &str, part: &str| json!([{"name": volume, "mountPath": path, "subPath": part}]);
    let statuses = ["us", "whole", "same", "below", "beside", "other", "expr"].map(running);
    let value = json!({
        "metadata": {"name": "task", "uid": "uid"},
        "spec": {"containers": [
            {"name": "us", "volumeMounts": mount("data", "/out", "a/b")},
            {"name": "whole", "volumeMounts": mount("data", "/elsewhere", "")},
            {"name": "same", "volumeMounts": mount("data", "/out", "a/b")},
            {"name": "below", "volumeMounts": mount("data", "/out", "a/b/c")},
            {"name": "beside", "volumeMounts": mount("data", "/out", "a/bc")},
            {"name": "other", "volumeMounts": mount("more", "/out", "a/b")},
            {"name": "expr", "volumeMounts":
                [{"name": "data", "mountPath": "/out", "subPathExpr": "$(X)"}]},
        ]},
        "status": {"containerStatuses": statuses},
    });
    let described = pod(&value);
    let mut place = recorded::pods().remove(0).place();
    place.own = Some(ContainerId::new("us"));
    place.evidence = MountEvidence::default();
    let view = PodView::new(&described, Some(&place), Some(Path::new("/out/deep")));
    let rules = Rules {
        own: place.own.clone(),
        ..Rules::default()
    };
    let mut tracker = Tracker::new(rules.with_manifest(&view.manifest(&described)));
    for event in view.events(&described, clock()) {
        tracker.observe(event);
    }
    let expected = ["below", "expr", "same", "whole"].map(ContainerId::new);
    assert_eq!(tracker.mains(), expected);
}
