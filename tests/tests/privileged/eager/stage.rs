//! A sidecar that uploads eagerly, and the test in main's place.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use copilot::idl::literal_type::Type;
use copilot_tests::binary::{self, Ended, Running, wait_until};
use copilot_tests::task::{Task, files, interface};
use rustix::process::Signal;
use serde_json::Value;

/// A running sidecar.
pub struct Stage {
    pub task: Task,
    pub sidecar: Running,
    /// What main leaves; a variable of that name is expected in the raw prefix.
    outputs: Vec<(&'static str, Type)>,
}

/// How a run ended.
pub struct Over {
    pub ended: Ended,
    pub timeline: Value,
    /// Below the raw prefix.
    pub objects: BTreeMap<String, Vec<u8>>,
    /// Below the output directory.
    pub files: BTreeMap<String, Vec<u8>>,
    pub task: Task,
}

impl Stage {
    pub fn begin(outputs: Vec<(&'static str, Type)>) -> Self {
        Self::at(Task::start().unwrap(), outputs, None)
    }

    /// The same; the store is found at `endpoint`.
    pub fn through(task: Task, outputs: Vec<(&'static str, Type)>, endpoint: &str) -> Self {
        Self::at(task, outputs, Some(endpoint))
    }

    fn at(task: Task, outputs: Vec<(&'static str, Type)>, endpoint: Option<&str>) -> Self {
        let sidecar = start(&task, &outputs, endpoint);
        Self {
            task,
            sidecar,
            outputs,
        }
    }

    /// Kills the sidecar and starts another, as kubelet does.
    pub fn restart(self) -> Self {
        self.sidecar.signal(Signal::KILL);
        let _ = self.sidecar.ended();
        Self::at(self.task, self.outputs, None)
    }

    /// A path in main's output directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.task.outputs_dir().join(name)
    }

    /// Writes a file and closes it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        self.task.write_output(name, content);
    }

    /// Waits until an object holds what a file of the same name holds now.
    pub fn wait_for(&self, name: &str) {
        let expected = fs::read(self.path(name)).unwrap();
        let object = self
            .task
            .site
            .server
            .file("data", &format!("task/raw/{name}"));
        wait_until(name, || {
            fs::read(&object).is_ok_and(|found| found == expected)
        });
    }

    /// Main ends: SIGTERM says so.
    pub fn end(self) -> Over {
        self.sidecar.signal(Signal::TERM);
        let ended = self.sidecar.ended();
        let timeline = fs::read(self.task.site.work("timeline")).unwrap_or_default();
        let mut files = files(&self.task.outputs_dir());
        files.remove(".copilot-early");
        Over {
            ended,
            timeline: serde_json::from_slice(&timeline).unwrap_or_default(),
            objects: self.task.objects("task/raw"),
            files,
            task: self.task,
        }
    }

    /// The same, of a run that must be good and leave in the store what lies on disk.
    #[track_caller]
    pub fn commits(self) -> Over {
        let over = self.end();
        assert_eq!(over.ended.code(), 0, "{}", over.ended.stderr);
        assert!(over.task.outputs().is_some());
        let differ = |name: &&String| over.objects.get(*name) != over.files.get(*name);
        let names = over.objects.keys().chain(over.files.keys());
        let differing: Vec<&String> = names.filter(differ).collect();
        assert!(differing.is_empty(), "{differing:?}\n{}", over.ended.stderr);
        let unfinished = over.task.site.server.unfinished_uploads().unwrap();
        assert!(unfinished.is_empty(), "{unfinished:?}");
        assert!(!over.task.outputs_dir().join(".copilot-early").exists());
        over
    }
}

impl Over {
    /// A count of the timeline.
    #[track_caller]
    pub fn count(&self, name: &str) -> u64 {
        let count = self.timeline[name].as_u64();
        count.unwrap_or_else(|| panic!("no {name} in {}", self.timeline))
    }
}

fn start(task: &Task, outputs: &[(&'static str, Type)], endpoint: Option<&str>) -> Running {
    let server = &task.site.server;
    let endpoint = endpoint.unwrap_or(&server.endpoint);
    let mut command: Command = binary::command();
    command
        .args(server.flags_through(endpoint, "data"))
        .args(task.sidecar_arguments(&interface(outputs.to_vec())))
        .args(["--watcher=signal", "--upload-mode", "UPLOAD_EAGER"])
        .arg("--timeline")
        .arg(task.site.work("timeline"));
    let mut sidecar = Running::start(&mut command);
    sidecar.watches();
    sidecar
}
