//! The files of a download: for users with any uid, after repeated runs, after interrupted runs.

#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::primitive;
use copilot_tests::binary::{self, Ended, Running, wait_until};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::requirement::is_root;
use copilot_tests::site::bytes;
use copilot_tests::task::{DOCUMENTS, Task, blob, files};
use rustix::process::Signal;

const MIB: usize = 1 << 20;

/// How many bytes of the large blob are sent before its connection stalls.
const SOME_OF_IT: usize = 3 * MIB;

/// A stop ends a stalled download within this time: less than the 30 s after which a stall ends by itself,
/// and enough for a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A task with a value, a directory and a blob of several ranges.
fn task() -> Task {
    let task = Task::start().unwrap();
    task.put("task/in/large", bytes(20 * MIB, 1));
    task.put("task/in/dir/sub/file", "content");
    task.put_inputs([
        (
            "text",
            primitive::Value::StringValue("value".to_owned()).into(),
        ),
        ("dir", blob("s3://data/task/in/dir", Multipart)),
        ("large", blob("s3://data/task/in/large", Single)),
    ]);
    task
}

/// The names and contents that a finished download has, metadata among them.
fn is_complete(task: &Task) {
    let left = files(&task.inputs_dir());
    let names: Vec<&str> = left.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["dir/sub/file", "inputs.json", "inputs.pb", "large", "text"]
    );
    assert!(left["large"] == bytes(20 * MIB, 1));
    assert_eq!(left["dir/sub/file"], b"content");
    assert_eq!(left["text"], b"value");
}

/// A download that stalls in the middle, and the proxy that causes the stall.
fn stalled(task: &Task) -> (Running, FaultProxy) {
    let stalls = Arc::new(AtomicBool::new(false));
    let reached = Arc::clone(&stalls);
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if !seen.line.starts_with("GET /data/task/in/large") {
            return Fault::None;
        }
        reached.store(true, Ordering::Relaxed);
        Fault::StallAfter(SOME_OF_IT)
    })
    .unwrap();
    let mut command = task.download();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    command.args(["--storage.stow.config", &endpoint]);
    let run = Running::start(&mut command);
    wait_until("the large blob is half there", || {
        stalls.load(Ordering::Relaxed) && unfinished(task).is_some_and(|size| size > 0)
    });
    (run, proxy)
}

/// The size of the file that is being written, if there is one.
fn unfinished(task: &Task) -> Option<u64> {
    let mut entries = fs::read_dir(task.inputs_dir()).ok()?.filter_map(Result::ok);
    let found = entries.find(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(".copilot-partial")
    })?;
    Some(found.metadata().ok()?.len())
}

#[test]
fn a_second_run_over_finished_work() {
    let task = task();
    for _ in 0..2 {
        let ended = binary::run(&mut task.download());
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        is_complete(&task);
    }
    // The inputs are different now: no content of the old ones remains.
    task.put("task/in/dir/sub/file", "shorter");
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(files(&task.inputs_dir())["dir/sub/file"], b"shorter");
}

#[test]
fn a_second_run_over_the_work_of_one_that_was_killed() {
    let task = task();
    let (run, _proxy) = stalled(&task);
    run.signal(Signal::KILL);
    let ended = run.ended();
    assert_eq!(ended.status.code(), None);
    // No incomplete file has the name of an input, and no file says that the inputs are complete.
    assert!(unfinished(&task).is_some());
    for name in ["large", "inputs.pb", "inputs.json"] {
        assert!(!task.inputs_dir().join(name).exists(), "{name}");
    }
    let ended = binary::run(&mut task.download());
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    is_complete(&task);
}

/// The process is killed at a random moment.
#[test]
fn a_second_run_after_a_kill_at_any_moment() {
    for moment in [1, 3, 10, 20, 40, 80] {
        let task = task();
        let run = Running::start(&mut task.download());
        std::thread::sleep(Duration::from_millis(moment));
        run.signal(Signal::KILL);
        let _ = run.ended();
        let left = files(&task.inputs_dir());
        if let Some(large) = left.get("large") {
            assert!(*large == bytes(20 * MIB, 1), "{moment}");
        }
        let ended = binary::run(&mut task.download());
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        is_complete(&task);
    }
}

#[test]
fn a_signal_ends_a_download_at_once_and_is_reported() {
    for signal in [Signal::TERM, Signal::INT] {
        let task = task();
        let (run, _proxy) = stalled(&task);
        let begun = Instant::now();
        run.signal(signal);
        let ended = run.ended();
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        assert!(ended.message().contains("SIGTERM"), "{}", ended.stderr);
        is_reported(&task, &ended);
        // No incomplete files, and no file that says that the inputs are complete.
        let left = files(&task.inputs_dir());
        let names: Vec<&str> = left.keys().map(String::as_str).collect();
        assert!(
            names
                .iter()
                .all(|name| ["text", "dir/sub/file"].contains(name)),
            "{names:?}"
        );
    }
}

#[test]
fn a_deadline_ends_a_download_in_the_same_way() {
    let task = task();
    let proxy = FaultProxy::start(task.site.server.address(), |seen| {
        if seen.line.starts_with("GET /data/task/in/large") {
            return Fault::StallAfter(SOME_OF_IT);
        }
        Fault::None
    })
    .unwrap();
    let mut command = task.download();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    command.args(["--storage.stow.config", &endpoint, "--timeout", "500ms"]);
    let begun = Instant::now();
    let ended = binary::run(&mut command);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(ended.message().contains("--timeout"), "{}", ended.stderr);
    is_reported(&task, &ended);
    assert_eq!(unfinished(&task), None);
}

fn is_reported(task: &Task, ended: &Ended) {
    for name in DOCUMENTS {
        let document = task.document(name).unwrap();
        assert_eq!(document.code, "InputDownloadFailed");
        assert!(
            ended.message().ends_with(&document.message),
            "{}",
            document.message
        );
    }
}

/// A download under another umask.
fn under_umask(task: &Task, umask: &str) -> Ended {
    let mut command = Command::new("/bin/sh");
    binary::isolate(&mut command);
    command
        .args(["-c", r#"umask "$0" && exec "$@""#, umask])
        .arg(binary::path())
        .args(task.site.server.flags("data"))
        .args(task.download_arguments());
    binary::run(&mut command)
}

#[test]
fn files_are_readable_as_the_umask_allows() {
    for (umask, mask) in [("022", 0o022), ("077", 0o077), ("000", 0)] {
        let task = task();
        let ended = under_umask(&task, umask);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let mode = |path: &str| {
            let found = fs::metadata(task.inputs_dir().join(path)).unwrap();
            found.permissions().mode() & 0o7777
        };
        for file in ["text", "large", "dir/sub/file", "inputs.pb", "inputs.json"] {
            assert_eq!(mode(file), 0o666 & !mask, "{umask} {file}");
        }
        for directory in [".", "dir", "dir/sub"] {
            assert_eq!(mode(directory), 0o777 & !mask, "{umask} {directory}");
        }
        let is_readable = mask & 0o004 == 0;
        for file in ["text", "dir/sub/file", "inputs.json"] {
            let read = as_somebody_else(&task.inputs_dir().join(file));
            assert_eq!(read, is_readable, "{umask} {file}");
        }
    }
}

/// Whether an unprivileged user can read a file. Only root can become another user, so otherwise the
/// file's mode is checked.
fn as_somebody_else(path: &Path) -> bool {
    if is_root() {
        let mut command = binary::nobody();
        let read = command.arg("cat").arg(path).output().unwrap();
        return read.status.success() && read.stdout == fs::read(path).unwrap();
    }
    let above = path.ancestors().take(3);
    let mut modes = above.map(|path| fs::metadata(path).unwrap().permissions().mode());
    modes.all(|mode| mode & 0o004 != 0)
}

/// The reverse direction: files that main writes as another user are uploaded if we can read them.
#[test]
fn outputs_of_another_user_go_up() {
    let task = Task::start().unwrap();
    let everybody = fs::Permissions::from_mode(0o777);
    fs::set_permissions(task.outputs_dir(), everybody).unwrap();
    let script = r#"umask 022; mkdir "$0/o"; echo 1 > "$0/n"; echo x > "$0/o/x""#;
    let mut main = if is_root() {
        let mut main = binary::nobody();
        main.arg("/bin/sh");
        main
    } else {
        Command::new("/bin/sh")
    };
    let ended = binary::run(main.args(["-c", script]).arg(task.outputs_dir()));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let declared = copilot_tests::task::interface([
        (
            "n",
            copilot_tests::task::simple(copilot::idl::SimpleType::Integer),
        ),
        ("o", copilot_tests::task::blob_type(Multipart)),
    ]);
    let ended = binary::run(&mut task.sidecar(&declared));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(task.objects("task/raw")["o/x"], b"x\n");
}
