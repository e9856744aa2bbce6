//! Containers that run our program: they wait for main, and none of them is main, whatever they claim.

use super::*;

/// A container that says it is a sidecar; `*` behind the name as in [`container`].
fn sidecar(name: &str, began: Option<u64>, ended: Option<u64>) -> Known {
    Known {
        job: Some(Job::Sidecar),
        ..container(name, began, ended)
    }
}

/// The names of those that only waited beside main.
fn bystanders(rules: &Rules, containers: &[Known]) -> Vec<String> {
    let candidates: Vec<Candidate<'_>> = containers.iter().map(Known::candidate).collect();
    let waited = candidates
        .iter()
        .filter(|one| rules.waited_beside_main(one, &candidates));
    waited.map(|one| one.id.to_string()).collect()
}

fn elsewhere() -> Rules {
    Rules::default()
}

fn outside(name: &str, job: Option<Job>, began: u64) -> Known {
    Known {
        evidence: Some(MountEvidence::default()),
        job,
        ..container(name, Some(began), None)
    }
}

#[test]
fn a_second_sidecar_is_not_main_by_its_mounts() {
    let containers = [
        sidecar("second*", Some(10), None),
        container("worker*", Some(20), None),
        sidecar("third*", Some(30), None),
    ];
    assert_eq!(chosen(&pods_rules(), &containers), ["worker"]);
    assert_eq!(chosen(&pods_rules(), &containers[..1]), [""; 0]);
}

#[test]
fn a_second_sidecar_is_not_main_by_elimination() {
    for job in [Job::Sidecar, Job::Download] {
        let pod = [outside("second", Some(job), 10), outside("main", None, 20)];
        assert_eq!(chosen(&elsewhere(), &pod), ["main"]);
        assert_eq!(chosen(&elsewhere(), &pod[..1]), [""; 0]);
    }
    let unread = Known {
        evidence: None,
        program: Some("copilot"),
        ..sidecar("second", Some(10), Some(60))
    };
    let main = Known {
        evidence: None,
        ..container("main", Some(20), Some(50))
    };
    assert_eq!(chosen(&elsewhere(), &[unread, main]), ["main"]);
}

/// It may begin after main: then it is not a downloader, because main begins after those.
#[test]
fn a_sidecar_whose_mounts_cannot_be_read_is_not_the_downloader() {
    let unread = |name: &str, began| Known {
        evidence: None,
        ..container(name, Some(began), Some(began + 20))
    };
    let copilot = |job| Known {
        program: Some("copilot"),
        job,
        ..unread("second", 30)
    };
    let rules = pods_rules();
    let pod = |job| [unread("main", 20), copilot(job)];
    assert_eq!(chosen(&rules, &pod(Some(Job::Sidecar))), ["main"]);
    assert_eq!(chosen(&rules, &pod(None)), [""; 0]);
}

/// The downloader is never main, and shows that a mesh sidecar from before it is not main either.
#[test]
fn a_downloader_still_tells_who_came_before_it() {
    let unread = |name: &str, began, ended| Known {
        evidence: None,
        ..container(name, Some(began), Some(ended))
    };
    for job in [Some(Job::Download), None] {
        let downloader = Known {
            program: Some("copilot"),
            job,
            ..unread("downloader", 20, 30)
        };
        let pod = [unread("mesh", 10, 60), downloader, unread("main", 40, 50)];
        assert_eq!(chosen(&Rules::default(), &pod), ["main"], "{job:?}");
        assert_eq!(chosen(&pods_rules(), &pod), ["main"], "{job:?}");
    }
}

/// A name that the user gives wins.
#[test]
fn a_container_with_mains_name_is_main_whatever_it_runs() {
    let named = Rules {
        main_container: Some("worker".to_owned()),
        ..pods_rules()
    };
    let containers = [sidecar("worker*", Some(20), None)];
    assert_eq!(chosen(&named, &containers), ["worker"]);
    let containers = [sidecar("primary", Some(20), None)];
    assert_eq!(chosen(&pods_rules(), &containers), ["primary"]);
}

#[test]
fn a_sidecar_that_was_there_before_mains_end_only_waited() {
    let rules = pods_rules();
    let main = || container("worker*", Some(20), Some(50));
    for (second, expected) in [
        (sidecar("second*", Some(10), None), &["second"][..]),
        (sidecar("second*", Some(10), Some(60)), &["second"]),
        (sidecar("second*", Some(30), None), &["second"]),
        // It may be main, after an init container.
        (sidecar("second*", Some(50), None), &[]),
        (sidecar("second*", Some(60), Some(70)), &[]),
        (container("second*", Some(10), None), &[]),
    ] {
        let text = format!("{:?} {:?}", second.began, second.ended);
        assert_eq!(bystanders(&rules, &[second, main()]), expected, "{text}");
    }
    let alone = [sidecar("second*", Some(10), None)];
    assert_eq!(bystanders(&rules, &alone), [""; 0]);
    let other = [
        sidecar("second*", Some(10), None),
        container("logger", Some(20), Some(50)),
    ];
    assert_eq!(bystanders(&rules, &other), [""; 0], "a logger is not main");
}

#[test]
fn a_restarted_sidecar_is_the_one_that_was_there_before() {
    let main = || container("worker*", Some(20), Some(50));
    let again = |evidence: Option<MountEvidence>, command| Known {
        id: ContainerId::new("again"),
        evidence,
        command,
        ..sidecar("second*", Some(60), None)
    };
    let before = || sidecar("second*", Some(10), Some(40));
    let read = before().evidence;
    let pod = [before(), main(), again(read, None)];
    assert_eq!(bystanders(&pods_rules(), &pod), ["second", "again"]);
    let unread = |known: Known| Known {
        evidence: None,
        command: Some(7),
        ..known
    };
    let pod = [unread(before()), main(), again(None, Some(7))];
    assert_eq!(bystanders(&pods_rules(), &pod), ["second", "again"]);
    let pod = [unread(before()), main(), again(None, Some(8))];
    assert_eq!(bystanders(&pods_rules(), &pod), ["second"]);
}
