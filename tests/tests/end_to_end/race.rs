//! Main changes its output directory while the sidecar, which has more rights, reads it: nothing from
//! outside of it ever reaches the store.

#![cfg(test)]

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use copilot::beneath::SharedDirectory;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{SimpleType, VariableMap};
use copilot::literal::output::OutputOptions;
use copilot::report::Timeline;
use copilot::store::Reference;
use copilot::track::Timestamp;
use copilot::transfer::Stop;
use copilot::upload::{self, Outputs, UploadMode};
use copilot_tests::binary::PATIENCE;
use copilot_tests::task::{OUTPUTS, RAW, Task, blob_type, interface, simple};
use rustix::fs::{Mode, OFlags, RenameFlags, renameat_with};

/// The content outside of the directory, which must not be uploaded.
const SECRET: &str = "secret";

/// How long the two race; longer where one of them has had no luck by then.
const RACE: Duration = Duration::from_secs(4);

/// A file or directory, and a link out of the output directory that replaces it again and again.
struct Pair {
    /// Its parent directory, which is kept open, since that may be replaced, too.
    within: OwnedFd,
    name: &'static str,
    /// The other one's name in the directory of spares.
    spare: String,
}

/// Creates outputs, and a secret outside of them.
fn lay(task: &Task) -> Vec<Pair> {
    let outside = task.site.work("outside");
    fs::create_dir_all(outside.join("deep")).unwrap();
    for name in ["x", "y", "deep/z"] {
        fs::write(outside.join(name), SECRET).unwrap();
    }
    for name in ["dir/x", "dir/y", "dir/deep/z", "real", "value"] {
        task.write_output(name, "innocent");
    }
    let outputs = task.outputs_dir();
    fs::create_dir(outputs.join("spare")).unwrap();
    let links = [
        ("dir", "x", "../../outside/x"),
        ("dir", "deep", "../../outside/deep"),
        ("", "dir", "../outside"),
        ("", "real", "../outside/x"),
        ("", "value", "../outside/y"),
    ];
    let lay = |(within, name, target): (&str, &'static str, &str)| {
        let spare = format!("{within}-{name}");
        symlink(target, outputs.join("spare").join(&spare)).unwrap();
        Pair {
            within: open(&outputs.join(within)),
            name,
            spare,
        }
    };
    links.into_iter().map(lay).collect()
}

fn open(directory: &Path) -> OwnedFd {
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    rustix::fs::open(directory, flags, Mode::empty()).unwrap()
}

/// Swaps each pair and swaps it back, with pauses from none to several milliseconds: some uploads succeed,
/// and some find a link at each step.
fn swap(outputs: &Path, pairs: &[Pair], stop: &AtomicBool, swaps: &AtomicU64) {
    let spares = open(&outputs.join("spare"));
    let exchange = |pair: &Pair| {
        let flags = RenameFlags::EXCHANGE;
        renameat_with(&pair.within, pair.name, &spares, &pair.spare, flags).unwrap();
        swaps.fetch_add(1, Ordering::Relaxed);
    };
    for (round, pair) in pairs.iter().cycle().enumerate() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        exchange(pair);
        pause(Duration::from_micros(round as u64 % 7 * 20));
        exchange(pair);
        pause(Duration::from_micros(round as u64 % 64 * 80));
    }
}

/// Sleeping would take longer than most of these.
fn pause(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
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
fn nothing_from_outside_is_uploaded() {
    let task = Task::start().unwrap();
    let pairs = lay(&task);
    let outputs = task.outputs_dir();
    let declared = interface([
        ("dir", blob_type(Multipart)),
        ("real", blob_type(Single)),
        ("value", simple(SimpleType::String)),
    ]);
    let declared = declared.outputs.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (stop, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
    let (mut good, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| swap(&outputs, &pairs, &stop, &swaps));
        let _stopping = Stopping(&stop);
        let begun = Instant::now();
        let undecided = |good, refused| good == 0 || refused == 0;
        while begun.elapsed() < RACE || (undecided(good, refused) && begun.elapsed() < PATIENCE) {
            match runtime.block_on(upload_once(&task, &declared)) {
                Ok(()) => good += 1,
                Err(message) => {
                    assert!(!message.contains(SECRET), "{message}");
                    refused += 1;
                }
            }
            nothing_secret(&task);
        }
    });
    println!("{good} uploads, {refused} refusals, {swaps:?} swaps");
    // Else nothing was raced.
    assert!(good > 0 && refused > 0 && swaps.into_inner() > 100);
}

async fn upload_once(task: &Task, declared: &VariableMap) -> Result<(), String> {
    let commit = Reference::parse(OUTPUTS)
        .unwrap()
        .join(&["outputs.pb"])
        .unwrap();
    let directory = Arc::new(SharedDirectory::at(&task.outputs_dir()));
    let outputs = Outputs {
        mode: UploadMode::OnExit,
        declared,
        directory: &directory,
        raw_prefix: Some(RAW),
        commit: &commit,
        stale: &[],
        options: OutputOptions::default(),
    };
    let mut timeline = Timeline::begin(Timestamp::now());
    let done = upload::run(
        &outputs,
        &mut upload::Early::default(),
        &task.site.engine(),
        &Stop::default(),
        &mut timeline,
    )
    .await;
    done.map(|_| ()).map_err(|error| error.to_string())
}

fn nothing_secret(task: &Task) {
    for (name, content) in task.objects("task") {
        let content = String::from_utf8_lossy(&content);
        assert!(!content.contains(SECRET), "{name}: {content}");
    }
}
