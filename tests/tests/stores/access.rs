//! A pod whose containers run as different users: with a group in common (a pod's `fsGroup`) data
//! passes from one to the other; without, the message says what is missing.

#![cfg(test)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{SimpleType, TypedInterface, literal_type::Type, primitive};
use copilot_tests::binary;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{Task, blob, blob_type, interface, simple};

/// Whom main runs as, and whom ours.
const MAIN: u32 = 1000;
const OURS: u32 = 1001;

/// The pod's `fsGroup`.
const SHARED: u32 = 2000;

/// Makes a volume as kubelet makes one with an `fsGroup`: what is made in it has that group.
fn volume(path: &Path) {
    fs::create_dir_all(path).unwrap();
    chown(path, Some(0), Some(SHARED)).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o2775)).unwrap();
}

/// A task whose main left its outputs for its group only.
fn task() -> Task {
    let task = Task::start().unwrap();
    volume(&task.outputs_dir());
    let script = r#"umask 027; cd "$0"; echo 1 > n; mkdir o; echo x > o/x; echo y > file"#;
    let mut main = binary::becoming(MAIN, &[SHARED]);
    main.args(["/bin/sh", "-c", script]).arg(task.outputs_dir());
    let ended = binary::run(&mut main);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let mode = |name: &str| {
        let found = fs::metadata(task.outputs_dir().join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    assert_eq!((mode("n"), mode("o"), mode("o/x")), (0o640, 0o750, 0o640));
    task
}

fn sidecar(task: &Task, groups: &[u32], declared: &TypedInterface) -> Command {
    let mut command = binary::as_user(&task.site.work("copilot"), OURS, groups);
    command
        .args(task.site.server.flags("data"))
        .args(task.sidecar_arguments(declared))
        .arg("--watcher=noop");
    command
}

#[test]
fn a_shared_group_lets_outputs_through() {
    if !Requirement::Root.is_met() {
        return;
    }
    let task = task();
    let all = interface([
        ("n", simple(SimpleType::Integer)),
        ("o", blob_type(Multipart)),
        ("file", blob_type(Single)),
    ]);
    let ended = binary::run(&mut sidecar(&task, &[SHARED], &all));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(task.objects("task/raw")["o/x"], b"x\n");
    assert_eq!(task.outputs().unwrap().literals.len(), 3);
}

#[test]
fn without_it_the_message_names_mode_and_fs_group() {
    if !Requirement::Root.is_met() {
        return;
    }
    let table: [(&str, Type, &str); 3] = [
        ("n", simple(SimpleType::Integer), "its mode is 0640"),
        ("file", blob_type(Single), "its mode is 0640"),
        ("o", blob_type(Multipart), "its mode is 2750"),
    ];
    for (name, declared, mode) in table {
        let task = task();
        let ended = binary::run(&mut sidecar(&task, &[], &interface([(name, declared)])));
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        let document = task.document("error.pb").unwrap();
        let path = task.outputs_dir().join(name).display().to_string();
        for part in [
            &*format!("output \"{name}\""),
            &path,
            "Permission denied",
            mode,
            "its user 1000, its group 2000",
            "we are user 1001, group 1001",
            "fsGroup",
        ] {
            assert!(
                document.message.contains(part),
                "{part}: {}",
                document.message
            );
        }
        assert_eq!(task.outputs(), None);
    }
}

/// The reverse direction: inputs are readable for main's user, if the umask allows it.
#[test]
fn a_shared_group_lets_inputs_through() {
    if !Requirement::Root.is_met() {
        return;
    }
    for (umask, groups, may) in [
        ("022", &[][..], true),
        ("027", &[SHARED][..], true),
        ("027", &[][..], false),
    ] {
        let task = Task::start().unwrap();
        volume(&task.inputs_dir());
        task.put("task/in/dir/x", "x");
        task.put_inputs([
            ("n", primitive::Value::Integer(1).into()),
            ("dir", blob("s3://data/task/in/dir", Multipart)),
        ]);
        let mut download = binary::becoming(OURS, &[SHARED]);
        let copy = task.site.work("copilot");
        binary::place(&binary::path(), &copy).unwrap();
        download
            .args(["/bin/sh", "-c", r#"umask "$0" && exec "$@""#, umask])
            .arg(copy)
            .args(task.site.server.flags("data"))
            .args(task.download_arguments());
        let ended = binary::run(&mut download);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        for name in ["n", "dir/x", "inputs.json", "inputs.pb"] {
            let mut main = binary::becoming(MAIN, groups);
            let path = task.inputs_dir().join(name);
            let ended = binary::run(main.arg("/bin/cat").arg(&path));
            assert_eq!(ended.status.success(), may, "{umask} {groups:?} {name}");
        }
    }
}
