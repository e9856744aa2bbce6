//! What each watcher makes of a main that ends, that is killed, that says itself that it is over, or
//! that was gone before anybody watched; alone and side by side.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use copilot::idl::{SimpleType, container_error::Kind, execution_error::ErrorKind};
use copilot_tests::binary::{self, Running};
use copilot_tests::fixture::{CgroupFixture, SidecarFixture};
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{interface, simple};
use rustix::process::Signal;

/// Ends when the test has made the file `go`.
const UNTIL_GO: &str = "while [ ! -e $out/go ]; do sleep 0.02; done";

#[test]
fn a_main_that_says_it_is_over_is_uploaded_while_it_runs_and_waited_for() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for options in [
        &["--watcher", "marker"][..],
        &["--watcher", "marker,pidfd"],
        &[
            "--start-watcher-type",
            "file",
            "--exit-watcher-type",
            "file",
        ],
        &[
            "--start-watcher-type",
            "shared-process-ns",
            "--exit-watcher-type",
            "file",
        ],
    ] {
        let mut fixture = SidecarFixture::start(options);
        let script = "touch $out/_START; echo told > $out/word; touch $out/_SUCCESS";
        let main = fixture.main(&format!("{script}; {UNTIL_GO}"));
        fixture.sidecar.says("outputs are committed");
        assert!(
            fixture.sidecar.runs(),
            "kubelet would start it again: {options:?}"
        );
        fixture.task.write_output("go", "");
        let _ = main.ended();
        let outcome = fixture.outcome();
        outcome.assert_committed("told");
        assert!(
            outcome.ended.stderr.contains("_SUCCESS"),
            "{}",
            outcome.ended.stderr
        );
    }
}

#[test]
fn a_marker_that_is_moved_in_counts() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "marker"]);
    let main = fixture.main(
        "echo moved > $out/word; touch $out/x; sleep 0.2; mv $out/x $out/_SUCCESS; exec sleep 300",
    );
    fixture.sidecar.says("outputs are committed");
    main.signal(Signal::KILL);
    let _ = main.ended();
    fixture.outcome().assert_committed("moved");
}

#[test]
fn mains_error_is_read_when_it_is_complete() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "marker"]);
    let _main = fixture.main("exec 3> $out/_ERROR; sleep 0.3; echo no such table >&3; exec 3>&-");
    let outcome = fixture.outcome();
    let document =
        outcome.assert_reported_as("OutputUploadFailed", Kind::Recoverable, ErrorKind::User);
    assert_eq!(document.message, "User Error: no such table\n");
}

/// The reference waits for ever: a killed main writes no marker any more.
#[test]
fn a_killed_main_does_not_hang_those_who_wait_for_its_marker() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "marker"]);
    let main = fixture.main("touch $out/_START; echo half > $out/word; exec sleep 300");
    fixture.sidecar.says("main found");
    binary::wait_until("main writes", || {
        fs::read(fixture.task.outputs_dir().join("word")).is_ok_and(|word| word == b"half\n")
    });
    main.signal(Signal::KILL);
    let _ = main.ended();
    let outcome = fixture.outcome();
    let document = outcome.assert_reported_as("Interrupted", Kind::Recoverable, ErrorKind::System);
    assert!(document.message.contains("SIGKILL"), "{}", document.message);
    assert_eq!(outcome.timeline["watcher"], "marker,ebpf");
}

#[test]
fn a_watcher_that_cannot_work_is_refused_with_the_nearest_that_does() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    fs::remove_dir_all(fixture.task.outputs_dir()).expect("the directory can be removed");
    let outputs = interface([]);
    let mut command = fixture.sidecar(&outputs, &["--watcher", "marker"]);
    let ended = Running::start(&mut command).ended();
    assert_eq!(ended.code(), 2, "{}", ended.stderr);
    for words in ["--watcher marker does not work here", "must exist", "pidfd"] {
        assert!(ended.message().contains(words), "{}", ended.stderr);
    }
}

#[test]
fn without_bpf_rights_pidfd_is_used() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let outputs = interface([("word", simple(SimpleType::String))]);
    let setpriv = [
        "/usr/bin/setpriv",
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--no-new-privs",
    ];
    let command = fixture.sidecar_through(&setpriv, &outputs, &[]);
    let fixture = fixture.run(command);
    let main = fixture.main(&format!("{UNTIL_GO}; exit 7"));
    fixture.sidecar.says("main started");
    fixture.task.write_output("go", "");
    let _ = main.ended();
    let outcome = fixture.outcome();
    assert_eq!(outcome.timeline["watcher"], "pidfd");
    let reason = outcome.timeline["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("ebpf does not work here"), "{reason}");
    assert!(reason.contains("CAP_BPF"), "{reason}");
}

/// It ended before the sidecar began: only what it left says that it was there.
#[test]
fn a_main_that_ended_before_the_watcher_was_attached_is_uploaded() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let is_uploaded = |watcher: &str, file: &str| {
        let fixture = CgroupFixture::create();
        let script = format!("touch $out/{file}; echo early > $out/word");
        let _ = fixture.main(&script).ended();
        let outcome = fixture.start(&["--watcher", watcher]).outcome();
        outcome.assert_committed("early");
        let said = outcome.ended.stderr;
        assert!(said.contains("has run and ended"), "{said}");
    };
    // Each waits for a while to be sure that there are no processes.
    std::thread::scope(|scope| {
        for (watcher, file) in [("ebpf", "word"), ("pidfd", "_SUCCESS"), ("proc", "word")] {
            scope.spawn(move || is_uploaded(watcher, file));
        }
    });
}

/// Its image may still be pulled.
#[test]
fn an_empty_pod_is_no_sign_that_main_is_over() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "pidfd", "--main-start-timeout", "12s"]);
    let outcome = fixture.outcome();
    let document =
        outcome.assert_reported_as("MainNotStarted", Kind::NonRecoverable, ErrorKind::User);
    assert!(
        document.message.contains("no other container"),
        "{}",
        document.message
    );
}

#[test]
fn a_failed_main_leaves_its_files_if_asked_for() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "ebpf", "--on-main-failure", "salvage"]);
    let script = "mkdir -p $out/logs; echo half > $out/word; echo why > $out/logs/a%b; exit 7";
    let _ = fixture.main(script).ended();
    let (outcome, task) = fixture.ended();
    let document = outcome.assert_reported_as("MainFailed", Kind::Recoverable, ErrorKind::User);
    for words in ["exited with code 7", "2 files", "are saved below"] {
        assert!(document.message.contains(words), "{}", document.message);
    }
    let saved = task.objects("task/raw");
    let names: Vec<&str> = saved.keys().map(String::as_str).collect();
    assert_eq!(names, ["logs/a%b", "word"]);
}

#[test]
fn a_main_that_does_not_stop_is_salvaged_at_most() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&[
        "--watcher",
        "pidfd",
        "--term-wait",
        "200ms",
        "--on-main-failure",
        "salvage",
    ]);
    let main = fixture.main("echo half > $out/word; touch $out/ready; exec sleep 300");
    binary::wait_until("main writes", || {
        fixture.task.outputs_dir().join("ready").exists()
    });
    fixture.sidecar.says("main started");
    fixture.sidecar.signal(Signal::TERM);
    let outcome = fixture.outcome();
    let document = outcome.assert_reported_as("Interrupted", Kind::Recoverable, ErrorKind::System);
    assert!(
        document.message.contains("saved below"),
        "{}",
        document.message
    );
    drop(main);
}

#[test]
fn a_sidecar_that_waits_only_for_the_start_does_not_wait_for_the_end() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&[
        "--start-watcher-type",
        "shared-process-ns",
        "--exit-watcher-type",
        "noop",
    ]);
    fixture.task.write_output("word", "there");
    let main = fixture.main("exec sleep 300");
    fixture.outcome().assert_committed("there");
    drop(main);
}

#[test]
fn an_unknown_name_is_reported_while_waiting() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = SidecarFixture::start(&["--watcher", "ebpf", "--main-container", "mian"]);
    let main = fixture.main("exec sleep 300");
    fixture
        .sidecar
        .says("none of the containers seen so far is main");
    fixture.sidecar.signal(Signal::TERM);
    let outcome = fixture.outcome();
    assert!(outcome.ended.stderr.contains("--main-container"));
    drop(main);
}

/// No name of a pod, no mounts of kubelet's, and all namespaces but that of cgroups are the node's: what runs beside
/// us may be anybody's.
#[test]
fn where_nothing_shows_whose_a_container_is_no_container_is_main() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in ["ebpf", "pidfd", "proc", "auto"] {
        let fixture = CgroupFixture::create();
        let cgroups = Nameless::beside(fixture.pod.directory());
        let enter = |directory: &Path| {
            let script = r#"echo $$ > "$0/cgroup.procs"; exec "$@""#;
            let directory = directory.display().to_string();
            ["/bin/sh", "-c", script, &directory].map(str::to_owned)
        };
        let entered = enter(&cgroups.own);
        let [shell, option, script, directory] = entered.each_ref().map(String::as_str);
        let unshare = ["/usr/bin/unshare", "--cgroup"];
        let through = [&[shell, option, script, directory][..], &unshare].concat();
        let outputs = interface([("word", simple(SimpleType::String))]);
        let mut command = fixture.sidecar_through(&through, &outputs, &["--watcher", watcher]);
        let mut sidecar = Running::start(&mut command);
        if watcher == "auto" {
            sidecar.watches();
            let [program, words @ ..] = enter(&cgroups.other);
            let mut foreign = Command::new(program);
            foreign.args(words).args(["/bin/sh", "-c", "exit 7"]);
            assert_eq!(binary::run(&mut foreign).code(), 7);
            fixture.task.write_output("word", "there");
            sidecar.signal(Signal::TERM);
            let ended = sidecar.ended();
            assert_eq!(ended.code(), 0, "{}", ended.stderr);
            assert!(ended.stderr.contains("\"signal\""), "{}", ended.stderr);
        } else {
            let ended = sidecar.ended();
            assert_eq!(ended.code(), 2, "{}", ended.stderr);
            assert!(
                ended.message().contains("nothing shows which"),
                "{}",
                ended.stderr
            );
        }
    }
}

/// Two containers' cgroups in one that has no name of a pod. Removed when dropped.
struct Nameless {
    parent: PathBuf,
    own: PathBuf,
    other: PathBuf,
}

impl Nameless {
    fn beside(pod: &Path) -> Self {
        let parent = pod.with_file_name("flat");
        let [own, other] = ["own", "other"].map(|name| parent.join(name));
        for directory in [&own, &other] {
            fs::create_dir_all(directory).expect("a cgroup can be made");
        }
        Self { parent, own, other }
    }
}

impl Drop for Nameless {
    fn drop(&mut self) {
        for directory in [&self.own, &self.other, &self.parent] {
            // Killed processes leave a moment later.
            let is_gone = (0..200).any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(10));
                fs::remove_dir(directory).is_ok()
            });
            if !is_gone {
                eprintln!("{} could not be removed", directory.display());
            }
        }
    }
}
