//! Which containers may have been main.

use super::*;

const DOWNLOADER: &str = "flyte-copilot-downloader";

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
    let loader = |began| container(DOWNLOADER, Some(began), Some(began + 2));
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

/// Kubelet may restart a mesh sidecar when main has ended. Where no mounts can be read, only the command
/// line shows that.
#[test]
fn a_restart_of_a_container_that_was_not_main_is_not_main() {
    let rules = pods_rules();
    let run = |id: &str, command, began, ended| Known {
        id: ContainerId::new(id),
        command,
        began: Some(began),
        ended,
        ..unread()
    };
    let pod = |restart: Known| {
        vec![
            run("mesh", Some(1), 10, Some(55)),
            Known {
                program: Some("copilot"),
                ..run("downloader", Some(2), 20, Some(30))
            },
            run("main", Some(3), 40, Some(50)),
            restart,
        ]
    };
    for (command, ended, expected) in [
        (Some(1), None, &["main"][..]),
        (Some(1), Some(70), &["main"]),
        // Another command line, or an unknown one: it may be main.
        (Some(4), None, &[]),
        (Some(4), Some(70), &["later"]),
        (None, None, &[]),
        (None, Some(70), &["later"]),
    ] {
        let containers = pod(run("later", command, 60, ended));
        let found = chosen(&rules, &containers);
        assert_eq!(found, expected, "{command:?} {ended:?}");
    }
    // A second run of main itself is main.
    let containers = pod(run("later", Some(3), 60, Some(70)));
    assert_eq!(chosen(&rules, &containers), ["later"]);
}

/// An init container of main's image may have main's command line, and another environment.
#[test]
fn an_init_container_with_mains_command_line_does_not_hide_main() {
    let rules = pods_rules();
    let run = |id: &str, command, began, ended| Known {
        id: ContainerId::new(id),
        command,
        began: Some(began),
        ended: Some(ended),
        ..unread()
    };
    let mut containers = vec![
        run("init", Some(1), 5, 8),
        Known {
            program: Some("copilot"),
            ..run("downloader", Some(2), 20, 30)
        },
    ];
    for second in [None, Some(run("second-init", Some(3), 32, 35))] {
        containers.extend(second);
        let main = run("main", Some(1), 40, 50);
        assert!(may_have_been_main(&rules, &main, &containers));
    }
}
