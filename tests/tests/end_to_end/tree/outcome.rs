//! One outcome below a prefix: runs over an earlier run's files, and failures that nobody takes for a success.

use std::fs;

use copilot_tests::binary::{self, Running};
use copilot_tests::fault::Fault;
use copilot_tests::task::Task;
use rustix::process::Signal;

use super::{PREFIX, document, down, fail, files_in_store, listed, proxy, succeed, through, up};

/// A task whose files `old` and `both` are committed.
fn committed() -> Task {
    let task = Task::start().unwrap();
    task.write_output("old", "1");
    task.write_output("both", "1");
    succeed(&mut up(&task));
    assert_eq!(
        listed(&document(&task, "manifest.json").unwrap()),
        ["both", "old"]
    );
    task
}

/// The same; main has now left `both` and `new`.
fn rewritten() -> Task {
    let task = committed();
    fs::remove_file(task.outputs_dir().join("old")).unwrap();
    task.write_output("both", "2");
    task.write_output("new", "2");
    task
}

#[test]
fn a_failed_run_leaves_no_manifest_of_an_earlier_one() {
    let task = rewritten();
    let refusing = proxy(&task, |seen| match seen.line.as_str() {
        "PUT /data/run/new" => Fault::Answer(403, ""),
        _ => Fault::None,
    });
    let ended = fail(&mut through(up(&task), &refusing), &["access denied"]);
    ended.assert_logged(&["deleted: an earlier run has written it"]);
    assert_eq!(document(&task, "manifest.json"), None);
    assert_eq!(
        document(&task, "failure.json").unwrap()["outcome"],
        "failed"
    );
    fail(
        &mut down(&task, PREFIX),
        &["failure.json says", "OutputUploadFailed"],
    );

    // The next success has the last word, and its manifest lists its own files only.
    succeed(&mut up(&task));
    assert_eq!(document(&task, "failure.json"), None);
    assert_eq!(
        listed(&document(&task, "manifest.json").unwrap()),
        ["both", "new"]
    );
}

#[test]
fn the_manifest_goes_before_the_first_file_does() {
    let task = rewritten();
    let proxy = proxy(&task, |_| Fault::None);
    succeed(&mut through(up(&task), &proxy));
    let changes = proxy.seen().into_iter().map(|seen| seen.line);
    let mut changes = changes.filter(|line| !line.starts_with("GET") && !line.starts_with("HEAD"));
    assert_eq!(
        changes.next().as_deref(),
        Some("DELETE /data/run/manifest.json")
    );
    assert_eq!(
        changes.next_back().as_deref(),
        Some("PUT /data/run/manifest.json")
    );
}

#[test]
fn a_manifest_that_cannot_be_deleted_stops_the_run() {
    let task = rewritten();
    let before = files_in_store(&task);
    let keeping = proxy(&task, |seen| match seen.line.split(' ').next() {
        Some("DELETE") => Fault::Answer(403, ""),
        _ => Fault::None,
    });
    let words = [
        "manifest.json",
        "cannot be deleted",
        "s3:DeleteObject",
        "says nothing about this one",
    ];
    fail(&mut through(up(&task), &keeping), &words);
    assert_eq!(files_in_store(&task), before);
    // Who reads both is told of the failure.
    assert!(document(&task, "manifest.json").is_some());
    fail(&mut down(&task, PREFIX), &["failure.json says"]);
}

#[test]
fn a_failure_that_cannot_be_written_has_a_code_of_its_own() {
    let task = Task::start().unwrap();
    task.write_output("_ERROR", "broken");
    let closed = proxy(&task, |seen| match seen.line.split(' ').next() {
        Some("PUT") => Fault::Answer(403, ""),
        _ => Fault::None,
    });
    let ended = binary::run(&mut through(up(&task), &closed));
    assert_eq!(ended.code(), 3, "{}", ended.stderr);
    assert!(
        ended
            .message()
            .contains("failure.json could not be written"),
        "{}",
        ended.stderr
    );
    let ended = binary::run(up(&task).arg("--exit-code=0"));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(document(&task, "failure.json").is_some());
}

#[test]
fn a_second_life_leaves_what_is_committed_alone() {
    let task = committed();
    let manifest = task.objects("run")["manifest.json"].clone();
    succeed(&mut up(&task)).assert_logged(&["nothing is left to do"]);
    assert_eq!(task.objects("run")["manifest.json"], manifest);
    // Any difference is a reason to upload: in a file, in the store, in the list.
    task.write_output("old", "3");
    succeed(&mut up(&task));
    assert_eq!(files_in_store(&task)["old"], b"3");
    task.put("run/old", "4");
    succeed(&mut up(&task));
    assert_eq!(files_in_store(&task)["old"], b"3");
    task.write_output("more", "5");
    succeed(&mut up(&task));
    let lines = listed(&document(&task, "manifest.json").unwrap()).join(" ");
    assert_eq!(lines, "both more old");
}

/// SIGTERM alone says that main is over, and not how it ended.
#[test]
fn an_end_that_nobody_saw_needs_the_programs_word() {
    let task = committed();
    let stopped = |task: &Task| {
        let mut command = up(task);
        command.args(["--watcher=signal", "--logger.level=4"]);
        let mut sidecar = Running::start(&mut command);
        sidecar.watches();
        sidecar.signal(Signal::TERM);
        sidecar.ended()
    };
    task.write_output("old", "2");
    let ended = stopped(&task);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    for words in ["nothing shows that", "_SUCCESS", "BPF and PERFMON"] {
        assert!(ended.message().contains(words), "{}", ended.stderr);
    }
    let failure = document(&task, "failure.json").unwrap();
    assert_eq!(failure["error"]["code"], "MainStatusUnknown");
    assert_eq!(failure["main"]["watcher"], "signal");
    assert_eq!(document(&task, "manifest.json"), None);
    assert_eq!(files_in_store(&task)["old"], b"1");

    task.write_output("_SUCCESS", "");
    let ended = stopped(&task);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let manifest = document(&task, "manifest.json").unwrap();
    assert_eq!(listed(&manifest), ["_SUCCESS", "both", "old"]);
    assert_eq!(document(&task, "failure.json"), None);
}
