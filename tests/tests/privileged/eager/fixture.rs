//! A sidecar that uploads while main runs. The test itself is main.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use copilot::idl::literal_type::Type;
use copilot_tests::binary::{self, Running, wait_until};
use copilot_tests::fixture::Outcome;
use copilot_tests::task::{Task, files, interface};
use rustix::process::Signal;

/// A task with a sidecar at work.
pub struct EagerFixture {
    pub task: Task,
    pub sidecar: Running,
    /// The declared outputs.
    outputs: Vec<(&'static str, Type)>,
}

/// The result of a run.
pub struct EagerOutcome {
    /// The sidecar's result.
    pub sidecar: Outcome,
    /// The objects below the raw prefix.
    pub objects: BTreeMap<String, Vec<u8>>,
    /// The files in the output directory.
    pub files: BTreeMap<String, Vec<u8>>,
    pub task: Task,
}

impl EagerFixture {
    /// Starts a sidecar for these outputs and waits until it watches.
    pub fn start(outputs: Vec<(&'static str, Type)>) -> Self {
        Self::start_for(Task::start().unwrap(), outputs, None)
    }

    /// The same for this task; the sidecar reaches the store at `endpoint`.
    pub fn start_at(task: Task, outputs: Vec<(&'static str, Type)>, endpoint: &str) -> Self {
        Self::start_for(task, outputs, Some(endpoint))
    }

    fn start_for(task: Task, outputs: Vec<(&'static str, Type)>, endpoint: Option<&str>) -> Self {
        let sidecar = start(&task, &outputs, endpoint);
        Self {
            task,
            sidecar,
            outputs,
        }
    }

    /// Kills the sidecar and starts another one, as kubelet does.
    pub fn restart(self) -> Self {
        self.sidecar.signal(Signal::KILL);
        let _ = self.sidecar.ended();
        Self::start_for(self.task, self.outputs, None)
    }

    /// A path in main's output directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.task.outputs_dir().join(name)
    }

    /// Writes a file and closes it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        self.task.write_output(name, content);
    }

    /// Waits until an object has the content that the file of the same name has now.
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

    /// Main's end: sends SIGTERM to the sidecar.
    pub fn end(self) -> EagerOutcome {
        self.sidecar.signal(Signal::TERM);
        let sidecar = self.task.outcome(self.sidecar.ended());
        let mut files = files(&self.task.outputs_dir());
        files.remove(".copilot-early");
        EagerOutcome {
            sidecar,
            objects: self.task.objects("task/raw"),
            files,
            task: self.task,
        }
    }

    /// The same for a run that must succeed and upload all files that are on disk.
    #[track_caller]
    pub fn commits(self) -> EagerOutcome {
        let outcome = self.end();
        let log = &outcome.sidecar.ended.stderr;
        assert_eq!(outcome.sidecar.ended.code(), 0, "{log}");
        assert!(outcome.sidecar.outputs.is_some());
        let differ = |name: &&String| outcome.objects.get(*name) != outcome.files.get(*name);
        let names = outcome.objects.keys().chain(outcome.files.keys());
        let differing: Vec<&String> = names.filter(differ).collect();
        assert!(differing.is_empty(), "{differing:?}\n{log}");
        let unfinished = outcome.task.site.server.unfinished_uploads().unwrap();
        assert!(unfinished.is_empty(), "{unfinished:?}");
        assert!(!outcome.task.outputs_dir().join(".copilot-early").exists());
        outcome
    }
}

impl EagerOutcome {
    /// A count of the timeline.
    #[track_caller]
    pub fn count(&self, name: &str) -> u64 {
        let timeline = &self.sidecar.timeline;
        let count = timeline[name].as_u64();
        count.unwrap_or_else(|| panic!("no {name} in {timeline}"))
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
        .arg(task.timeline());
    let mut sidecar = Running::start(&mut command);
    sidecar.watches();
    sidecar
}
