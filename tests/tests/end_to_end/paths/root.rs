//! Main owns the directory above its outputs, and puts something else in their place.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{SimpleType, TypedInterface};
use copilot_tests::binary::{self, Ended, Running};
use copilot_tests::namespace::unshare;
use copilot_tests::task::{Task, blob_type, interface, simple};
use rustix::process::Signal;

use super::Canary;

fn declared() -> TypedInterface {
    interface([
        ("file", blob_type(Single)),
        ("tree", blob_type(Multipart)),
        ("value", simple(SimpleType::String)),
    ])
}

/// The names of outputs, and of the file in which main reports an error.
const NAMES: [&str; 4] = ["file", "tree/x", "value", "_ERROR"];

/// Writes good outputs.
fn fill(directory: &Path) {
    for name in &NAMES[..3] {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "good").unwrap();
    }
}

/// A task whose outputs are in `volume/outputs`, beside a canary.
fn stage() -> (Task, Canary) {
    let task = Task::start().unwrap();
    let names: Vec<String> = ["", "outputs/"]
        .iter()
        .flat_map(|above| NAMES.map(|name| format!("{above}{name}")))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let canary = Canary::at(&task.site.work("outside"), &names);
    fs::create_dir(task.site.work("volume")).unwrap();
    // A directory that is made from now on is younger, by the kernel's clock.
    sleep(Duration::from_millis(30));
    (task, canary)
}

fn arguments(task: &Task, mode: &str, watcher: &str) -> Vec<String> {
    let outputs = task.site.work("volume/outputs").display().to_string();
    let times = task.site.work("volume/times/times.json");
    let mut arguments = task.site.server.flags("data");
    arguments.extend(task.sidecar_arguments(&declared()));
    for more in ["--watcher", watcher, "--from-local-dir", &outputs] {
        arguments.push(more.to_owned());
    }
    arguments.push(format!("--upload-mode={mode}"));
    arguments.push(format!("--timeline={}", times.display()));
    arguments
}

/// Runs a sidecar; `act` is what main does while it runs.
fn play(task: &Task, mode: &str, act: impl FnOnce()) -> Ended {
    let mut running = Running::start(binary::command().args(arguments(task, mode, "signal")));
    running.watches();
    act();
    running.signal(Signal::TERM);
    running.ended()
}

#[test]
fn nothing_that_main_puts_in_its_place_is_read() {
    type Attack = fn(&Path, &Path);
    let attacks: [(&str, &str, Attack); 5] = [
        ("a link", "a link is in its place", |volume, outside| {
            fs::rename(volume.join("outputs"), volume.join("gone")).unwrap();
            symlink(outside, volume.join("outputs")).unwrap();
        }),
        ("a link above", "a directory above it", |volume, outside| {
            fs::rename(volume, volume.with_file_name("gone")).unwrap();
            symlink(outside, volume).unwrap();
        }),
        ("another directory", "existed before", |volume, outside| {
            fs::rename(volume.join("outputs"), volume.join("gone")).unwrap();
            fs::rename(outside, volume.join("outputs")).unwrap();
        }),
        ("a pipe", "Not a directory", |volume, _| {
            fs::remove_dir_all(volume.join("outputs")).unwrap();
            let mode = rustix::fs::Mode::from_raw_mode(0o666);
            rustix::fs::mkfifoat(rustix::fs::CWD, volume.join("outputs"), mode).unwrap();
        }),
        ("nothing", "No such file", |volume, _| {
            fs::remove_dir_all(volume.join("outputs")).unwrap();
        }),
    ];
    for mode in ["UPLOAD_ON_EXIT", "UPLOAD_EAGER"] {
        for (what, reason, attack) in &attacks {
            let (task, canary) = stage();
            let volume = task.site.work("volume");
            fill(&volume.join("outputs"));
            let ended = play(&task, mode, || attack(&volume, &canary.root));
            assert_eq!(ended.code(), 1, "{what}, {mode}: {}", ended.stderr);
            let message = ended.message();
            assert!(message.contains(reason), "{what}, {mode}: {message}");
            assert!(message.contains("--from-local-dir"), "{message}");
            assert!(task.outputs().is_none(), "{what}, {mode}");
            assert!(task.document("error.pb").is_some(), "{what}, {mode}");
            if *what == "another directory" {
                fs::rename(volume.join("outputs"), &canary.root).unwrap();
            }
            canary.assert_untouched(&task, &[]);
        }
    }
}

#[test]
fn a_directory_that_is_missing_at_first_is_never_found_through_a_link() {
    for link in ["outputs", ""] {
        let (task, canary) = stage();
        let volume = task.site.work("volume");
        let ended = play(&task, "UPLOAD_EAGER", || {
            let place = volume.join(link);
            if link.is_empty() {
                fs::remove_dir(&volume).unwrap();
            }
            symlink(&canary.root, place.components().as_path()).unwrap();
            sleep(Duration::from_millis(600));
        });
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        assert!(
            ended.message().contains("Others can change"),
            "{}",
            ended.stderr
        );
        assert!(task.outputs().is_none());
        canary.assert_untouched(&task, &[]);
    }
}

/// At the start of a second life it may be a link already.
#[test]
fn a_link_is_refused_from_the_start() {
    let (task, canary) = stage();
    symlink(&canary.root, task.site.work("volume/outputs")).unwrap();
    for watcher in ["noop", "marker"] {
        let arguments = arguments(&task, "UPLOAD_EAGER", watcher);
        let ended = binary::run(binary::command().args(arguments));
        assert_ne!(ended.code(), 0, "{}", ended.stderr);
        assert!(ended.message().contains("a link"), "{}", ended.stderr);
        assert!(task.outputs().is_none());
    }
    canary.assert_untouched(&task, &[]);
}

/// Removes a directory in which the sidecar may begin a file at the same time.
fn remove(directory: &Path) {
    while let Err(error) = fs::remove_dir_all(directory) {
        assert_eq!(error.kind(), ErrorKind::DirectoryNotEmpty, "{error}");
    }
}

#[test]
fn main_may_make_its_directory_or_make_it_anew() {
    for existed in [false, true] {
        for mode in ["UPLOAD_ON_EXIT", "UPLOAD_EAGER"] {
            let (task, canary) = stage();
            let outputs = task.site.work("volume/outputs");
            if existed {
                fill(&outputs);
            }
            let ended = play(&task, mode, || {
                if existed {
                    remove(&outputs);
                }
                fill(&outputs);
            });
            assert_eq!(ended.code(), 0, "{existed}, {mode}: {}", ended.stderr);
            assert!(task.outputs().is_some());
            assert!(task.site.work("volume/times/times.json").is_file());
            canary.assert_untouched(&task, &[]);
        }
    }
}

/// Another volume is mounted over it while the sidecar runs.
#[test]
fn another_mount_in_its_place_is_refused() {
    let Some(options) = unshare() else {
        return;
    };
    let (task, canary) = stage();
    let outputs = task.site.work("volume/outputs");
    fill(&outputs);
    let mut quoted = vec![binary::path().display().to_string()];
    quoted.extend(arguments(&task, "UPLOAD_ON_EXIT", "signal"));
    let quoted: Vec<String> = quoted.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "{} & sidecar=$!
         until grep -q ready /proc/$sidecar/comm; do sleep 0.02; done
         mount --bind '{}' '{}' && kill -TERM $sidecar; wait $sidecar",
        quoted.join(" "),
        canary.root.display(),
        outputs.display()
    );
    let mut command = Command::new("unshare");
    binary::isolate(&mut command);
    command.args(options).args(["sh", "-c", &script]);
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    assert!(
        ended.message().contains("another mount"),
        "{}",
        ended.stderr
    );
    assert!(task.outputs().is_none());
    canary.assert_untouched(&task, &[]);
}

/// Its directory is swapped for a link while main runs.
#[test]
fn the_timeline_is_not_written_elsewhere() {
    let (task, canary) = stage();
    let volume = task.site.work("volume");
    fill(&volume.join("outputs"));
    fs::create_dir(volume.join("times")).unwrap();
    let ended = play(&task, "UPLOAD_ON_EXIT", || {
        fs::remove_dir(volume.join("times")).unwrap();
        symlink(&canary.root, volume.join("times")).unwrap();
    });
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended.assert_logged(&["cannot write the timeline", "a link is in its place"]);
    canary.assert_untouched(&task, &[]);
}
