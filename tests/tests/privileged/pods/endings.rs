//! How main ended, and that the sidecar does not wait in vain for its end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use copilot_tests::binary::wait_until;
use copilot_tests::container::{Container, Image, NodeKind, Spec};
use copilot_tests::fixture::{NAME, OUTPUT, VOLUME};
use rustix::process::Signal;

use super::fixture::{ContainerFixture, WORKS, wait_for_words};
use super::outcome::{FLYTE_NAMING, assert_seen, assert_status, tells_status};

on!(all: exit_0, killed, a_child_outlives_main);
on_one_node!(kernel: flytes_sidecar_exits_with_0_once_the_document_tells);
on!(telling: exit_7, core_dump, leader_ends_first, never_started, out_of_memory);
on!(kernel: a_millisecond, forking_all_day);
on!(polling: a_kill_from_outside_where_the_kernels_count_shows_it);

fn exit_0(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&[]);
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}"));
    wait_for_words(&sidecar, "main started");
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_committed("hello");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
    assert_status(&outcome, watcher, "exited with code 0");
}

fn exit_7(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&[]);
    let main = fixture.main(&format!("read go < /gates/go; {WORKS}; exit 7"));
    wait_for_words(&sidecar, "main started");
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_reported("MainFailed", "exited with code 7");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

/// Flyte reads the document of a pod that succeeds: an exit code other than 0 would hide it or count for nothing. Its
/// container is known by its name.
fn flytes_sidecar_exits_with_0_once_the_document_tells(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&["--exit-code=auto"]);
    let main =
        fixture.main("read go < /gates/go; echo '{\"message\": \"no\"}' > /var/outputs/_ERROR");
    wait_for_words(&sidecar, "main started");
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    assert_eq!(outcome.ended.code(), 0, "{outcome:?}");
    assert_eq!(outcome.error().expect("a document tells").message, "no");
    assert_eq!(outcome.outputs, None);
}

/// If the watcher cannot tell how main ended, its outputs decide: here they are missing.
fn killed(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let sidecar = fixture.attach(&[]);
    let main = fixture.main("exec sleep 600");
    wait_for_words(&sidecar, "main started");
    main.signal(Signal::KILL).unwrap();
    let outcome = fixture.end(&main, &sidecar);
    if tells_status(watcher) {
        outcome.assert_reported("Interrupted", "signal 9 (SIGKILL)");
        // Main is another user, so its cgroup's count cannot be read.
        if watcher == "pidfd" {
            outcome.assert_reported("Interrupted", "stopped from outside, or out of memory");
        }
    } else {
        outcome.assert_reported("OutputUploadFailed", OUTPUT);
    }
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

/// Its core dump is in its working directory if this machine's pattern is a file name.
fn core_dump(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&[]);
    let script = "read go < /gates/go; cd /var/outputs; ulimit -c unlimited; kill -SEGV $$";
    let main = fixture.main(script);
    wait_for_words(&sidecar, "main started");
    gate.open();
    let truth = main.wait().unwrap().status;
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if pattern.trim_end() == "core" {
        assert!(truth.core_dumped(), "{truth}");
    }
    let core = if truth.core_dumped() {
        " (core dumped)"
    } else {
        ""
    };
    outcome.assert_reported(
        "MainFailed",
        &format!("killed by signal 11 (SIGSEGV){core} (seen by {watcher})"),
    );
}

/// Main's first thread ends; another thread ends the process, with another exit code.
fn leader_ends_first(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&[]);
    let program = Path::new(env!("CARGO_BIN_EXE_leader"));
    let mut main = fixture.worker(NAME, "exec /opt/leader /gates/go 7");
    // It is linked to the libraries of this machine.
    for directory in ["/lib", "/lib64", "/usr/lib"] {
        if Path::new(directory).is_dir() {
            main = main.mount(directory, directory);
        }
    }
    let main = fixture.run(&main.mount(program, "/opt/leader"));
    wait_for_words(&sidecar, "main started");
    let leader = format!("/proc/{}/stat", main.pid());
    wait_until("the leader has ended", || {
        let stat = fs::read_to_string(&leader).unwrap_or_default();
        stat.contains(") Z ")
    });
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_reported("MainFailed", "exited with code 7");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

/// Processes that main has started may still write after main's end.
fn a_child_outlives_main(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let late = fixture.gate("late");
    let sidecar = fixture.attach(&["--settle=1m"]);
    let script = format!("(read go < /gates/late; {WORKS}) & read go < /gates/go; exit 0");
    let main = fixture.main(&script);
    wait_for_words(&sidecar, "main started");
    gate.open();
    main.wait().unwrap();
    wait_for_words(&sidecar, "main ended");
    late.open();
    let outcome = fixture.task.outcome(&sidecar).unwrap();
    outcome.assert_committed("hello");
    assert_status(&outcome, watcher, "exited with code 0");
}

/// Where the watcher cannot see who sent the signal, the kernel's count in main's cgroup shows it: main is the
/// sidecar's user.
fn out_of_memory(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let gate = fixture.gate("go");
    let sidecar = fixture.attach(&[]);
    let script = "read go < /gates/go; x=0123456789; while :; do x=$x$x; done";
    let spec = fixture.worker(NAME, script).user(0);
    let main = fixture.run(&spec.memory(32 << 20));
    wait_for_words(&sidecar, "main started");
    gate.open();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_reported("OOMKilled", "out of memory");
    assert_seen(&outcome, watcher, FLYTE_NAMING);
}

fn a_kill_from_outside_where_the_kernels_count_shows_it(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let sidecar = fixture.attach(&["--logger.level=5"]);
    let spec = fixture.worker(NAME, "exec sleep 600").user(0);
    let main = fixture.run(&spec.memory(32 << 20));
    wait_for_words(&sidecar, "main started");
    // A kill that comes before the count is read has an unknown cause.
    wait_for_words(&sidecar, "main's cgroup counts kills for memory");
    main.signal(Signal::KILL).unwrap();
    let outcome = fixture.end(&main, &sidecar);
    if tells_status(watcher) {
        outcome.assert_reported("Interrupted", "since the kernel counts no kill for memory");
    }
}

/// The runtime does not find the program, or finds out only when it should start: that is not main's end.
fn never_started(watcher: &'static str) {
    for (program, exists) in [("/bin/nothing", false), ("/opt/broken", true)] {
        let fixture = ContainerFixture::start(watcher);
        let sidecar = fixture.attach(&[]);
        let volume = fixture.task.pod.volume(VOLUME).unwrap();
        let broken = fixture.task.pod.directory().join("broken");
        fs::write(&broken, "#!/bin/nothing\n").unwrap();
        fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
        let main = Spec::new(NAME, Image::Busybox, [program])
            .mount(volume, "/var/outputs")
            .mount(broken, "/opt/broken");
        let main = fixture.task.pod.create(&main);
        assert_eq!(main.is_ok(), exists, "{main:?}");
        if let Ok(main) = &main {
            main.start().unwrap();
        }
        // Kubelet then stops the pod. If the name could not be read in time, that decides.
        if watcher == "ebpf" {
            wait_until("it is told", || {
                let log = sidecar.log();
                log.contains("main ended") || log.contains("may have been")
            });
        } else {
            // A scan may be too late to see the runtime's process.
            thread::sleep(Duration::from_millis(500));
        }
        sidecar.signal(Signal::TERM).unwrap();
        let outcome = fixture.task.outcome(&sidecar).unwrap();
        let code = outcome.error().map(|error| error.code.clone());
        match code.as_deref() {
            Some("MainFailed") if watcher == "pidfd" => {
                let words = "before it was seen to run its program";
                outcome.assert_reported("MainFailed", words);
            }
            Some("OutputUploadFailed") if watcher == "pidfd" => {
                assert!(sidecar.log().contains("main was never seen"));
                outcome.assert_reported("OutputUploadFailed", OUTPUT);
            }
            _ => {
                outcome.assert_reported("MainNotStarted", "its program never began");
                assert!(outcome.timeline["since_start_ms"]["started"].is_null());
            }
        }
    }
}

/// On a busy machine the name may not be read in time: then the remaining container is main.
fn a_millisecond(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let outputs = fixture.task.pod.volume(VOLUME).unwrap();
    fs::write(outputs.join(OUTPUT), "hello").unwrap();
    let mut named = 0;
    let pods = if NodeKind::here() == NodeKind::Quiet {
        100
    } else {
        20
    };
    for _ in 0..pods {
        let sidecar = fixture.attach(&[]);
        let main = fixture.run(&fixture.task.main("true").unwrap());
        let outcome = fixture.end_and_stop(&main, &sidecar);
        outcome.assert_committed("hello");
        let rule = outcome.timeline["main_found"].as_str().unwrap_or_default();
        named += usize::from(rule.contains(FLYTE_NAMING));
        assert_seen(&outcome, watcher, "");
        assert_status(&outcome, watcher, "exited with code 0");
    }
    // Where readings are slow, or the machine is busy, the name of a main that lives for a millisecond may
    // be gone before it is read. On an idle machine nearly all are read.
    let is_slow = NodeKind::here() == NodeKind::SlowProc;
    assert!(
        10 * named > pods || is_slow,
        "only {named} of {pods} were known by name"
    );
}

/// Thousands of short processes of main cause almost no wake-ups of the sidecar.
fn forking_all_day(watcher: &'static str) {
    let fixture = ContainerFixture::start(watcher);
    let (begin, end) = (fixture.gate("begin"), fixture.gate("end"));
    let sidecar = fixture.attach(&[]);
    let script = format!(
        "read go < /gates/begin; i=0; while [ $i -lt 3000 ]; do (:); i=$((i+1)); done; \
         i=0; while [ $i -lt 300 ]; do sleep 0; i=$((i+1)); done; \
         echo done > /gates/forked; read go < /gates/end; {WORKS}"
    );
    let main = fixture.main(&script);
    wait_for_words(&sidecar, "main started");
    let before = switches_at_rest(&sidecar);
    let since = Instant::now();
    begin.open();
    let forked = fixture.task.pod.volume("gates").unwrap().join("forked");
    wait_until("main has forked", || forked.exists());
    let woken = switches(&sidecar) - before;
    end.open();
    let outcome = fixture.end(&main, &sidecar);
    outcome.assert_committed("hello");
    // A safety tick wakes it every ten seconds, and a busy machine may take many of them.
    let most = 10 + since.elapsed().as_secs() / 5;
    assert!(
        woken <= most,
        "3,300 processes woke the sidecar {woken} times"
    );
}

/// The context switches of all threads of a container's first process.
fn switches(container: &Container<'_>) -> u64 {
    let threads = fs::read_dir(format!("/proc/{}/task", container.pid())).unwrap();
    let count = |status: String| -> u64 {
        let lines = status
            .lines()
            .filter(|line| line.contains("ctxt_switches:"));
        lines
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum()
    };
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("status")).ok())
        .map(count)
        .sum()
}

/// The same when the sidecar has become idle.
fn switches_at_rest(container: &Container<'_>) -> u64 {
    let mut last = switches(container);
    wait_until("the sidecar sleeps", || {
        thread::sleep(Duration::from_millis(500));
        let now = switches(container);
        std::mem::replace(&mut last, now) == now
    });
    last
}
