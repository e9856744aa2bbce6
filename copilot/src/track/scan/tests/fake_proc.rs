//! A directory like `/proc` with made-up processes.

use std::fs;

use super::{super::Scanner, no_place};
use crate::track::{
    Event, Timestamp,
    place::{Place, PodPath},
    process::TICK,
};

pub const POD: &str = "/kubepods/pod8da70f9aa63c9d400f807eee79390d18";
pub const UID: &str = "8da70f9aa63c9d400f807eee79390d18";

/// A directory like `/proc`.
pub struct FakeProc {
    pub root: tempfile::TempDir,
    pub scanner: Scanner,
}

/// One of its processes.
pub struct FakeProcess<'a> {
    pub pid: i32,
    pub name: &'a str,
    pub state: char,
    pub parent: i32,
    pub threads: u32,
    pub started: u64,
    pub cgroup: String,
}

impl FakeProcess<'_> {
    pub fn main(pid: i32) -> Self {
        Self {
            pid,
            name: "app",
            state: 'S',
            parent: 0,
            threads: 1,
            started: 100,
            cgroup: format!("{POD}/main"),
        }
    }
}

pub fn mounts_of(container: &str) -> String {
    format!(
        "9 1 254:0 /pods/{UID}/containers/{container}/5e5df18f /dev/termination-log rw - ext4 /dev/vda rw\n"
    )
}

impl FakeProc {
    pub fn new() -> Self {
        Self::with_pod(PodPath::Absolute(POD.to_owned()))
    }

    pub fn with_pod(pod: PodPath) -> Self {
        let root = tempfile::tempdir().expect("a directory can be made");
        let place = Place { pod, ..no_place() };
        let scanner = Scanner::at(root.path().to_owned(), place);
        Self { root, scanner }
    }

    pub fn write(&self, pid: i32, file: &str, text: &str) {
        let path = self.root.path().join(pid.to_string()).join(file);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory can be made");
        fs::write(path, text).expect("a file can be written");
    }

    pub fn put(&self, process: &FakeProcess<'_>) {
        let stat = format!(
            "{} ({}) {} {} 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 {} 0 {} 2314240 436 \
             18446744073709551615 1 1 0 0 0 0 0 4 65538 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
            process.pid,
            process.name,
            process.state,
            process.parent,
            process.threads,
            process.started
        );
        self.write(process.pid, "stat", &stat);
        self.write(process.pid, "cgroup", &format!("0::{}\n", process.cgroup));
        let container = process.cgroup.rsplit('/').next().unwrap_or_default();
        self.write(process.pid, "mountinfo", &mounts_of(container));
    }

    pub fn remove(&self, pid: i32) {
        fs::remove_dir_all(self.root.path().join(pid.to_string())).expect("it is there");
    }

    /// Scans at a moment, in ticks.
    pub fn scan(&mut self, ticks: u64) -> Vec<Event> {
        self.scanner.scan_at(Timestamp(ticks * TICK))
    }

    /// Scans; the pids of the processes whose start is reported, and whether each entered its
    /// container from outside.
    pub fn started(&mut self, ticks: u64) -> Vec<(u64, bool)> {
        let events = self.scan(ticks);
        let started = events.iter().filter_map(|event| match event {
            Event::ProcessStarted {
                process, entered, ..
            } => Some((process.pid, *entered)),
            _ => None,
        });
        started.collect()
    }

    /// Scans; the pids of the processes that live, if the scan was complete.
    pub fn alive(&mut self, ticks: u64) -> Option<Vec<u64>> {
        match self.scan(ticks).pop() {
            Some(Event::Scanned { alive, .. }) => {
                Some(alive.into_iter().map(|process| process.pid).collect())
            }
            _ => None,
        }
    }
}
