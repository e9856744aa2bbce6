//! A sidecar that is restarted after its work was done.

use std::process::Command;

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot::idl::{SimpleType, TypedInterface};
use copilot_tests::binary::{self, Running};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::pod::Pod;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{DOCUMENTS, Task, blob_type, interface, simple};

fn outputs() -> TypedInterface {
    interface([
        ("n", simple(SimpleType::Integer)),
        ("file", blob_type(Single)),
    ])
}

/// A task whose outputs are committed.
fn committed() -> (Task, Vec<u8>) {
    let task = Task::start().unwrap();
    task.write_output("n", "1");
    task.write_output("file", "content");
    let ended = binary::run(&mut task.sidecar(&outputs()));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let committed = task.objects("task/out")["outputs.pb"].clone();
    (task, committed)
}

/// Checks that only the outputs exist, unchanged.
fn unharmed(task: &Task, committed: &[u8]) {
    let left = task.objects("task/out");
    assert_eq!(left.keys().collect::<Vec<_>>(), ["outputs.pb"]);
    assert_eq!(left["outputs.pb"], committed);
}

/// The sidecar with a store that no longer accepts data.
fn refused(task: &Task) -> (FaultProxy, Command) {
    let proxy = FaultProxy::start(task.site.server.address(), |seen| {
        if seen.line.starts_with("PUT /data/task/raw/") {
            return Fault::Answer(403, "");
        }
        Fault::None
    })
    .unwrap();
    let mut command = task.sidecar(&outputs());
    let endpoint = format!("endpoint={}", proxy.endpoint());
    command.args(["--storage.stow.config", &endpoint]);
    (proxy, command)
}

#[test]
fn a_second_run_commits_the_same() {
    let (task, committed) = committed();
    let ended = binary::run(&mut task.sidecar(&outputs()));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    unharmed(&task, &committed);
}

#[test]
fn a_second_run_that_fails_does_no_harm() {
    let (task, committed) = committed();
    let (_proxy, mut command) = refused(&task);
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("an earlier run has committed these outputs"),
        "{}",
        ended.stderr
    );
    unharmed(&task, &committed);
}

/// Outputs of another try do not count for this one: its failure is reported.
#[test]
fn outputs_of_another_try_hide_no_failure() {
    let (task, _) = committed();
    task.write_output("n", "2");
    let (_proxy, mut command) = refused(&task);
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    for name in DOCUMENTS {
        let document = task.document(name).unwrap();
        assert!(document.message.contains("output \"file\""), "{document:?}");
    }
    std::fs::remove_file(task.outputs_dir().join("n")).unwrap();
    let ended = binary::run(&mut task.sidecar(&outputs()));
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let document = task.document("error.pb").unwrap();
    assert!(document.message.contains("output \"n\""), "{document:?}");
}

/// Main has ended, so the restarted sidecar would wait for it in vain.
#[test]
fn a_second_run_that_sees_no_main_does_no_harm() {
    if !Requirement::Cgroups.is_met() {
        return;
    }
    let in_vain = |task: &Task| {
        let pod = Pod::create().unwrap();
        let mut command = pod.command("sidecar", binary::path()).unwrap();
        binary::isolate(&mut command);
        command
            .args(task.site.server.flags("data"))
            .args(task.sidecar_arguments(&outputs()))
            .args(["--logger.level=4", "--watcher=proc"])
            .args(["--main-container=nobody", "--main-start-timeout=300ms"]);
        let mut other = pod
            .command("other", std::path::Path::new("/bin/sh"))
            .unwrap();
        let _other = Running::start(other.args(["-c", "exec sleep 300"]));
        binary::run(&mut command)
    };
    let (task, committed) = committed();
    let ended = in_vain(&task);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    unharmed(&task, &committed);

    // It does not know other outputs than those in the directory.
    task.write_output("n", "2");
    let ended = in_vain(&task);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert_eq!(task.document("error.pb").unwrap().code, "MainNotStarted");
}
