//! Too little of what a process needs of the system: descriptors, threads, `/proc`. Each job ends well or says
//! what is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use copilot::idl::TypedInterface;
use copilot::idl::blob_type::BlobDimensionality::Multipart;
use copilot_tests::binary::{self, Ended, Running};
use copilot_tests::requirement::{PIDS, Requirement};
use copilot_tests::task::{Task, blob, blob_type, interface};
use rustix::process::Signal;

fn outputs() -> TypedInterface {
    interface([("dir", blob_type(Multipart))])
}

/// A task with inputs and outputs of some files each.
fn task() -> Task {
    let task = Task::start().unwrap();
    for name in 0..20 {
        task.put(&format!("task/in/dir/{name}"), "content");
        task.write_output(&format!("dir/{name}"), "content");
    }
    task.put_inputs([("dir", blob("s3://data/task/in/dir", Multipart))]);
    task
}

/// Both jobs.
fn jobs(task: &Task) -> [Command; 2] {
    [task.download(), task.sidecar(&outputs())]
}

/// The same command, run by this script as `"$@"`.
fn within(script: &str, command: &Command) -> Command {
    let mut wrapped = Command::new("/bin/sh");
    binary::isolate(&mut wrapped);
    wrapped
        .args(["-c", script, "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    wrapped
}

#[track_caller]
fn succeeds(task: &Task, ended: &Ended) {
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let is_download = ended.stderr.contains("inputs are in place");
    assert!(is_download || task.outputs().is_some(), "{}", ended.stderr);
}

/// No panic, and no message that names something else.
#[test]
fn eight_descriptors_are_too_few_and_that_is_said() {
    for count in 5..=20 {
        let task = task();
        for job in jobs(&task) {
            let script = format!("ulimit -n {count}; exec \"$@\"");
            let ended = binary::run(&mut within(&script, &job));
            if ended.code() == 0 {
                succeeds(&task, &ended);
                continue;
            }
            assert!(
                [1, 2, 3].contains(&ended.code()),
                "{count}: {}",
                ended.stderr
            );
            let named = format!("{count} files open at once (ulimit -n)");
            assert!(
                ended.message().contains(&named),
                "{count}: {}",
                ended.stderr
            );
            assert!(task.outputs().is_none(), "{count}: {}", ended.stderr);
        }
        if count < 10 {
            // Both have failed: there is nothing to try with.
            assert!(task.objects("task/out").is_empty());
        }
    }
}

/// A cgroup that allows a number of processes and threads.
struct PidLimit(PathBuf);

impl PidLimit {
    fn new(most: u32) -> Self {
        let directory = Path::new(PIDS).join(format!("copilot-{}-{most}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("pids.max"), most.to_string()).unwrap();
        Self(directory)
    }

    fn run(&self, command: &Command) -> Ended {
        let script = format!("echo $$ > {}/cgroup.procs; exec \"$@\"", self.0.display());
        binary::run(&mut within(&script, command))
    }
}

impl Drop for PidLimit {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn one_process_of_four_threads_is_enough() {
    if !Requirement::PidLimits.is_met() {
        return;
    }
    for most in [4, 1] {
        let limit = PidLimit::new(most);
        let task = task();
        for job in jobs(&task) {
            succeeds(&task, &limit.run(&job));
        }
    }
}

/// Looking up a name takes a thread, which the pod may not have at that moment.
#[test]
fn a_lookup_without_a_thread_is_an_error() {
    if !Requirement::PidLimits.is_met() {
        return;
    }
    let task = task();
    let endpoint = task.site.server.endpoint.replace("127.0.0.1", "localhost");
    for (most, works) in [(2, true), (1, false)] {
        let limit = PidLimit::new(most);
        for mut job in jobs(&task) {
            let argument = format!("endpoint={endpoint}");
            let ended = limit.run(job.args(["--storage.stow.config", &argument]));
            if works {
                succeeds(&task, &ended);
                continue;
            }
            // Not even the error document can be written.
            assert_eq!(ended.code(), 3, "{}", ended.stderr);
            for word in ["localhost", "no thread can be started", "pids.max"] {
                assert!(ended.message().contains(word), "{}", ended.stderr);
            }
        }
    }
}

/// A sidecar that looks for main in `/proc` learns that it cannot, waits for SIGTERM, and commits.
fn waits_and_commits(script: &str, words: &[&str]) {
    let task = task();
    let mut download = within(script, &task.download());
    succeeds(&task, &binary::run(&mut download));
    let mut command = task.sidecar(&outputs());
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    command = Command::new(command.get_program());
    command.args(
        arguments
            .into_iter()
            .filter(|argument| argument != "--watcher=noop"),
    );
    command.arg("--logger.level=4");
    let sidecar = Running::start(&mut within(script, &command));
    sidecar.says("watching");
    sidecar.signal(Signal::TERM);
    let ended = sidecar.ended();
    succeeds(&task, &ended);
    ended.assert_logged(words);
}

const WITHOUT_PROC: &str = r#"exec unshare --mount sh -c 'umount -l /proc; exec "$@"' sh "$@""#;

#[test]
fn without_proc_the_sidecar_waits_for_sigterm() {
    if !Requirement::Root.is_met() {
        return;
    }
    let words = ["/proc", "No such file", "known from SIGTERM alone"];
    waits_and_commits(WITHOUT_PROC, &words);
}

#[test]
fn without_proc_outputs_go_up_while_main_runs() {
    if !Requirement::Root.is_met() {
        return;
    }
    let task = task();
    let mut command = binary::command();
    command
        .args(task.site.server.flags("data"))
        .args(task.sidecar_arguments(&outputs()))
        .args(["--watcher=signal", "--upload-mode=UPLOAD_EAGER"]);
    let sidecar = Running::start(&mut within(WITHOUT_PROC, &command));
    binary::wait_until("an output is up", || !task.objects("task/raw").is_empty());
    sidecar.signal(Signal::TERM);
    let ended = sidecar.ended();
    succeeds(&task, &ended);
    ended.assert_logged(&[
        "/proc does not show our open files",
        "scanned from time to time",
    ]);
}

/// With `hidepid=2` a user sees only its own processes.
#[test]
fn with_hidden_processes_the_sidecar_waits_for_sigterm() {
    if !Requirement::Root.is_met() {
        return;
    }
    let script = r#"exec unshare --mount sh -c '
mount -t proc -o hidepid=2 proc /proc || exit 125
exec "$@"' sh "$@""#;
    waits_and_commits(script, &["watching"]);
}
