//! What goes wrong, on this machine: one run of the program each.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot::idl::{SimpleType, primitive};
use copilot_tests::binary::{self, Ended};
use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::task::{Task, blob, blob_type, interface, simple};
use copilot_tests::tls::{Authority, front};

/// A scenario and its name.
type Scenario = (&'static str, fn() -> Ended);

/// Every scenario, by the names that the page's comments have.
pub const SCENARIOS: &[Scenario] = &[
    ("busy_store", busy_store),
    ("json_inputs", json_inputs),
    ("json_interface", json_interface),
    ("marker_without_directory", marker_without_directory),
    ("missing_bucket", missing_bucket),
    ("missing_flags", missing_flags),
    ("missing_inputs", missing_inputs),
    ("missing_output", missing_output),
    ("no_access", no_access),
    ("old_document", old_document),
    ("own_words", own_words),
    ("too_large_for_the_volume", too_large_for_the_volume),
    ("two_files", two_files),
    ("unknown_authority", unknown_authority),
    ("unknown_flag", unknown_flag),
    ("unknown_watcher", unknown_watcher),
    ("unreachable", unreachable),
    ("wrong_clock", wrong_clock),
    ("wrong_secret", wrong_secret),
    ("wrong_value", wrong_value),
];

/// A task whose download and sidecar succeed: the integer `n` comes in and goes out.
fn task() -> Task {
    let task = Task::start().unwrap();
    task.put_inputs([("n", primitive::Value::Integer(1).into())]);
    task.write_output("n", "1");
    task
}

/// A task whose only input is a file.
fn of_a_file() -> Task {
    let task = Task::start().unwrap();
    task.put("task/in/x", vec![b'x'; 100_000]);
    task.put_inputs([("x", blob("s3://data/task/in/x", Single))]);
    task
}

/// The sidecar of a task with the integer `n`, with these words as well.
fn sidecar(task: &Task, words: &[&str]) -> Command {
    let mut command = task.sidecar(&interface([("n", simple(SimpleType::Integer))]));
    command.args(words);
    command
}

fn download(task: &Task, words: &[&str]) -> Ended {
    binary::run(task.download().args(words))
}

/// The download of a task, whose store answers so where `is_meant` says it.
fn refused(task: &Task, fault: Fault, is_meant: fn(&Seen) -> bool) -> Ended {
    let choose = move |seen: &Seen| {
        if is_meant(seen) {
            fault.clone()
        } else {
            Fault::None
        }
    };
    let proxy = FaultProxy::start(task.site.server.address(), choose).unwrap();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    download(task, &["--storage.stow.config", &endpoint])
}

fn reads_the_file(seen: &Seen) -> bool {
    seen.line == "GET /data/task/in/x"
}

fn missing_inputs() -> Ended {
    let task = task();
    fs::remove_file(task.site.server.file("data", "task/inputs.pb")).unwrap();
    download(&task, &[])
}

fn json_inputs() -> Ended {
    let task = task();
    task.put("task/inputs.pb", r#"{"n": 1}"#);
    download(&task, &[])
}

fn wrong_secret() -> Ended {
    download(&task(), &["--storage.stow.config", "secret_key=wrong"])
}

fn unreachable() -> Ended {
    download(
        &task(),
        &["--storage.stow.config", "endpoint=http://127.0.0.1:9"],
    )
}

fn no_access() -> Ended {
    refused(
        &of_a_file(),
        Fault::Refuse(403, "AccessDenied"),
        reads_the_file,
    )
}

fn wrong_clock() -> Ended {
    refused(
        &of_a_file(),
        Fault::Refuse(403, "RequestTimeTooSkewed"),
        reads_the_file,
    )
}

fn missing_bucket() -> Ended {
    let task = task();
    task.put_inputs([("x", blob("s3://elsewhere/x", Single))]);
    download(&task, &["--storage.enable-multicontainer"])
}

fn unknown_authority() -> Ended {
    let task = task();
    let config = Authority::new("stranger")
        .unwrap()
        .certify("localhost")
        .unwrap();
    let server = front(task.site.server.address(), config).unwrap();
    let endpoint = format!("endpoint=https://localhost:{}", server.address().port());
    download(&task, &["--storage.stow.config", &endpoint])
}

fn too_large_for_the_volume() -> Ended {
    download(&of_a_file(), &["--volume-size-limit", "64Ki"])
}

fn unknown_flag() -> Ended {
    download(&task(), &["--fromat", "JSON"])
}

fn missing_flags() -> Ended {
    binary::run(binary::command().arg("download"))
}

fn unknown_watcher() -> Ended {
    binary::run(&mut sidecar(&task(), &["--watcher", "ebfp"]))
}

fn json_interface() -> Ended {
    binary::run(&mut sidecar(
        &task(),
        &["--interface", r#"{"outputs": {}}"#],
    ))
}

fn marker_without_directory() -> Ended {
    let task = task();
    fs::remove_dir_all(task.outputs_dir()).unwrap();
    binary::run(&mut sidecar(&task, &["--watcher", "marker"]))
}

fn missing_output() -> Ended {
    let task = task();
    let outputs = task.outputs_dir();
    fs::rename(outputs.join("n"), outputs.join("N")).unwrap();
    binary::run(&mut sidecar(&task, &[]))
}

fn wrong_value() -> Ended {
    let task = task();
    task.write_output("n", "one");
    binary::run(&mut sidecar(&task, &[]))
}

fn two_files() -> Ended {
    let task = task();
    let outputs = task.outputs_dir();
    fs::rename(outputs.join("n"), outputs.join("n.txt")).unwrap();
    task.write_output("n.csv", "1");
    binary::run(&mut sidecar(&task, &[]))
}

fn own_words() -> Ended {
    let task = task();
    task.write_output("_ERROR", "no column x\n");
    binary::run(&mut sidecar(&task, &[]))
}

fn old_document() -> Ended {
    let task = task();
    task.put("task/out/error.pb", "\n\x05stale");
    let choose = |seen: &Seen| {
        if seen.line.starts_with("DELETE ") && seen.line.contains("/out/err") {
            Fault::Answer(403, "")
        } else {
            Fault::None
        }
    };
    let proxy = FaultProxy::start(task.site.server.address(), choose).unwrap();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    binary::run(&mut sidecar(&task, &["--storage.stow.config", &endpoint]))
}

/// The store is busy twice before it takes the file.
fn busy_store() -> Ended {
    let task = Task::start().unwrap();
    task.write_output("f", "data");
    let tries = AtomicU32::new(0);
    let choose = move |seen: &Seen| {
        let is_the_file = seen.line.starts_with("PUT /data/task/raw/");
        if is_the_file && tries.fetch_add(1, Ordering::Relaxed) < 2 {
            Fault::Refuse(503, "SlowDown")
        } else {
            Fault::None
        }
    };
    let proxy = FaultProxy::start(task.site.server.address(), choose).unwrap();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let mut command = task.sidecar(&interface([("f", blob_type(Single))]));
    binary::run(command.args(["--storage.stow.config", &endpoint]))
}
