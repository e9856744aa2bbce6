//! Pipes, devices and huge files under the names of our own files: nothing blocks, and nothing is read whole.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

use copilot::idl::SimpleType;
use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot_tests::binary::{self, Running, wait_until};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::requirement::is_root;
use copilot_tests::task::{INPUTS, Task, blob, interface, simple};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;

/// What main makes in the place of a file of ours: its name, and what makes it.
type Trap = (&'static str, fn(&Path));

const TRAPS: [Trap; 4] = [
    ("a pipe", |path| {
        mkfifoat(CWD, path, Mode::from_raw_mode(0o666)).unwrap();
    }),
    ("a huge file", |path| {
        fs::File::create(path).unwrap().set_len(3 << 30).unwrap();
    }),
    ("an endless device", |path| {
        symlink("/dev/zero", path).unwrap();
    }),
    ("a directory", |path| {
        fs::create_dir_all(path.join("deep")).unwrap();
    }),
];

fn stream(task: &Task, endpoint: &str) -> Running {
    let mut command = binary::command();
    command
        .args(task.site.server.flags_through(endpoint, "data"))
        .args(task.download_arguments())
        .args(["--download-mode", "DOWNLOAD_STREAM"]);
    Running::start(&mut command)
}

/// The peak of a process's resident memory, in KiB.
fn peak(running: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}

#[test]
fn a_stream_is_not_held_up() {
    for name in ["_EOS", "_ERROR", ".copilot-stream", ".copilot-begun", "z"] {
        for (trap, set) in TRAPS {
            let task = Task::start().unwrap();
            task.put("in/last", "last");
            task.put_inputs([("z", blob("s3://data/in/last", Single))]);
            let inputs = task.inputs_dir();
            fs::create_dir(&inputs).unwrap();
            set(&inputs.join(name));
            let running = stream(&task, &task.site.server.endpoint);
            let is_done = || {
                let found = fs::symlink_metadata(inputs.join("_EOS"));
                let is_ours = |found: fs::Metadata| found.is_file() && found.len() < 1000;
                found.is_ok_and(is_ours)
            };
            wait_until(&format!("{trap} at {name}"), is_done);
            assert_eq!(fs::read(inputs.join("z")).unwrap(), b"last");
            let peak = peak(&running);
            assert!(peak < 128 << 10, "{trap} at {name}: {peak} KiB");
            running.signal(Signal::TERM);
            assert_eq!(running.ended().code(), 0, "{trap} at {name}");
        }
    }
}

#[test]
fn metadata_of_an_earlier_run_that_is_a_trap_is_replaced() {
    for (trap, set) in &TRAPS[..3] {
        let task = Task::start().unwrap();
        task.put_inputs([("n", copilot_tests::values::integer(1))]);
        fs::create_dir(task.inputs_dir()).unwrap();
        set(&task.inputs_dir().join("inputs.pb"));
        let ended = binary::run(&mut task.download());
        assert_eq!(ended.code(), 0, "{trap}: {}", ended.stderr);
        let found = fs::symlink_metadata(task.inputs_dir().join("inputs.pb")).unwrap();
        assert!(found.is_file() && found.len() < 1000, "{trap}");
    }
}

/// `_EOS` counts only if we have written it: main cannot keep its inputs from the next life.
#[test]
fn a_marker_of_another_user_does_not_count() {
    if !is_root() {
        return;
    }
    let task = Task::start().unwrap();
    task.put("in/last", "last");
    task.put_inputs([("z", blob("s3://data/in/last", Single))]);
    fs::create_dir(task.inputs_dir()).unwrap();
    let marker = task.inputs_dir().join("_EOS");
    fs::write(&marker, format!("{INPUTS}\n")).unwrap();
    chown(&marker, Some(65_534), Some(65_534)).unwrap();
    let proxy = FaultProxy::start(task.site.server.address(), |_| Fault::None).unwrap();
    let running = stream(&task, &proxy.endpoint());
    wait_until("the data", || task.inputs_dir().join("z").exists());
    running.signal(Signal::TERM);
    let ended = running.ended();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended.assert_logged(&["this is not what we have written", "owner is user 65534"]);
}

#[test]
fn a_sidecar_is_not_held_up() {
    let declared = interface([
        ("file", copilot_tests::task::blob_type(Single)),
        ("value", simple(SimpleType::String)),
    ]);
    for mode in ["UPLOAD_ON_EXIT", "UPLOAD_EAGER"] {
        for name in ["file", "value", "_ERROR", ".copilot-early"] {
            for (trap, set) in &TRAPS[..3] {
                // A file of three GiB may be an output, and our own file outside is never reached.
                if name == "file" && *trap == "a huge file" {
                    continue;
                }
                let task = Task::start().unwrap();
                for output in ["file", "value"] {
                    if output != name {
                        task.write_output(output, "good");
                    }
                }
                set(&task.outputs_dir().join(name));
                let log = task.site.work("termination-log");
                let mut command = task.sidecar(&declared);
                command.arg(format!("--upload-mode={mode}"));
                command.arg("--termination-log").arg(&log);
                set(&log);
                let ended = binary::run(&mut command);
                let is_ours = name == ".copilot-early";
                let what = format!("{trap} at {name}, {mode}: {}", ended.stderr);
                assert_eq!(ended.code(), i32::from(!is_ours), "{what}");
                if !is_ours && *trap != "a huge file" {
                    ended.assert_logged(&["cannot write the termination message"]);
                }
            }
        }
    }
}
