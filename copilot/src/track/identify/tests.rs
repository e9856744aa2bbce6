use super::*;
use crate::track::{
    place::cgroup,
    recorded::{self, RecordedPod},
};

/// A container of a table, described by hand.
struct Known {
    id: ContainerId,
    evidence: Option<MountEvidence>,
    program: Option<&'static str>,
    began: Option<u64>,
    ended: Option<u64>,
}

impl Known {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            id: &self.id,
            evidence: self.evidence.as_ref(),
            program: self.program,
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
        began,
        ended,
    }
}

fn chosen(rules: &Rules, containers: &[Known]) -> Vec<String> {
    let mains = choose(rules, containers).map_or_else(Vec::new, |(mains, _)| mains);
    mains.iter().map(ToString::to_string).collect()
}

#[test]
fn among_those_that_share_the_volume_the_order_decides() {
    const LOADER: &str = "flyte-copilot-downloader";
    let rules = pods_rules();
    let at = Some;
    let rows: [(&str, Vec<Known>, &[&str]); 10] = [
        (
            "what began before the downloader is no main",
            vec![
                container("init*", at(1), at(2)),
                container(LOADER, at(3), at(5)),
                container("main*", at(6), None),
            ],
            &["main"],
        ),
        (
            "while the downloader is the last there is no main",
            vec![
                container("init*", at(1), at(2)),
                container(LOADER, at(3), None),
            ],
            &[],
        ),
        (
            "a native sidecar that began before it is none, even if it lives on",
            vec![
                container("shipper*", at(1), None),
                container(LOADER, at(3), at(5)),
                container("main*", at(5), at(9)),
            ],
            &["main"],
        ),
        (
            "what ended before a later sharer began is none",
            vec![
                container("init*", at(1), at(2)),
                container("main*", at(3), None),
            ],
            &["main"],
        ),
        (
            "not even while that one is being made",
            vec![
                container("init*", at(1), at(2)),
                container("main*", None, None),
            ],
            &["main"],
        ),
        (
            "of several that overlap, all are",
            vec![
                container("one*", at(1), at(4)),
                container("two*", at(3), None),
            ],
            &["one", "two"],
        ),
        (
            "what does not share is none, whenever it ran",
            vec![
                container("main*", at(3), None),
                container("other", at(4), None),
            ],
            &["main"],
        ),
        (
            "only others: none",
            vec![container("other", at(4), at(5))],
            &[],
        ),
        (
            "one that has not begun counts",
            vec![container("main*", None, None)],
            &["main"],
        ),
        (
            "infrastructure that shares is none",
            vec![
                container("istio-proxy*", at(3), None),
                container("vault-agent*", at(4), None),
            ],
            &[],
        ),
    ];
    for (why, containers, expected) in rows {
        assert_eq!(chosen(&rules, &containers), expected, "{why}");
    }
}

#[test]
fn a_downloader_that_streams_lives_beside_main() {
    let downloader = |ended| container("flyte-copilot-downloader", Some(3), ended);
    for (ended, main_ended) in [(None, None), (None, Some(9)), (Some(12), Some(9))] {
        let containers = [
            container("init*", Some(1), Some(2)),
            downloader(ended),
            container("main*", Some(6), main_ended),
        ];
        assert_eq!(chosen(&pods_rules(), &containers), ["main"], "{ended:?}");
    }
}

/// An init container that shares the volume may be all there is yet: before our downloader, or behind
/// it.
#[test]
fn only_by_name_or_outside_of_a_pod_is_a_main_certain() {
    const LOADER: &str = "flyte-copilot-downloader";
    let certain = |rules: &Rules, containers: &[Known]| {
        let candidates: Vec<Candidate<'_>> = containers.iter().map(Known::candidate).collect();
        let (_, why) = rules.choose(&candidates).expect("somebody is main");
        rules.is_certain(why)
    };
    let named = Rules {
        main_container: Some("main".to_owned()),
        ..pods_rules()
    };
    let by_host = Rules {
        host_name: Some("main".to_owned()),
        ..pods_rules()
    };
    let outside = Rules {
        pod_uid: None,
        ..pods_rules()
    };
    let main = || container("main*", Some(6), Some(9));
    let alone = [main()];
    let behind = [container(LOADER, Some(3), Some(5)), main()];
    let unread = [
        container(LOADER, Some(3), Some(5)),
        Known {
            evidence: None,
            ..container("gone", Some(1), Some(2))
        },
    ];
    for (rules, containers, expected) in [
        (&pods_rules(), &alone[..], false),
        (&pods_rules(), &behind[..], false),
        (&named, &alone[..], true),
        (&by_host, &alone[..], true),
        (&outside, &alone[..], true),
    ] {
        assert_eq!(certain(rules, containers), expected, "{rules:?}");
    }
    assert_eq!(
        choose(&pods_rules(), &unread),
        None,
        "it was an init container"
    );
}

/// Without a shared pid namespace nothing can be read of a container but what it runs.
#[test]
fn a_downloader_that_cannot_be_read_is_known_by_its_program() {
    let unread = |id: &str, program, began, ended| Known {
        evidence: None,
        program: Some(program),
        ..container(id, Some(began), Some(ended))
    };
    for program in ["copilot", "flyte-copilot"] {
        let containers = [unread("aaa", program, 1, 3), unread("bbb", "python3", 5, 9)];
        let candidates: Vec<Candidate<'_>> = containers.iter().map(Known::candidate).collect();
        let (mains, _) = pods_rules().choose(&candidates).expect("one is left");
        assert_eq!(mains, [ContainerId::new("bbb")]);
        assert_eq!(choose(&pods_rules(), &containers[..1]), None);
    }
    let readable = Known {
        program: Some("copilot"),
        ..container("main*", Some(1), None)
    };
    assert!(
        choose(&pods_rules(), &[readable]).is_some(),
        "its name is worth more"
    );
}

#[test]
fn a_name_goes_before_the_beginning_of_an_id() {
    let beginning = "deadbeef";
    let mut other = container("other*", Some(1), None);
    other.id = ContainerId::new(&beginning.repeat(8));
    let named = container(beginning, Some(2), None);
    let rules = |wanted: &str| Rules {
        main_container: Some(wanted.to_owned()),
        ..pods_rules()
    };
    let both = [other, named];
    assert_eq!(chosen(&rules(beginning), &both), [beginning]);
    assert_eq!(chosen(&rules(beginning), &both[..1]).len(), 1, "by its id");
    for too_short in ["", "d", "deadbee"] {
        assert_eq!(chosen(&rules(too_short), &both), [""; 0], "{too_short:?}");
    }
}

/// CRI-O's sandbox has no mount by which it could be known, but no mount of kubelet's either.
#[test]
fn in_a_pod_a_container_without_kubelets_mounts_is_the_sandbox() {
    let sandbox = Known {
        evidence: Some(MountEvidence {
            mounts: vec![volume()],
            ..MountEvidence::default()
        }),
        ..container("crio-1.scope", Some(1), None)
    };
    for rules in [
        pods_rules(),
        Rules {
            output_mount: None,
            ..pods_rules()
        },
    ] {
        assert_eq!(chosen(&rules, std::slice::from_ref(&sandbox)), [""; 0]);
    }
    let outside = Rules::default();
    assert_eq!(chosen(&outside, &[sandbox]), ["crio-1.scope"]);
}

#[test]
fn by_elimination_only_where_no_rule_could_have_spoken() {
    let without_volume = Rules {
        output_mount: None,
        ..pods_rules()
    };
    let unread = |ended| Known {
        evidence: None,
        ..container("gone", Some(1), ended)
    };
    let rows: [(&str, &Rules, Vec<Known>, &[&str]); 6] = [
        (
            "no volume of ours: whoever is left",
            &without_volume,
            vec![
                container("istio-proxy", Some(1), None),
                container("app", Some(2), None),
            ],
            &["app"],
        ),
        (
            "the volume speaks: no guess",
            &pods_rules(),
            vec![container("app", Some(2), None)],
            &[],
        ),
        (
            "ended before it could be read: it may have been main",
            &pods_rules(),
            vec![unread(Some(2)), container("istio-proxy", Some(3), None)],
            &["gone"],
        ),
        (
            "not read yet, but alive: wait",
            &pods_rules(),
            vec![unread(None)],
            &[],
        ),
        (
            "another is main by a rule: the unread one is not",
            &pods_rules(),
            vec![unread(Some(2)), container("main*", Some(3), None)],
            &["main"],
        ),
        (
            "outside of Kubernetes nothing has a name",
            &Rules::default(),
            vec![Known {
                evidence: Some(MountEvidence::default()),
                ..container("main", Some(1), None)
            }],
            &["main"],
        ),
    ];
    for (why, rules, containers, expected) in rows {
        assert_eq!(chosen(rules, &containers), expected, "{why}");
    }
}

#[test]
fn we_are_never_main_whatever_we_are_called() {
    let own = container("primary*", Some(1), None);
    for main_container in [None, Some("primary".to_owned())] {
        let rules = Rules {
            own: Some(own.id.clone()),
            main_container,
            ..pods_rules()
        };
        assert_eq!(chosen(&rules, std::slice::from_ref(&own)), [""; 0]);
    }
}

/// Beside a source that names all containers, one that the kernel alone has seen is not taken for main
/// before its name is told.
#[test]
fn with_a_manifest_nobody_is_main_before_it_has_a_name() {
    let gone = Known {
        id: ContainerId::new("cgroup 7"),
        evidence: None,
        program: None,
        began: Some(10),
        ended: Some(20),
    };
    let manifest = Manifest {
        pod_name: "task".to_owned(),
        never_main: vec!["prepare".to_owned()],
        output_mount: None,
    };
    let rules = Rules::default();
    let alone = [gone];
    assert!(choose(&rules, &alone).is_some());
    let rules = rules.with_manifest(&manifest);
    assert_eq!(choose(&rules, &alone), None);
    let named = |name: &str| Known {
        id: ContainerId::new(name),
        evidence: Some(MountEvidence {
            name: Some(name.to_owned()),
            pod_uid: Some("uid".to_owned()),
            ..MountEvidence::default()
        }),
        program: None,
        began: Some(10),
        ended: None,
    };
    let containers = [named("prepare"), named("task"), named("helper")];
    let (mains, why) = choose(&rules, &containers).expect("the pod's name tells");
    assert_eq!(mains, [ContainerId::new("task")]);
    assert_eq!(why, Why::FlyteNaming);
    let containers = [named("prepare"), named("helper")];
    let (mains, _) = choose(&rules, &containers).expect("one is left");
    assert_eq!(mains, [ContainerId::new("helper")]);
}

/// A container called so that ran from 6 to 9; `*` behind the name: it mounts the output volume.
fn it(name: &str) -> Known {
    Known {
        id: ContainerId::new("it"),
        ..container(name, Some(6), Some(9))
    }
}

fn unread() -> Known {
    Known {
        evidence: None,
        ..it("it")
    }
}

/// Its mounts were read before the runtime pivoted.
fn half_made(name: &str) -> Known {
    let mut known = it(name);
    if let Some(evidence) = &mut known.evidence {
        evidence.stage = Stage::BeforePivot;
    }
    known
}

/// Whether a container may have been main beside others.
fn may_have_been_main(rules: &Rules, known: &Known, others: &[Known]) -> bool {
    let all = others.iter().chain([known]);
    let candidates: Vec<Candidate<'_>> = all.map(Known::candidate).collect();
    rules.may_have_been_main(&known.candidate(), &candidates)
}

#[test]
fn what_its_mounts_exclude_was_not_main() {
    let rules = pods_rules();
    let no_volume = Rules {
        output_mount: None,
        ..pods_rules()
    };
    let all_named = Rules {
        all_are_named: true,
        ..pods_rules()
    };
    for (case, rules, known, expected) in [
        ("mounts the outputs", &rules, it("it*"), true),
        ("mounts others", &rules, it("it"), false),
        ("mounts being made", &rules, half_made("it"), true),
        ("some of its mounts known", &rules, half_made("it*"), true),
        ("nothing is known", &rules, unread(), true),
        (
            "nothing is known, all are named",
            &all_named,
            unread(),
            false,
        ),
        ("infrastructure", &rules, it("istio-proxy*"), false),
        (
            "infrastructure being made",
            &rules,
            half_made("istio-proxy"),
            false,
        ),
        ("no volume is known", &no_volume, it("it"), true),
    ] {
        assert_eq!(may_have_been_main(rules, &known, &[]), expected, "{case}");
    }
}

#[test]
fn what_the_order_excludes_was_not_main() {
    let loader = |began| container(super::DOWNLOADER, Some(began), Some(began + 2));
    let again = Known {
        id: ContainerId::new("again"),
        ..container("it*", Some(10), None)
    };
    for (case, known, other, expected) in [
        ("behind the downloader", it("it*"), loader(3), true),
        ("unread, behind it", unread(), loader(3), true),
        ("before it", it("it*"), loader(10), false),
        ("unread, before it", unread(), loader(10), false),
        ("kubelet tried again", it("it*"), again, false),
    ] {
        let found = may_have_been_main(&pods_rules(), &known, &[other]);
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn what_a_name_excludes_was_not_main() {
    let asked_for = |name: &str| Rules {
        main_container: Some(name.to_owned()),
        ..pods_rules()
    };
    let by_host = || Rules {
        host_name: Some("main".to_owned()),
        ..pods_rules()
    };
    let main = || vec![container("main", Some(6), None)];
    for (case, rules, known, others, expected) in [
        (
            "another is called like the pod",
            by_host(),
            it("it*"),
            main(),
            false,
        ),
        ("unread, another is", by_host(), unread(), main(), false),
        ("asked for", asked_for("it"), it("it"), Vec::new(), true),
        (
            "another is asked for",
            asked_for("main"),
            it("it*"),
            Vec::new(),
            false,
        ),
        (
            "unread, another is asked for",
            asked_for("main"),
            unread(),
            Vec::new(),
            true,
        ),
    ] {
        let found = may_have_been_main(&rules, &known, &others);
        assert_eq!(found, expected, "{case}");
    }
}
