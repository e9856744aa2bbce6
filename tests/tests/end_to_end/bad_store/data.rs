//! Data that changes or vanishes while it is transferred.

use std::fs::{self, OpenOptions};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::flags;
use copilot_tests::minio::{self, MINIO, Minio};
use copilot_tests::namespace;
use copilot_tests::requirement::Requirement;
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob, blob_type, interface};

use super::outlook::{PASSING, PLATFORM_PASSING, reported, unreported};

const MIB: usize = 1 << 20;

fn through(mut command: Command, proxy: &FaultProxy) -> Command {
    let endpoint = format!("endpoint={}", proxy.endpoint());
    command.args(["--storage.stow.config", &endpoint]);
    command
}

/// The object is replaced while its ranges are fetched; the server checks `If-Match`. The file is the new
/// object, whole.
#[test]
fn an_object_that_changes_while_it_is_read() {
    if !Requirement::Emulator(MINIO).is_met() {
        return;
    }
    let task = Task::start().unwrap();
    let server = std::sync::Arc::new(Minio::start().unwrap());
    task.put_inputs([("x", blob("s3://data/x", Single))]);
    let inputs = fs::read(task.site.server.file("data", "task/inputs.pb")).unwrap();
    server.put("task/inputs.pb", &inputs);
    server.put("x", &bytes(30 * MIB, 1));
    let (changed, writer) = (AtomicBool::new(false), std::sync::Arc::clone(&server));
    let proxy = FaultProxy::start(server.address(), move |seen| {
        let later = seen.line.starts_with("GET /data/x") && seen.head.contains("if-match");
        if later && !changed.swap(true, Ordering::Relaxed) {
            writer.put("x", &bytes(30 * MIB, 2));
        }
        Fault::None
    })
    .unwrap();
    let keys = (minio::ACCESS_KEY, minio::SECRET_KEY);
    let mut command = binary::command();
    command
        .args(flags::s3(&proxy.endpoint(), "data", keys))
        .args(task.download_arguments());
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(fs::read(task.inputs_dir().join("x")).unwrap() == bytes(30 * MIB, 2));
}

#[test]
fn an_object_that_goes_while_its_prefix_is_listed() {
    let task = Task::start().unwrap();
    for name in 0..40 {
        task.put(&format!("task/in/dir/{name:02}"), "content");
    }
    task.put_inputs([("dir", blob("s3://data/task/in/dir", Multipart))]);
    let gone = task.site.server.file("data", "task/in/dir/39");
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if seen.line.contains("/task/in/dir/") {
            let _ = fs::remove_file(&gone);
        }
        Fault::None
    })
    .unwrap();
    let says = [
        "input \"dir\"",
        "s3://data/task/in/dir/39",
        &proxy.endpoint(),
        "does not exist",
    ];
    reported(&task, &mut through(task.download(), &proxy), PASSING, &says);
}

/// Small files are read before they are sent, large ones part by part.
#[test]
fn a_file_that_shrinks_or_grows_while_it_goes_up() {
    for after in [10 * MIB, 21 * MIB] {
        let task = Task::start().unwrap();
        task.write_output("o", bytes(20 * MIB, 1));
        let file = task.outputs_dir().join("o");
        let path = file.display().to_string();
        let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
            if seen.line.contains("uploads") {
                let file = OpenOptions::new().write(true).open(&file).unwrap();
                file.set_len(after as u64).unwrap();
            }
            Fault::None
        })
        .unwrap();
        let sizes = [20 * MIB, after].map(|size| size.to_string());
        let sidecar = task.sidecar(&interface([("o", blob_type(Single))]));
        let says = [
            "output \"o\"",
            &path,
            &sizes[0],
            &sizes[1],
            "Write outputs before",
        ];
        reported(&task, &mut through(sidecar, &proxy), PASSING, &says);
        assert!(task.objects("task/raw").is_empty());
    }
}

/// A volume that is mounted read-only, so that even root cannot write to it.
#[test]
fn a_target_that_is_read_only() {
    const READ_ONLY: &str = r#"
mount -t tmpfs -o ro none "$0" || exit 125
exec "$@"
"#;
    if !Requirement::Mounts.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    task.put("task/in/x", "content");
    task.put_inputs([("x", blob("s3://data/task/in/x", Single))]);
    fs::create_dir(task.inputs_dir()).unwrap();
    let mut command = Command::new("unshare");
    binary::isolate(&mut command);
    command
        .args(namespace::unshare().unwrap())
        .args(["/bin/sh", "-c", READ_ONLY])
        .arg(task.inputs_dir())
        .arg(binary::path())
        .args(task.site.server.flags("data"))
        .args(task.download_arguments());
    let path = task.inputs_dir().display().to_string();
    let says = ["input \"x\"", &path, "Read-only file system", "permissions"];
    reported(&task, &mut command, PASSING, &says);
}

/// A port on which no server listens.
#[test]
fn a_store_that_does_not_exist() {
    let task = Task::start().unwrap();
    task.write_output("o", "content");
    let mut command = task.sidecar(&interface([("o", blob_type(Single))]));
    command.args(["--storage.stow.config", "endpoint=http://127.0.0.1:9"]);
    let says = [
        "s3://data/task/",
        "http://127.0.0.1:9",
        "Connection refused",
    ];
    unreported(&task, &mut command, PLATFORM_PASSING, &says);
}
