//! In pods of real containers: the sidecar knows how main ended.

use std::fs;

use copilot::idl::TypedInterface;
use copilot::idl::blob_type::BlobDimensionality::Multipart;
use copilot_tests::binary::wait_until;
use copilot_tests::container::{Container, Pids};
use copilot_tests::fixture::{Outcome, TaskPod, VOLUME};
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{blob_type, files, interface};

fn is_possible() -> bool {
    Requirement::Containers.is_met() && Requirement::Bpf.is_met()
}

fn outputs() -> TypedInterface {
    interface([("tree", blob_type(Multipart))])
}

/// A pod whose main writes a file, waits until the test has seen it in the store, and continues.
fn play(task: &TaskPod, then: &str, options: &[&str]) -> Outcome {
    let sidecar = task.sidecar_for(&outputs()).unwrap();
    let sidecar = sidecar.argument("--upload-mode=UPLOAD_EAGER");
    let sidecar = sidecar
        .argument("--watcher=ebpf")
        .capabilities(&["BPF", "PERFMON"]);
    let add = |sidecar: copilot_tests::container::Spec, option: &&str| sidecar.argument(option);
    let sidecar = options.iter().fold(sidecar, add);
    let sidecar: Container<'_> = task.attach(&sidecar).unwrap();
    let main = format!(
        "mkdir /var/outputs/tree && echo early > /var/outputs/tree/early
         until test -e /var/outputs/go; do sleep 0.02; done
         {then}"
    );
    let main = task.pod.run(&task.main(&main).unwrap()).unwrap();
    wait_until("the file is up", || task.object("raw/tree/early").exists());
    fs::write(task.pod.volume(VOLUME).unwrap().join("go"), "").unwrap();
    main.wait().unwrap();
    task.outcome(&sidecar).unwrap()
}

#[test]
fn a_main_that_is_seen_to_end_finds_its_files_up() {
    if !is_possible() {
        return;
    }
    let task = TaskPod::start(Pids::Shared).unwrap();
    let outcome = play(&task, "echo late > /var/outputs/tree/late", &[]);
    assert_eq!(outcome.ended.code(), 0, "{}", outcome.ended.stderr);
    assert_eq!(outcome.timeline["objects_early"], 1, "{}", outcome.timeline);
    let found = files(&task.object("raw"));
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["tree/early", "tree/late"]);
}

#[test]
fn uploads_of_a_failed_main_are_deleted() {
    if !is_possible() {
        return;
    }
    let task = TaskPod::start(Pids::Shared).unwrap();
    let outcome = play(&task, "exit 3", &[]);
    assert!(outcome.error().is_some(), "{}", outcome.ended.stderr);
    assert_eq!(outcome.ended.code(), 1, "{}", outcome.ended.stderr);
    assert!(files(&task.object("raw")).is_empty());
}

#[test]
fn salvage_keeps_it() {
    if !is_possible() {
        return;
    }
    let task = TaskPod::start(Pids::Shared).unwrap();
    let then = "echo x > /var/outputs/scratch; exit 3";
    let outcome = play(&task, then, &["--on-main-failure=salvage"]);
    assert!(outcome.error().is_some(), "{}", outcome.ended.stderr);
    let found = files(&task.object("raw"));
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["go", "scratch", "tree/early"]);
}
