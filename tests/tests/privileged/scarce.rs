//! Watchers that get too little of the system: open files, processes and threads. Each works, or says what is
//! missing; none takes a main that it does not see for one that has ended.

use std::fs;
use std::path::{Path, PathBuf};

use copilot::idl::SimpleType;
use copilot_tests::binary::{self, Ended, Running};
use copilot_tests::fixture::{CgroupFixture, Outcome};
use copilot_tests::requirement::{PIDS, Requirement};
use copilot_tests::task::{interface, simple};
use rustix::process::Signal;

/// Waits for the file `go`.
const UNTIL_GO: &str = "while [ ! -e $out/go ]; do sleep 0.02; done";

/// The watchers that see processes.
const SEEING: [&str; 3] = ["ebpf", "pidfd", "proc"];

/// Limits on open files. With the first ones no job can start, and the last one is enough.
const COUNTS: [u32; 12] = [8, 12, 14, 16, 18, 20, 24, 28, 32, 34, 40, 64];

/// A log of more bytes comes from a message that is repeated for ever.
const LONGEST_LOG: usize = 200_000;

/// A sidecar that this script starts as `"$@"`, at its end or when it watches; and its fixture.
fn start(script: &str, watcher: &str) -> (CgroupFixture, Running) {
    let fixture = CgroupFixture::create();
    let outputs = interface([("word", simple(SimpleType::String))]);
    let through = ["/bin/sh", "-c", script, "sh"];
    let options = ["--watcher", watcher, "--term-wait", "1s"];
    let mut command = fixture.sidecar_through(&through, &outputs, &options);
    let mut sidecar = Running::start(&mut command);
    let name = PathBuf::from(format!("/proc/{}/comm", sidecar.id()));
    binary::wait_until("the sidecar watches or ends", || {
        !sidecar.runs() || fs::read(&name).is_ok_and(|name| name == b"copilot-ready\n")
    });
    (fixture, sidecar)
}

/// What the sidecar left, whose log must be short.
fn outcome(fixture: &CgroupFixture, ended: Ended) -> Outcome {
    assert!(ended.stderr.len() < LONGEST_LOG, "{}", ended.stderr);
    fixture.task.outcome(ended)
}

/// Waits until main is seen, or the sidecar says that it cannot see it.
fn wait_for_sight(sidecar: &mut Running) {
    binary::wait_until("main is seen, or cannot be", || {
        sidecar.has_said("main started") || sidecar.has_said("can be read") || !sidecar.runs()
    });
}

/// Nothing is committed.
#[track_caller]
fn fails(outcome: &Outcome, context: &str) {
    assert_ne!(outcome.ended.code(), 0, "{context}: {outcome:?}");
    assert!(outcome.outputs.is_none(), "{context}: {outcome:?}");
}

/// The message names the limit of open files.
fn names_the_limit(ended: &Ended, count: u32) -> bool {
    ended
        .message()
        .contains(&format!("{count} files open at once (ulimit -n)"))
}

/// Main fails, and kubelet stops the sidecar afterwards.
#[test]
fn a_main_that_fails_is_never_committed_for_want_of_descriptors() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in ["ebpf", "pidfd"] {
        let mut seen = 0;
        for count in COUNTS {
            let context = format!("{watcher} with {count}");
            let script = format!("ulimit -n {count}; exec \"$@\"");
            let (fixture, mut sidecar) = start(&script, watcher);
            if !sidecar.runs() {
                let ended = sidecar.ended();
                assert!(
                    names_the_limit(&ended, count),
                    "{context}: {}",
                    ended.stderr
                );
                fails(&outcome(&fixture, ended), &context);
                continue;
            }
            let main = fixture.main(&format!("echo half > $out/word; {UNTIL_GO}; exit 7"));
            wait_for_sight(&mut sidecar);
            fixture.task.write_output("go", "");
            let _ = main.ended();
            binary::wait_until("the sidecar ends or has settled", || {
                !sidecar.runs() || sidecar.has_said("main ended") || sidecar.has_said("can be read")
            });
            if sidecar.runs() {
                sidecar.signal(Signal::TERM);
            }
            let outcome = outcome(&fixture, sidecar.ended());
            fails(&outcome, &context);
            let is_seen = outcome.ended.message().contains("exited with code 7");
            seen += u32::from(is_seen);
            assert!(
                is_seen || names_the_limit(&outcome.ended, count),
                "{context}: {outcome:?}"
            );
        }
        assert!(seen > 1, "{watcher} never worked");
    }
}

/// The pod is deleted while main runs.
#[test]
fn a_main_that_runs_is_never_committed_for_want_of_descriptors() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in SEEING {
        let mut seen = 0;
        for count in COUNTS {
            let context = format!("{watcher} with {count}");
            let script = format!("ulimit -n {count}; exec \"$@\"");
            let (fixture, mut sidecar) = start(&script, watcher);
            if !sidecar.runs() {
                let ended = sidecar.ended();
                assert!(
                    names_the_limit(&ended, count),
                    "{context}: {}",
                    ended.stderr
                );
                fails(&outcome(&fixture, ended), &context);
                continue;
            }
            let main = fixture.main(&format!("echo half > $out/word; {UNTIL_GO}"));
            binary::wait_until("main writes", || {
                fixture.task.outputs_dir().join("word").exists()
            });
            wait_for_sight(&mut sidecar);
            sidecar.signal(Signal::TERM);
            let outcome = outcome(&fixture, sidecar.ended());
            fails(&outcome, &context);
            let is_seen = outcome.ended.message().contains("still running");
            seen += u32::from(is_seen);
            assert!(
                is_seen || names_the_limit(&outcome.ended, count),
                "{context}: {outcome:?}"
            );
            drop(main);
        }
        assert!(seen > 1, "{watcher} never worked");
    }
}

/// A cgroup that allows a number of processes and threads.
struct PidLimit(PathBuf);

impl PidLimit {
    fn new(most: u32, watcher: &str) -> Self {
        let name = format!("copilot-{}-{watcher}-{most}", std::process::id());
        let directory = Path::new(PIDS).join(name);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("pids.max"), most.to_string()).unwrap();
        Self(directory)
    }
}

impl Drop for PidLimit {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// One thread is enough to watch. To look up a name or to find the pod's cgroup takes another one for a moment.
#[test]
fn watchers_work_with_four_threads_and_say_what_they_lack_with_one() {
    if !Requirement::Bpf.is_met() || !Requirement::PidLimits.is_met() {
        return;
    }
    for watcher in ["ebpf", "pidfd", "proc", "signal"] {
        for most in [4, 2, 1] {
            let context = format!("{watcher} with {most}");
            let limit = PidLimit::new(most, watcher);
            let procs = limit.0.join("cgroup.procs");
            let script = format!("echo $$ > {}; exec \"$@\"", procs.display());
            let (fixture, mut sidecar) = start(&script, watcher);
            if !sidecar.runs() {
                let ended = sidecar.ended();
                assert_eq!(most, 1, "{context}: {}", ended.stderr);
                assert!(
                    ended.message().contains("thread"),
                    "{context}: {}",
                    ended.stderr
                );
                continue;
            }
            let main = fixture.main(&format!("echo well > $out/word; {UNTIL_GO}"));
            if watcher != "signal" {
                sidecar.says("main started");
            }
            fixture.task.write_output("go", "");
            let _ = main.ended();
            if watcher == "signal" {
                sidecar.signal(Signal::TERM);
            }
            outcome(&fixture, sidecar.ended()).assert_committed("well");
        }
    }
}

/// Nothing at `/proc`, or an empty directory. A watcher that was named is refused, with one that works.
#[test]
fn without_proc_a_watcher_of_processes_is_refused() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for hide in ["umount -l /proc", "mount -t tmpfs none /proc"] {
        for watcher in SEEING {
            let script = format!(
                "exec /usr/bin/unshare --mount /bin/sh -c '{hide} || exit 125; exec \"$@\"' sh \"$@\""
            );
            let (fixture, mut sidecar) = start(&script, watcher);
            assert!(!sidecar.runs(), "{hide}: {watcher} cannot work");
            let ended = sidecar.ended();
            assert_eq!(ended.code(), 2, "{hide}: {}", ended.stderr);
            for words in ["/proc", "--watcher auto", watcher] {
                assert!(ended.message().contains(words), "{hide}: {}", ended.stderr);
            }
            fails(&outcome(&fixture, ended), hide);
        }
    }
}
