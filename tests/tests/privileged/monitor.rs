//! `copilot watch` shows what the sidecar's sources see: in its own pod, in a named one, in all of a node.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use copilot_tests::binary::{self, Running};
use copilot_tests::fixture::{CgroupFixture, enter};
use copilot_tests::requirement::Requirement;
use rustix::process::Signal;
use serde_json::Value;

/// The lines of a run that has ended.
fn lines(watch: Running) -> Vec<Value> {
    watch.signal(Signal::TERM);
    let ended = watch.ended();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let lines = ended.stdout.lines();
    let parsed = lines.map(|line| serde_json::from_str(line).expect("each line is an object"));
    parsed.collect()
}

fn has<'a>(lines: &'a [Value], event: &str) -> &'a Value {
    let found = lines.iter().find(|line| line["event"] == event);
    found.unwrap_or_else(|| panic!("{event}: {lines:?}"))
}

#[test]
fn each_event_of_the_own_pod_is_a_line() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let _before = fixture.main("exec sleep 300");
    let mut command = enter(&fixture.pod, "sidecar", binary::path());
    let watch = Running::start(command.args(["watch", "--json"]));
    watch.prints("main-started");
    let main = fixture.main("exit 7");
    let _ = main.ended();
    drop(fixture.main("exit 0").ended());
    watch.prints("process-exited");
    let lines = lines(watch);
    let found = has(&lines, "main-found");
    assert_eq!(found["source"], "tracker");
    assert_eq!(found["name"], "main");
    let exited = has(&lines, "process-exited");
    assert!(
        exited["pid"].is_string() && exited["time"].is_string(),
        "{exited}"
    );
}

#[test]
fn another_pod_is_watched_by_its_cgroup() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let mut command = binary::command();
    command.args(["watch", "--json", "--watcher", "pidfd", "--pod-cgroup"]);
    let watch = Running::start(command.arg(fixture.pod.directory()));
    let main = fixture.main("exec sleep 300");
    watch.prints("main-started");
    main.signal(Signal::KILL);
    let _ = main.ended();
    watch.prints("main-");
    watch.prints("process-exited");
    let lines = lines(watch);
    assert_eq!(has(&lines, "process-started")["container"], "main");
}

#[test]
fn all_pods_of_a_node_are_watched() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let (early, late) = (CgroupFixture::create(), CgroupFixture::create());
    let name = |fixture: &CgroupFixture| {
        let name = fixture
            .pod
            .directory()
            .file_name()
            .expect("a pod has a name");
        name.to_string_lossy().into_owned()
    };
    let _early = early.main("exec sleep 300");
    let watch = Running::start(binary::command().args(["watch", "--json", "--all"]));
    watch.prints(&name(&early));
    let _late = late.main("exec sleep 300");
    let third = CgroupFixture::create();
    watch.prints(&name(&third));
    let gone = name(&third);
    drop(third);
    watch.prints("pod-gone");
    let lines = lines(watch);
    for pod in [name(&early), name(&late)] {
        let started =
            |line: &&Value| line["pod"] == pod.as_str() && line["event"] == "process-started";
        assert!(lines.iter().any(|line| started(&line)), "{pod}: {lines:?}");
    }
    let gone_line = |line: &&Value| line["event"] == "pod-gone" && line["pod"] == gone.as_str();
    assert!(
        lines.iter().any(|line| gone_line(&line)),
        "{gone}: {lines:?}"
    );
}

/// `copilot watch | head -1`.
#[test]
fn a_reader_that_goes_away_ends_it() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    let fixture = CgroupFixture::create();
    let mut command = binary::command();
    command
        .args(["watch", "--pod-cgroup"])
        .arg(fixture.pod.directory());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let _main = fixture.main("exec sleep 300");
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    reader.read_line(&mut line).expect("a line comes");
    assert!(line.contains(": "), "{line}");
    drop(reader);
    let _second = fixture.main("while :; do /bin/true; done");
    let mut status = None;
    binary::wait_until("it ends", || {
        // Without a reader each line fails.
        let _ = fixture.main("exit 0").ended();
        status = child.try_wait().expect("a child can be waited for");
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(0));
}

#[test]
fn where_nothing_can_be_seen_it_says_so() {
    let mut command = Command::new(binary::path());
    binary::isolate(&mut command);
    let ended = binary::run(command.args(["watch", "--watcher", "signal"]));
    assert_eq!(ended.code(), 2, "{}", ended.stderr);
    assert!(
        ended.message().contains("copilot doctor"),
        "{}",
        ended.stderr
    );
}
