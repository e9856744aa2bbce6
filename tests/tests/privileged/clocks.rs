//! The wall clock of the node is set by an hour, forward and back, while a sidecar waits and while it uploads. No
//! wait depends on it, and requests are signed with the time of their signing.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{SimpleType, TypedInterface};
use copilot_tests::binary::{self, Ended, Running};
use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::fixture::CgroupFixture;
use copilot_tests::requirement::Requirement;
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob, blob_type, files, interface, simple};
use rustix::process::Signal;

const TRACER: &str = env!("CARGO_BIN_EXE_tracer");

const HOUR: i64 = 3600;

/// Waits for the file `go`.
const UNTIL_GO: &str = "while [ ! -e $out/go ]; do sleep 0.02; done";

/// The clock of one process: the file with the seconds that it is ahead.
struct Clock(PathBuf);

impl Clock {
    fn new(task: &Task) -> Self {
        let clock = Self(task.site.work("clock"));
        clock.set(0);
        clock
    }

    /// Sets it this many seconds ahead of the real time, at once.
    fn set(&self, seconds: i64) {
        let next = self.0.with_extension("next");
        fs::write(&next, seconds.to_string()).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

/// How many seconds the signature of a request is ahead of the real time.
fn ahead(seen: &Seen) -> i64 {
    let head = seen.head.to_ascii_lowercase();
    let date = head.split("x-amz-date: ").nth(1).expect("it is signed");
    let date = date.split("\r\n").next().unwrap().to_ascii_uppercase();
    let date = chrono::NaiveDateTime::parse_from_str(&date, "%Y%m%dT%H%M%SZ").unwrap();
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    date.and_utc().timestamp() - i64::try_from(now.as_secs()).unwrap()
}

/// Whether a clock that is so far ahead signed a request. The request may be some minutes old.
fn is_signed_at(seen: &Seen, seconds: i64) -> bool {
    (ahead(seen) - seconds).abs() < HOUR / 4
}

/// The limits would be over if they counted by the wall clock.
#[test]
fn a_clock_that_is_set_while_main_runs_changes_nothing() {
    if !Requirement::Bpf.is_met() {
        return;
    }
    for watcher in ["ebpf", "pidfd", "proc", "signal"] {
        for step in [HOUR, -HOUR] {
            let fixture = CgroupFixture::create();
            let clock = Clock::new(&fixture.task);
            let upstream = fixture.task.site.server.address();
            let proxy = FaultProxy::start(upstream, |_| Fault::None).unwrap();
            let endpoint = format!("endpoint={}", proxy.endpoint());
            let outputs = interface([("word", simple(SimpleType::String))]);
            let options = [
                "--watcher",
                watcher,
                "--timeout=30m",
                "--main-start-timeout=30m",
                "--term-wait=30m",
                "--storage.stow.config",
                &endpoint,
            ];
            let through = [TRACER, "--clock", clock.path()];
            let command = fixture.sidecar_through(&through, &outputs, &options);
            let fixture = fixture.run(command);
            clock.set(step);
            let main = fixture.main(&format!("echo well > $out/word; {UNTIL_GO}"));
            if watcher != "signal" {
                fixture.sidecar.says("main started");
            }
            // Another step of the same length, back to the real time.
            clock.set(0);
            fixture.task.write_output("go", "");
            let _ = main.ended();
            if watcher == "signal" {
                fixture.sidecar.signal(Signal::TERM);
            }
            fixture.outcome().assert_committed("well");
            let seen = proxy.seen();
            assert!(!seen.is_empty());
            for request in seen {
                assert!(is_signed_at(&request, 0), "{watcher}: {}", request.head);
            }
        }
    }
}

fn outputs() -> TypedInterface {
    interface([("large", blob_type(Single)), ("tree", blob_type(Multipart))])
}

/// A sidecar that waits for SIGTERM.
fn waiting(task: &Task, declared: &TypedInterface) -> Command {
    let mut command = binary::command();
    command
        .args(task.site.server.flags("data"))
        .args(task.sidecar_arguments(declared))
        .arg("--watcher=signal");
    command
}

/// A job with a clock of its own.
fn with_clock(clock: &Clock, job: &Command) -> Command {
    let mut command = Command::new(TRACER);
    binary::isolate(&mut command);
    command.args(["--clock", clock.path()]);
    command.arg(job.get_program()).args(job.get_args());
    command
}

/// A task with inputs, and a proxy to its store that sets the clock by `step` when its n-th request comes.
fn stage(request: usize, step: i64) -> (Task, Clock, FaultProxy) {
    let task = Task::start().unwrap();
    let clock = Clock::new(&task);
    let setter = Clock(clock.0.clone());
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if seen.index == request {
            setter.set(step);
        }
        Fault::None
    });
    task.put("task/in/large", bytes(20 << 20, 1));
    for name in 0..10 {
        task.put(&format!("task/in/tree/{name}"), format!("content {name}"));
    }
    task.put_inputs([
        ("large", blob("s3://data/task/in/large", Single)),
        ("tree", blob("s3://data/task/in/tree", Multipart)),
    ]);
    (task, clock, proxy.unwrap())
}

/// The store refuses what a clock signs that is an hour wrong. The message says so, and the signatures show that
/// the clock was read for each request.
#[track_caller]
fn is_refused(ended: &Ended, proxy: &FaultProxy, step: i64) {
    assert_ne!(ended.code(), 0, "{}", ended.stderr);
    let message = ended.message();
    let direction = if step > 0 { "ahead" } else { "behind" };
    assert!(
        message.contains("clock") && message.contains(direction),
        "{message}"
    );
    let seen = proxy.seen();
    for seconds in [0, step] {
        let is_there = seen.iter().any(|seen| is_signed_at(seen, seconds));
        assert!(is_there, "{seconds}: {seen:#?}");
    }
}

#[test]
fn a_download_during_which_the_clock_is_set_fails_and_says_why() {
    if !Requirement::Root.is_met() {
        return;
    }
    for step in [HOUR, -HOUR] {
        for request in [0, 2, 6] {
            let (task, clock, proxy) = stage(request, step);
            let endpoint = format!("endpoint={}", proxy.endpoint());
            let mut download = task.download();
            download.args(["--storage.stow.config", &endpoint, "--max-connections=1"]);
            let ended = binary::run(&mut with_clock(&clock, &download));
            is_refused(&ended, &proxy, step);
            let left = files(&task.inputs_dir());
            assert!(!left.contains_key("inputs.pb"), "{left:?}");
            // The next attempt of the pod, with a clock that is right again.
            clock.set(0);
            let ended = binary::run(&mut with_clock(&clock, &task.download()));
            assert_eq!(ended.code(), 0, "{}", ended.stderr);
            let mut inputs = files(&task.inputs_dir());
            inputs.retain(|name, _| !name.starts_with("inputs."));
            assert!(inputs == task.objects("task/in"));
        }
    }
}

#[test]
fn an_upload_during_which_the_clock_is_set_fails_and_says_why() {
    if !Requirement::Root.is_met() {
        return;
    }
    for mode in ["UPLOAD_ON_EXIT", "UPLOAD_EAGER"] {
        for step in [HOUR, -HOUR] {
            for request in [0, 3, 6] {
                let (task, clock, proxy) = stage(request, step);
                let endpoint = format!("endpoint={}", proxy.endpoint());
                let options = ["--upload-mode", mode, "--max-connections=1"];
                let mut sidecar = waiting(&task, &outputs());
                sidecar.args(options);
                sidecar.args(["--storage.stow.config", &endpoint]);
                let mut sidecar = Running::start(&mut with_clock(&clock, &sidecar));
                sidecar.watches();
                let inputs = task.objects("task/in");
                for (name, content) in &inputs {
                    task.write_output(name, content);
                }
                sidecar.signal(Signal::TERM);
                let ended = sidecar.ended();
                is_refused(&ended, &proxy, step);
                assert!(task.outputs().is_none(), "{}", ended.stderr);
                // The next life, with a clock that is right again.
                clock.set(0);
                let mut sidecar = waiting(&task, &outputs());
                let mut sidecar = Running::start(&mut with_clock(&clock, sidecar.args(options)));
                sidecar.watches();
                sidecar.signal(Signal::TERM);
                let ended = sidecar.ended();
                assert_eq!(ended.code(), 0, "{}", ended.stderr);
                assert!(inputs == task.objects("task/raw"), "{}", ended.stderr);
                assert_eq!(task.outputs().unwrap().literals.len(), 2);
                let unfinished = task.site.server.unfinished_uploads().unwrap();
                assert!(unfinished.is_empty(), "{unfinished:?}");
            }
        }
    }
}

/// The clock is set back, and main makes its output directory anew: its time of birth lies before the sidecar's
/// start. It may be one that main has moved there, so it is refused, and the reason is the clock.
#[test]
fn a_directory_that_is_made_after_the_clock_was_set_back_is_refused_with_the_reason() {
    if !Requirement::Root.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    let clock = Clock::new(&task);
    // What is an hour ahead now is the real time after the step.
    clock.set(HOUR);
    let declared = interface([("word", simple(SimpleType::String))]);
    let mut sidecar = Running::start(&mut with_clock(&clock, &waiting(&task, &declared)));
    sidecar.watches();
    clock.set(0);
    fs::remove_dir(task.outputs_dir()).unwrap();
    task.write_output("word", "new");
    sidecar.signal(Signal::TERM);
    let ended = sidecar.ended();
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let message = ended.message();
    assert!(
        message.contains("the clock of this node was set back"),
        "{message}"
    );
    assert!(task.outputs().is_none());
}

/// Two clocks that differ by an hour are one of the first things to look at when a test here fails.
#[test]
fn the_tracer_shows_the_clock_that_is_set() {
    if !Requirement::Root.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    let clock = Clock::new(&task);
    for step in [0, HOUR, -HOUR] {
        clock.set(step);
        let mut date = Command::new("date");
        date.arg("+%s");
        let ended = binary::run(&mut with_clock(&clock, &date));
        let shown: i64 = ended.stdout.trim().parse().expect(&ended.stderr);
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let ahead = shown - i64::try_from(now.as_secs()).unwrap();
        assert!((ahead - step).abs() < HOUR / 4, "{ahead} instead of {step}");
    }
}
