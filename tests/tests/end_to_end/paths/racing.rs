//! A main that never stops swapping: directories, files, links, pipes and removals, against downloads, streams,
//! and uploads at exit and while main runs. The sidecar may fail, with an error; it may never touch what is
//! outside.
//!
//! `COPILOT_SWAPS` is the number of swaps in all: few here, and many where somebody has time.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use copilot::beneath::{GuardedDirectory, Place};
use copilot::idl::SimpleType;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::binary::{PATIENCE, Running};
use copilot_tests::task::{Task, blob, blob_type, interface, simple};
use copilot_tests::values::{map, text};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use rustix::fs::{AtFlags, Mode, mkdirat, mkfifoat, renameat, symlinkat, unlinkat};
use rustix::process::Signal;

use super::Canary;

/// How many swaps there are by default, in all.
const SWAPS: u64 = 400;

/// What a stream or an eager upload gets to do its work, before main ends.
const LIFE: Duration = Duration::from_millis(150);

/// The longest pause between two swaps of one run: main is hasty in one run and calm in the next, so that runs come
/// to every point.
const PACES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(5),
    Duration::from_millis(20),
    Duration::from_millis(60),
    Duration::from_millis(200),
];

/// A way to run the program, and what is swapped meanwhile.
struct Scenario {
    name: &'static str,
    /// Beneath the volume.
    swapped: &'static [&'static str],
    command: fn(&Task) -> Command,
    /// Whether it runs until SIGTERM.
    stays: bool,
}

const INPUTS: [&str; 9] = [
    "inputs",
    "inputs/m",
    "inputs/m/tree",
    "inputs/m/passwd",
    "inputs/t",
    "inputs/t/deep",
    "inputs/t/deep/y",
    "inputs/inputs.pb",
    "inputs/v",
];

const OUTPUTS: [&str; 8] = [
    "outputs",
    "outputs/tree",
    "outputs/tree/deep",
    "outputs/tree/deep/y",
    "outputs/tree/passwd",
    "outputs/file",
    "outputs/value",
    "outputs/.copilot-early",
];

const SCENARIOS: [Scenario; 4] = [
    Scenario {
        name: "download",
        swapped: &INPUTS,
        command: download,
        stays: false,
    },
    Scenario {
        name: "stream",
        swapped: &INPUTS,
        command: |task| {
            let mut command = download(task);
            command.arg("--download-mode=DOWNLOAD_STREAM");
            command
        },
        stays: true,
    },
    Scenario {
        name: "upload at exit",
        swapped: &OUTPUTS,
        command: |task| sidecar(task, "--upload-mode=UPLOAD_ON_EXIT", "--watcher=noop"),
        stays: false,
    },
    Scenario {
        name: "eager upload",
        swapped: &OUTPUTS,
        command: |task| sidecar(task, "--upload-mode=UPLOAD_EAGER", "--watcher=signal"),
        stays: true,
    },
];

fn download(task: &Task) -> Command {
    let mut command = task.download();
    let inputs = task.site.work("volume/inputs");
    command.arg("--to-local-dir").arg(inputs);
    command
}

fn sidecar(task: &Task, mode: &str, watcher: &str) -> Command {
    let declared = interface([
        ("file", blob_type(Single)),
        ("tree", blob_type(Multipart)),
        ("value", simple(SimpleType::String)),
    ]);
    let mut command = task.sidecar(&declared);
    let outputs = task.site.work("volume/outputs");
    command.arg("--from-local-dir").arg(outputs);
    command.args([mode, watcher]);
    command
}

/// Inputs in the store, outputs in the volume, and the canary beside it.
fn stage() -> (Task, Canary) {
    let task = Task::start().unwrap();
    for key in ["x", "deep/y", "passwd"] {
        task.put(&format!("in/{key}"), "innocent");
    }
    let tree = blob("s3://data/in", Multipart);
    let file = blob("s3://data/in/passwd", Single);
    task.put_inputs([
        ("m", map([("passwd", file), ("tree", tree.clone())])),
        ("t", tree),
        ("v", text("value")),
    ]);
    let names = [
        "outputs/file",
        "outputs/value",
        "outputs/tree/passwd",
        "inputs/passwd",
        "tree/passwd",
        "tree/deep/y",
        "deep/y",
        "file",
        "value",
        "y",
        "m/passwd",
        "t/deep/y",
        "x",
        "_ERROR",
        "inputs.pb",
    ];
    let canary = Canary::at(&task.site.work("outside"), &names);
    fill(&task.site.work("volume"));
    (task, canary)
}

/// Makes the volume as it should be.
fn fill(volume: &Path) {
    let _ = fs::remove_dir_all(volume);
    fs::create_dir_all(volume.join("inputs")).unwrap();
    for name in ["file", "value", "tree/passwd", "tree/x", "tree/deep/y"] {
        let path = volume.join("outputs").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "innocent").unwrap();
    }
}

/// Main.
struct Swapper {
    volume: Arc<GuardedDirectory>,
    outside: PathBuf,
    random: SmallRng,
    /// The index of the pace.
    pace: Arc<AtomicUsize>,
}

impl Swapper {
    /// Puts a trap in the place of something, and mostly puts that back after a moment. What the program has
    /// changed meanwhile does not matter.
    fn swap(&mut self, path: &str) {
        // Main is careful as well: else it would fall into its own traps.
        let Ok((parent, name)) = self.volume.parent(Path::new(path), false) else {
            return;
        };
        let parent = parent.as_fd();
        let spare = OsStr::new(".spare");
        let _ = renameat(parent, &*name, parent, spare);
        let below = Path::new(path)
            .strip_prefix("inputs")
            .unwrap_or(Path::new(path));
        let below = below.strip_prefix("outputs").unwrap_or(below);
        let _ = match self.random.random_range(0..5) {
            0 => symlinkat(&self.outside, parent, &*name),
            1 => symlinkat(self.outside.join(below), parent, &*name),
            2 => symlinkat(self.outside.join("passwd"), parent, &*name),
            3 => mkfifoat(parent, &*name, Mode::from_raw_mode(0o666)),
            _ => mkdirat(parent, &*name, Mode::from_raw_mode(0o777)),
        };
        self.pause();
        if self.random.random_range(0..8) > 0 {
            let _ = unlinkat(parent, &*name, AtFlags::empty());
            let _ = unlinkat(parent, &*name, AtFlags::REMOVEDIR);
            let _ = renameat(parent, spare, parent, &*name);
        }
        let _ = Place::new(&self.volume, Path::new(path).with_file_name(".spare")).remove();
        let pace = PACES[self.pace.load(Ordering::Relaxed) % PACES.len()];
        thread::sleep(pace.mul_f64(self.random.random()));
    }

    /// From nothing to some milliseconds: sleeping would take longer than most of these.
    fn pause(&mut self) {
        let time = Duration::from_micros(self.random.random_range(0..64) * 40);
        let begun = Instant::now();
        while begun.elapsed() < time {
            std::hint::spin_loop();
        }
    }
}

/// Runs a scenario until main has swapped often enough. Returns how many runs were good and how many failed.
fn race(scenario: &Scenario, swaps: u64, seed: u64) -> (u32, u32) {
    let (task, canary) = stage();
    let volume = task.site.work("volume");
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let pace = Arc::new(AtomicUsize::new(0));
    let (mut good, mut failed) = (0, 0);
    thread::scope(|scope| {
        let _stopping = Stopping(&stop);
        for number in 0..2 {
            let outside = canary.root.clone();
            let (volume, stop, done) = (volume.clone(), &stop, &done);
            let pace = Arc::clone(&pace);
            scope.spawn(move || {
                let mut swapper = Swapper {
                    volume: Arc::new(GuardedDirectory::open(&volume).unwrap()),
                    outside,
                    random: SmallRng::seed_from_u64(seed + number),
                    pace,
                };
                while !stop.load(Ordering::Relaxed) {
                    let index = swapper.random.random_range(0..scenario.swapped.len());
                    swapper.swap(scenario.swapped[index]);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let begun = Instant::now();
        let is_enough = |runs| done.load(Ordering::Relaxed) >= swaps && runs >= PACES.len();
        while !is_enough(pace.load(Ordering::Relaxed)) {
            assert!(begun.elapsed() < PATIENCE * 5, "{}", scenario.name);
            let running = Running::start(&mut (scenario.command)(&task));
            if scenario.stays {
                thread::sleep(LIFE);
                running.signal(Signal::TERM);
            }
            let ended = running.ended();
            match ended.code() {
                0 => good += 1,
                // Nothing worse than an error that says why.
                1 | 2 => failed += 1,
                code => panic!("{}: {code}: {}", scenario.name, ended.stderr),
            }
            canary.assert_untouched(&task, &[]);
            pace.fetch_add(1, Ordering::Relaxed);
            // What main has broken for good would end the race.
            refill(&volume, scenario.name);
        }
    });
    // Without traps all is well.
    fill(&volume);
    let running = Running::start(&mut (scenario.command)(&task));
    if scenario.stays {
        thread::sleep(LIFE * 10);
        running.signal(Signal::TERM);
    }
    let ended = running.ended();
    assert_eq!(ended.code(), 0, "{}: {}", scenario.name, ended.stderr);
    canary.assert_untouched(&task, &[&volume]);
    println!(
        "{}: {good} good runs, {failed} refusals, {done:?} swaps",
        scenario.name
    );
    (good, failed)
}

/// Restores what is missing, as a main that writes on; errors are a part of the race.
fn refill(volume: &Path, scenario: &str) {
    let guarded = Arc::new(GuardedDirectory::open(volume).unwrap());
    let names: &[&str] = if scenario.contains("upload") {
        &[
            "outputs/file",
            "outputs/value",
            "outputs/tree/passwd",
            "outputs/tree/deep/y",
        ]
    } else {
        &["inputs/keep"]
    };
    for name in names {
        let place = Place::new(&guarded, name);
        let _ = copilot::transfer::write_file(&place, |out| {
            use std::io::Write as _;
            out.write_all(b"innocent")
        });
    }
}

/// Stops the swapping when dropped, also when the test fails.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn nothing_outside_is_touched_however_main_swaps() {
    let asked = std::env::var("COPILOT_SWAPS").ok();
    let swaps: u64 = asked.map_or(SWAPS, |asked| asked.parse().unwrap());
    let share = swaps.div_ceil(SCENARIOS.len() as u64);
    let mut refused = 0;
    for (seed, scenario) in SCENARIOS.iter().enumerate() {
        let (_, failed) = race(scenario, share, seed as u64 * 10);
        refused += failed;
    }
    // Else nothing was raced.
    assert!(refused > 0);
}
