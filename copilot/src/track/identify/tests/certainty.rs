//! Names, elimination, and what is never main.

use super::*;

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
            "no mount of our output: the container that is left",
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
        command: None,
        job: None,
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
        command: None,
        job: None,
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
