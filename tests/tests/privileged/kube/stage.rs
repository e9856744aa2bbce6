//! A task whose pod is known to the stand-in, with a sidecar that watches it.

use std::process::Command;

use copilot::idl::{ContainerError, SimpleType, container_error::Kind};
use copilot_tests::binary::{self, Running};
use copilot_tests::kube::{ApiServer, Manifest};
use copilot_tests::task::{Task, interface, simple};

/// The pod's name, and so main's.
pub const POD: &str = "f6be2c9-n0-0";

/// The sidecar's container.
pub const SIDECAR: &str = "flyte-copilot-uploader";

/// Main's id, as a runtime would give it.
pub const MAIN: &str = "6b5d0c6a3f2e4d19a8b7c6d5e4f30211223344556677889900aabbccddeeff00";

/// The sidecar's id.
pub const OURS: &str = "7c5d0c6a3f2e4d19a8b7c6d5e4f30211223344556677889900aabbccddeeff11";

/// A task, its pod, its API server.
pub struct Stage {
    pub task: Task,
    pub api: ApiServer,
    pub pod: Manifest,
}

impl Stage {
    /// A pod whose main waits, beside the sidecar and a mesh's proxy that never ends.
    pub fn set() -> Self {
        let outputs = [("flyte-outputs", "/var/outputs")];
        let mut pod = Manifest::new(POD, "5f0b4b8e-0000-4000-8000-000000000001")
            .container(SIDECAR, true, &outputs)
            .container("flyte-copilot-downloader", true, &[])
            .container(POD, false, &outputs)
            .container("istio-proxy", false, &[]);
        pod.runs(SIDECAR, OURS);
        pod.ends("flyte-copilot-downloader", &"d".repeat(64), 0, "Completed");
        pod.runs("istio-proxy", &"e".repeat(64));
        let api = ApiServer::start().expect("a server can be started");
        api.put(&pod);
        let task = Task::start().expect("a task can be made");
        task.write_output("word", "hello");
        Self { task, api, pod }
    }

    /// The sidecar's command, to be given more.
    pub fn command(&self) -> Command {
        self.within(binary::command())
    }

    /// The arguments, put behind those of a command.
    pub fn within(&self, mut command: Command) -> Command {
        let outputs = interface([("word", simple(SimpleType::String))]);
        command
            .args(self.task.site.server.flags("data"))
            .args(self.task.sidecar_arguments(&outputs))
            .args(["--logger.level=4", "--timeline"])
            .arg(self.task.site.work("timeline.json"))
            .args(self.api.flags(POD));
        command
    }

    /// Starts a sidecar that watches by the API alone, and waits until it does.
    pub fn watched(&self, more: &[&str]) -> Running {
        let mut sidecar = Running::start(self.command().arg("--watcher=kube-api").args(more));
        sidecar.watches();
        sidecar
    }

    /// Main runs.
    pub fn main_runs(&mut self) {
        self.pod.runs(POD, MAIN);
        self.api.put(&self.pod);
    }

    /// Main has ended.
    pub fn main_ends(&mut self, exit_code: i32, reason: &str) {
        self.pod.ends(POD, MAIN, exit_code, reason);
        self.api.put(&self.pod);
    }

    /// It ended well, and what it left is committed. Returns its log.
    pub fn committed(&self, sidecar: Running) -> String {
        let ended = sidecar.ended();
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let outputs = self.task.outputs().expect("the outputs are committed");
        assert!(outputs.literals.contains_key("word"), "{}", ended.stderr);
        ended.stderr
    }

    /// It reported this, and committed nothing.
    pub fn reported(&self, sidecar: Running, code: &str, words: &str) -> ContainerError {
        let ended = sidecar.ended();
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        assert_eq!(self.task.outputs(), None);
        let document = self.task.document("error.pb");
        let document = document.expect("an error document is written");
        assert_eq!(document.code, code, "{}", document.message);
        assert!(document.message.contains(words), "{}", document.message);
        document
    }

    /// What `--timeline` wrote.
    pub fn timeline(&self) -> serde_json::Value {
        let text = std::fs::read(self.task.site.work("timeline.json")).expect("it was written");
        serde_json::from_slice(&text).expect("a timeline is JSON")
    }
}

/// Whether another try may bring more.
pub fn is_recoverable(document: &ContainerError) -> bool {
    document.kind() == Kind::Recoverable
}
