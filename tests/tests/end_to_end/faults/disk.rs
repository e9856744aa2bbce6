//! Disks that fail below main's outputs and inputs: bytes that cannot be read, a file system that turns
//! read-only, a quota, a volume without room.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use copilot::idl::TypedInterface;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary::{self, Ended};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::refused_call;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{DOCUMENTS, Task, blob, blob_type, interface};

use super::MIB;

/// Makes a file system in the file `$0` and mounts it at `$1`, runs the script `$2` there, and then the remaining
/// arguments as a command.
const ON_A_LOOP: &str = r#"
place=$1; script=$2; shift 2
truncate -s 64M "$0"
device=$(losetup --find --show "$0") || exit 125
trap 'umount "$place"; losetup -d "$device"' EXIT
mkfs.ext4 -q -m 0 -b 4096 -O ^has_journal "$device" || exit 125
mount "$device" "$place" || exit 125
eval "$script" || exit 125
"$@"
"#;

/// Runs this command with a file system of its own at `place`.
fn on_a_loop(task: &Task, place: &Path, script: &str, command: &Command) -> Ended {
    let mut wrapped = Command::new("unshare");
    binary::isolate(&mut wrapped);
    wrapped
        .args(["--mount", "/bin/sh", "-c", ON_A_LOOP])
        .arg(task.site.work("image"))
        .arg(place)
        .arg(script)
        .arg(command.get_program())
        .args(command.get_args());
    binary::run(&mut wrapped)
}

fn outputs() -> TypedInterface {
    interface([("large", blob_type(Single)), ("small", blob_type(Single))])
}

/// Nothing is committed, and the documents say why.
#[track_caller]
fn fails(task: &Task, ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let left = task.objects("task/out");
    assert_eq!(
        left.keys().collect::<Vec<_>>(),
        DOCUMENTS,
        "{}",
        ended.stderr
    );
    for word in words {
        assert!(
            ended.message().contains(word),
            "{word}: {}",
            ended.message()
        );
    }
    let unfinished = task.site.server.unfinished_uploads().unwrap();
    assert!(unfinished.is_empty(), "{unfinished:?}");
}

/// A sector of an output cannot be read (EIO): of a file that goes up in parts.
#[test]
fn an_output_that_cannot_be_read_is_an_error() {
    if !Requirement::LoopDevices.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    let script = r#"
echo small > "$place/small"
head -c 40M /dev/urandom > "$place/large"
umount "$place" && truncate -s 24M "$0" && mount "$device" "$place"
"#;
    let command = task.sidecar(&outputs());
    let ended = on_a_loop(&task, &task.outputs_dir(), script, &command);
    fails(
        &task,
        &ended,
        &["outputs/large cannot be read", "Input/output error"],
    );
}

/// The volume of the inputs turns read-only in the middle (EROFS), as a failing disk does.
#[test]
fn a_volume_that_turns_read_only_ends_a_download() {
    if !Requirement::LoopDevices.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    fs::create_dir(task.inputs_dir()).unwrap();
    for name in 0..20 {
        task.put(&format!("task/in/dir/{name:02}"), "content");
    }
    task.put_inputs([("dir", blob("s3://data/task/in/dir", Multipart))]);
    let (begun, gone) = (task.site.work("begun"), task.site.work("gone"));
    let (say, wait) = (begun.clone(), gone.clone());
    let proxy = FaultProxy::start(task.site.server.address(), move |seen| {
        if seen.line.ends_with("/dir/10") {
            fs::write(&say, "").unwrap();
            binary::wait_until("the volume is read-only", || wait.exists());
        }
        Fault::None
    })
    .unwrap();
    let script = format!(
        r#"(while ! test -e "{begun}"; do sleep 0.01; done
mount -o remount,abort "$place"; touch "{gone}") &"#,
        begun = begun.display(),
        gone = gone.display()
    );
    let mut command = task.download();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    command.args(["--storage.stow.config", &endpoint, "--max-connections", "1"]);
    let ended = on_a_loop(&task, &task.inputs_dir(), &script, &command);
    fails(&task, &ended, &["inputs/dir", "Read-only file system"]);
}

/// A volume of outputs that nobody can write (EROFS), or that is full (ENOSPC), has no journal. The outputs are
/// worth more.
#[test]
fn outputs_go_up_from_a_volume_that_cannot_be_written() {
    if !Requirement::LoopDevices.is_met() {
        return;
    }
    let tmpfs = r#"umount "$place" && mount -t tmpfs -o size=22M none "$place""#;
    for (first, last) in [
        ("", r#"mount -o remount,ro "$place""#),
        (tmpfs, r#"! cat /dev/zero > "$place/filler" 2>/dev/null"#),
    ] {
        let task = Task::start().unwrap();
        let script = format!(
            "{first}\necho small > \"$place/small\"\nhead -c 20M /dev/urandom > \"$place/large\"\n{last}"
        );
        let command = task.sidecar(&outputs());
        let ended = on_a_loop(&task, &task.outputs_dir(), &script, &command);
        assert_eq!(ended.code(), 0, "{last}: {}", ended.stderr);
        let objects = task.objects("task/raw");
        assert_eq!(objects["large"].len(), 20 * MIB);
        assert!(task.outputs().is_some());
        ended.assert_logged(&[".copilot-early cannot be written"]);
    }
}

/// A quota is reached (EDQUOT). This kernel has no quota that a test can set, so the call fails by a filter.
#[test]
fn a_quota_that_is_reached_is_an_error() {
    if !Requirement::Root.is_met() {
        return;
    }
    let task = Task::start().unwrap();
    task.put("task/in/file", "content");
    task.put_inputs([("file", blob("s3://data/task/in/file", Single))]);
    let mut command = task.download();
    let quota = refused_call::Refused::new(&[libc::SYS_pwrite64], libc::EDQUOT);
    // SAFETY: the filter is set up before the fork; the closure only makes two system calls.
    unsafe { command.pre_exec(move || quota.install()) };
    let ended = binary::run(&mut command);
    fails(&task, &ended, &["quota"]);
}
