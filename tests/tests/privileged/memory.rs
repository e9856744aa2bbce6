//! The program's memory, measured from outside for the whole process.

#![cfg(test)]

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use copilot::idl::{SimpleType, blob_type::BlobDimensionality};
use copilot_tests::binary;
use copilot_tests::bounded::Bounded;
use copilot_tests::container::Pids;
use copilot_tests::fixture::TaskPod;
use copilot_tests::requirement::Requirement;
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob, blob_type, interface, simple};
use serde_json::Value;

const MIB: u64 = 1 << 20;

/// The size of a blob that the program must not keep in memory.
const LARGE: u64 = 1 << 30;

/// The process's memory limit for it.
const LIMIT: u64 = 48 * MIB;

/// The time between two readings of a process's memory. The kernel records the peak, so only growth after
/// the last reading is missed; the peak that the program itself reports includes that.
const LOOK: Duration = Duration::from_millis(1);

/// Runs a command that must succeed and returns the peak of its resident memory, in bytes.
fn peak_of(command: &mut Command, timeline: &Path) -> u64 {
    let running = binary::Running::start(command.arg("--timeline").arg(timeline));
    let status = format!("/proc/{}/status", running.id());
    let watcher = thread::spawn(move || {
        let mut seen = 0;
        // Gone, or a zombie, which no longer has memory.
        while let Some(peak) = peak_in(&fs::read_to_string(&status).unwrap_or_default()) {
            seen = peak;
            thread::sleep(LOOK);
        }
        seen
    });
    let ended = running.ended();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let seen = watcher.join().unwrap();
    let told: Value = serde_json::from_slice(&fs::read(timeline).unwrap()).unwrap();
    let told = told["peak_rss_bytes"].as_u64().unwrap();
    // The program reports its peak before it ends. On a busy machine the last reading may be much earlier.
    assert!(seen <= told + MIB, "seen {seen}, told {told}");
    assert!(told <= seen + 16 * MIB, "seen {seen}, told {told}");
    seen.max(told)
}

/// `VmHWM` of a `/proc/PID/status`, in bytes.
fn peak_in(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// A file whose bytes differ by position.
fn fill(path: &Path, size: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for block in 0..size / MIB {
        file.write_all(&bytes(1 << 20, block))?;
    }
    file.flush()
}

#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    let open = |path: &Path| BufReader::with_capacity(1 << 20, File::open(path).unwrap());
    let (mut one, mut other) = (open(one), open(other));
    let (mut left, mut right) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = one.read(&mut left).unwrap();
        if read == 0 {
            assert_eq!(other.read(&mut right).unwrap(), 0, "the other is longer");
            return;
        }
        other.read_exact(&mut right[..read]).unwrap();
        assert!(left[..read] == right[..read], "they differ");
    }
}

#[test]
fn a_large_blob_goes_both_ways_in_little_memory() {
    let task = Task::start().unwrap();
    let made = task.outputs_dir().join("model");
    fill(&made, LARGE).unwrap();

    // The upload comes first: for files that it did not receive itself, the server hashes the whole file for
    // each range.
    let timeline = task.site.work("timeline.json");
    let outputs = interface([("model", blob_type(BlobDimensionality::Single))]);
    let peak = peak_of(&mut task.sidecar(&outputs), &timeline);
    assert!(peak <= LIMIT, "up: {} KiB", peak / 1024);
    let stored = task.site.server.file("data", "task/raw/model");
    assert_same(&made, &stored);

    let uri = "s3://data/task/raw/model";
    task.put_inputs([("model", blob(uri, BlobDimensionality::Single))]);
    let peak = peak_of(&mut task.download(), &timeline);
    assert!(peak <= LIMIT, "down: {} KiB", peak / 1024);
    assert_same(&made, &task.inputs_dir().join("model"));
}

/// Attaching takes memory, and the upload needs memory in addition to what remains of that.
#[test]
fn a_large_blob_goes_up_in_little_memory_after_the_kernel_was_asked() {
    if !Requirement::Containers.is_met() {
        return;
    }
    let task = TaskPod::start(Pids::Shared).unwrap();
    let made = task.pod.volume("flyte-outputs").unwrap().join("model");
    fill(&made, LARGE).unwrap();
    let outputs = interface([("model", blob_type(BlobDimensionality::Single))]);
    let spec = task.sidecar_for(&outputs).unwrap();
    let spec = spec.capabilities(&["BPF", "PERFMON"]);
    let sidecar = task.attach(&spec).unwrap();
    let _main = task.pod.run(&task.main("sleep 0.1").unwrap()).unwrap();
    let outcome = task.outcome(&sidecar).unwrap();
    assert_eq!(outcome.ended.code(), 0, "{outcome:?}");
    assert_eq!(outcome.timeline["watcher"], "ebpf", "{outcome:?}");
    let peak = outcome.timeline["peak_rss_bytes"].as_u64().unwrap();
    assert!(peak <= LIMIT, "{} KiB", peak / 1024);
    assert_same(&made, &task.object("raw/model"));
}

#[test]
fn many_small_files_go_both_ways_in_little_memory() {
    const COUNT: u64 = 2000;
    const LIMIT: u64 = 32 * MIB;
    let task = Task::start().unwrap();
    let prefix = "s3://data/shards";
    task.put_inputs([("shards", blob(prefix, BlobDimensionality::Multipart))]);
    for number in 0..COUNT {
        task.put(&format!("shards/{number:04}.bin"), bytes(10 * 1024, number));
    }

    let timeline = task.site.work("timeline.json");
    let peak = peak_of(&mut task.download(), &timeline);
    assert!(peak <= LIMIT, "down: {} KiB", peak / 1024);

    fs::rename(
        task.inputs_dir().join("shards"),
        task.outputs_dir().join("shards"),
    )
    .unwrap();
    task.write_output("count", COUNT.to_string());
    let outputs = interface([
        ("shards", blob_type(BlobDimensionality::Multipart)),
        ("count", simple(SimpleType::Integer)),
    ]);
    let peak = peak_of(&mut task.sidecar(&outputs), &timeline);
    assert!(peak <= LIMIT, "up: {} KiB", peak / 1024);
    let sent = task.objects("task/raw/shards");
    assert_eq!(sent.len(), usize::try_from(COUNT).unwrap());
    assert!(sent == task.objects("shards"));
}

/// The kernel counts the page cache of written and read files against the limit.
#[test]
fn more_data_than_memory_is_transferred_without_an_oom_kill() {
    const LARGE: u64 = 256 * MIB;
    const COUNT: u64 = 2500;
    if !Requirement::MemoryLimits.is_met() {
        return;
    }
    let cgroup = Bounded::create(64 * MIB, None).unwrap();
    let task = Task::start().unwrap();
    let run = |arguments: Vec<String>| {
        let mut command = cgroup.copilot().unwrap();
        let flags = task.site.server.flags("data");
        let ended = binary::run(command.args(flags).args(arguments));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        assert_eq!(cgroup.kills().unwrap(), 0);
    };

    let large = task.outputs_dir().join("large");
    fill(&large, LARGE).unwrap();
    for number in 0..COUNT {
        task.write_output(&format!("shards/{number:04}"), bytes(10 * 1024, number));
    }
    let outputs = interface([
        ("large", blob_type(BlobDimensionality::Single)),
        ("shards", blob_type(BlobDimensionality::Multipart)),
    ]);
    let mut arguments = task.sidecar_arguments(&outputs);
    arguments.push("--watcher=noop".to_owned());
    run(arguments);

    let uri = |name| format!("s3://data/task/raw/{name}");
    task.put_inputs([
        ("large", blob(&uri("large"), BlobDimensionality::Single)),
        (
            "shards",
            blob(&uri("shards"), BlobDimensionality::Multipart),
        ),
    ]);
    run(task.download_arguments());
    assert_same(&large, &task.inputs_dir().join("large"));
    for number in 0..COUNT {
        let name = format!("shards/{number:04}");
        let there = fs::read(task.outputs_dir().join(&name)).unwrap();
        assert!(
            there == fs::read(task.inputs_dir().join(&name)).unwrap(),
            "{name}"
        );
    }
    // The limit was reached.
    assert!(cgroup.peak().unwrap() > 60 * MIB);
}
