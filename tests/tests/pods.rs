//! Sidecar and main as real containers of one pod: who main is, when it starts, when and how it
//! ends, by what the sidecar may see and do.

#![cfg(test)]

use std::thread;
use std::time::Duration;

use copilot_tests::container::{Container, Pids, Spec};
use copilot_tests::requirement::Requirement;
use copilot_tests::task_pod::{NAME, OUTPUT, Outcome, TaskPod, is_ready};
use rustix::process::Signal;

/// A main that does its work.
const WORKS: &str = "echo hello > /var/outputs/word";

#[track_caller]
fn assert_uploaded(outcome: &Outcome) {
    assert_eq!(outcome.sidecar.status.code(), Some(0), "{outcome:?}");
    let outputs = outcome.outputs.as_ref().expect("outputs.pb is written");
    assert!(outputs.literals.contains_key(OUTPUT), "{outcome:?}");
    assert!(outcome.error.is_none(), "{outcome:?}");
}

/// The error document says `code` and, among other words, `words`.
#[track_caller]
fn assert_reported(outcome: &Outcome, code: &str, words: &str) {
    assert_eq!(outcome.sidecar.status.code(), Some(1), "{outcome:?}");
    let error = outcome.error.as_ref().expect("a document is written");
    assert_eq!(error.code, code, "{outcome:?}");
    assert!(error.message.contains(words), "{outcome:?}");
    assert!(outcome.outputs.is_none(), "{outcome:?}");
}

/// Main was found and seen by `watcher`, by the rule that says `found`.
#[track_caller]
fn assert_seen(outcome: &Outcome, watcher: &str, found: &str) {
    let timeline = &outcome.timeline;
    assert_eq!(timeline["watcher"], watcher, "{outcome:?}");
    let rule = timeline["main_found"].as_str().unwrap_or_default();
    assert!(rule.contains(found), "{outcome:?}");
    let at = |point: &str| timeline["timeline"][point].as_f64();
    let (attached, started, exited) = (at("attached"), at("started"), at("exited"));
    assert!(
        started.is_some() && attached <= exited && started <= exited,
        "{outcome:?}"
    );
}

const FLYTE_NAMING: &str = "as Flyte names";
const OUTPUT_VOLUME: &str = "mounts the output directory";

fn main_runs(task: &TaskPod, sidecar: &Spec, main: &Spec) -> Outcome {
    let sidecar = task.attach(sidecar).unwrap();
    let _main = task.pod.run(main).unwrap();
    task.outcome(&sidecar).unwrap()
}

/// Waits until the sidecar has said `words`.
#[track_caller]
fn wait_for_words(sidecar: &Container<'_>, words: &str) {
    for _ in 0..1000 {
        if sidecar.log().contains(words) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the sidecar does not say `{words}`:\n{}", sidecar.log());
}

#[test]
fn the_kernel_tells_how_main_ended() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for (script, code, words) in [
        (WORKS, None, ""),
        ("exit 7", Some("MainFailed"), "exited with code 7"),
        ("kill -SEGV $$", Some("MainFailed"), "signal 11 (SIGSEGV)"),
    ] {
        let task = TaskPod::start(Pids::Shared).unwrap();
        let main = task.main(script).unwrap();
        let outcome = main_runs(&task, &task.sidecar().unwrap(), &main);
        match code {
            None => assert_uploaded(&outcome),
            Some(code) => assert_reported(&outcome, code, words),
        }
        assert_seen(&outcome, "ebpf", FLYTE_NAMING);
    }
}

#[test]
fn a_killed_main_ends_the_sidecar_at_once() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let task = TaskPod::start(Pids::Shared).unwrap();
    let sidecar = task.attach(&task.sidecar().unwrap()).unwrap();
    let main = task.pod.run(&task.main("sleep 600").unwrap()).unwrap();
    wait_for_words(&sidecar, "main started");
    main.signal(Signal::KILL).unwrap();
    let outcome = task.outcome(&sidecar).unwrap();
    assert_reported(&outcome, "Interrupted", "signal 9 (SIGKILL)");
    assert_seen(&outcome, "ebpf", FLYTE_NAMING);
    let at = |point: &str| outcome.timeline["timeline"][point].as_f64().unwrap();
    assert!(at("settled") - at("exited") < 1000.0, "{outcome:?}");
}

#[test]
fn a_main_of_a_millisecond_is_never_missed() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for _ in 0..20 {
        let task = TaskPod::start(Pids::Shared).unwrap();
        let outputs = task.pod.volume("flyte-outputs").unwrap();
        std::fs::write(outputs.join(OUTPUT), "hello").unwrap();
        let main = task.main("true").unwrap();
        let outcome = main_runs(&task, &task.sidecar().unwrap(), &main);
        assert_uploaded(&outcome);
        assert_seen(&outcome, "ebpf", FLYTE_NAMING);
        assert_eq!(outcome.timeline["status"], "exited with code 0");
    }
}

#[test]
fn main_is_told_by_its_name_or_its_volume_from_its_neighbours() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for (name, found) in [
        (NAME, FLYTE_NAMING),
        ("primary", FLYTE_NAMING),
        ("trainer", OUTPUT_VOLUME),
    ] {
        let task = TaskPod::start(Pids::Shared).unwrap();
        let sidecar = task.attach(&task.sidecar().unwrap()).unwrap();
        let run = |spec: &Spec| task.pod.run(spec).unwrap();
        let _mesh = run(&Spec::script("istio-proxy", "sleep 600"));
        let helper = run(&Spec::script("helper", "exit 9"));
        helper.wait().unwrap();
        let work = format!("sleep 0.3; {WORKS}");
        let _main = run(&task.main_called(name, &work).unwrap());
        let outcome = task.outcome(&sidecar).unwrap();
        assert_uploaded(&outcome);
        assert_seen(&outcome, "ebpf", found);
    }
}

#[test]
fn readiness_is_the_watchers_and_cannot_be_forged_by_main() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let task = TaskPod::start(Pids::Shared).unwrap();
    let forge =
        "echo -n copilot-ready > /proc/self/comm; cat /proc/self/comm; read never < /dev/zero";
    let forger = task.pod.run(&task.main(forge).unwrap()).unwrap();
    for _ in 0..500 {
        if comm(&forger) == "copilot-ready" {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(comm(&forger), "copilot-ready");
    let sidecar = task.pod.create(&task.sidecar().unwrap()).unwrap();
    assert!(!is_ready(&sidecar).unwrap());
    sidecar.start().unwrap();
    wait_for_words(&sidecar, "main started");
    assert!(is_ready(&sidecar).unwrap());
}

fn comm(container: &Container<'_>) -> String {
    let path = format!("/proc/{}/comm", container.pid());
    let name = std::fs::read_to_string(path).unwrap();
    name.trim_end().to_owned()
}

#[test]
fn an_exec_session_is_not_main() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for watcher in ["ebpf", "proc"] {
        let task = TaskPod::start(Pids::Shared).unwrap();
        let spec = task.sidecar().unwrap();
        let spec = spec.argument(&format!("--watcher={watcher}"));
        let sidecar = task.attach(&spec).unwrap();
        let script = format!("read go < /var/outputs/gate; {WORKS}");
        let gate = task.pod.volume("flyte-outputs").unwrap().join("gate");
        make_fifo(&gate);
        let main = task.pod.run(&task.main(&script).unwrap()).unwrap();
        wait_for_words(&sidecar, "main started");
        for code in [0, 3] {
            let mut session = main.exec(&["/bin/sh", "-c", &format!("sleep 0.2; exit {code}")]);
            let status = session.status().unwrap();
            assert_eq!(status.code(), Some(code));
        }
        // One that outlives main: it is not waited for, beyond the time for main to settle.
        let mut lasting = main.exec(&["/bin/sh", "-c", "sleep 600"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(500));
        assert!(sidecar.try_wait().unwrap().is_none(), "{}", sidecar.log());
        std::fs::write(&gate, "go\n").unwrap();
        let outcome = task.outcome(&sidecar).unwrap();
        drop(main);
        lasting.wait().unwrap();
        assert_uploaded(&outcome);
        assert_seen(&outcome, watcher, FLYTE_NAMING);
    }
}

fn make_fifo(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).unwrap();
    // Whatever the umask is.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).unwrap();
}

#[test]
fn what_the_sidecar_may_see_decides_how_it_watches() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for (pids, private_cgroups) in [
        (Pids::Shared, true),
        (Pids::Separate, false),
        (Pids::Separate, true),
    ] {
        for (script, code) in [(WORKS, None), ("exit 7", Some("MainFailed"))] {
            let task = TaskPod::start(pids).unwrap();
            let mut sidecar = task.sidecar().unwrap();
            if private_cgroups {
                sidecar = sidecar.private_cgroups();
            }
            let outcome = main_runs(&task, &sidecar, &task.main(script).unwrap());
            match code {
                None => assert_uploaded(&outcome),
                Some(code) => assert_reported(&outcome, code, "exited with code 7"),
            }
            let rule = match pids {
                Pids::Shared => FLYTE_NAMING,
                Pids::Separate => "elimination",
            };
            assert_seen(&outcome, "ebpf", rule);
        }
    }
}

/// Lines of the sidecar's log that warn.
fn warnings(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.sidecar.log.lines();
    lines.filter(|line| line.contains("\"warning\"")).collect()
}

#[test]
fn without_rights_proc_shows_start_and_end() {
    if !Requirement::Containers.is_met() {
        return;
    }
    for user in [0, 65534] {
        let task = TaskPod::start(Pids::Shared).unwrap();
        let sidecar = task.powerless_sidecar().unwrap().user(user);
        let main = task.main(&format!("sleep 0.5; {WORKS}")).unwrap();
        let outcome = main_runs(&task, &sidecar, &main);
        assert_uploaded(&outcome);
        assert_seen(&outcome, "proc", FLYTE_NAMING);
        let warnings = warnings(&outcome);
        assert_eq!(warnings.len(), 1, "{outcome:?}");
        assert!(warnings[0].contains("CAP_BPF"), "{outcome:?}");
    }
}

#[test]
fn where_nobody_can_be_seen_sigterm_ends_the_wait() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let task = TaskPod::start(Pids::Separate).unwrap();
    let sidecar = task.attach(&task.powerless_sidecar().unwrap()).unwrap();
    let main = task.pod.run(&task.main(WORKS).unwrap()).unwrap();
    main.wait().unwrap();
    thread::sleep(Duration::from_millis(300));
    assert!(sidecar.try_wait().unwrap().is_none(), "{}", sidecar.log());
    sidecar.signal(Signal::TERM).unwrap();
    let outcome = task.outcome(&sidecar).unwrap();
    assert_uploaded(&outcome);
    assert_eq!(outcome.timeline["watcher"], "signal");
}
