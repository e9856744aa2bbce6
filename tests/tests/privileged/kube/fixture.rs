//! A task with a pod in the simulated API server, and a sidecar that watches it.

use std::process::Command;

use copilot::idl::SimpleType;
use copilot_tests::binary::{self, Running};
use copilot_tests::fixture::Outcome;
use copilot_tests::kube::{ApiServer, Manifest};
use copilot_tests::task::{Task, interface, simple};

/// The pod's name. Flyte gives main the same name.
pub const POD: &str = "f6be2c9-n0-0";

/// The sidecar's container.
pub const SIDECAR: &str = "flyte-copilot-uploader";

/// Main's container id, in the form of a runtime.
pub const MAIN: &str = "6b5d0c6a3f2e4d19a8b7c6d5e4f30211223344556677889900aabbccddeeff00";

/// The sidecar's container id.
pub const OURS: &str = "7c5d0c6a3f2e4d19a8b7c6d5e4f30211223344556677889900aabbccddeeff11";

/// A task, its pod, its API server.
pub struct KubeFixture {
    pub task: Task,
    pub api: ApiServer,
    pub pod: Manifest,
}

impl KubeFixture {
    /// A pod with a waiting main, the sidecar, and the proxy of a mesh, which never ends.
    pub fn start() -> Self {
        let outputs = [("flyte-outputs", "/var/outputs")];
        let mut pod = Manifest::new(POD, "5f0b4b8e-0000-4000-8000-000000000001")
            .container(SIDECAR, true, &outputs)
            .container("flyte-copilot-downloader", true, &[])
            .container(POD, false, &outputs)
            .container("istio-proxy", false, &[]);
        pod.runs(SIDECAR, OURS);
        pod.ends("flyte-copilot-downloader", &"d".repeat(64), 0, "Completed");
        pod.runs("istio-proxy", &"e".repeat(64));
        let api = ApiServer::start().expect("the API server starts");
        api.put(&pod);
        let task = Task::start().expect("the task's server starts");
        task.write_output("word", "hello");
        Self { task, api, pod }
    }

    /// The sidecar's command. Add options.
    pub fn command(&self) -> Command {
        self.within(binary::command())
    }

    /// The sidecar's arguments, added to this command.
    pub fn within(&self, mut command: Command) -> Command {
        let outputs = interface([("word", simple(SimpleType::String))]);
        command
            .args(self.task.site.server.flags("data"))
            .args(self.task.sidecar_arguments(&outputs))
            .args(["--logger.level=4", "--timeline"])
            .arg(self.task.timeline())
            .args(self.api.flags(POD));
        command
    }

    /// Starts a sidecar with only the watcher `kube-api`, and waits until it watches.
    pub fn watched(&self, options: &[&str]) -> Running {
        let mut sidecar = Running::start(self.command().arg("--watcher=kube-api").args(options));
        sidecar.watches();
        sidecar
    }

    /// Kubelet reports that main runs.
    pub fn main_runs(&mut self) {
        self.pod.runs(POD, MAIN);
        self.api.put(&self.pod);
    }

    /// Kubelet reports that main has ended.
    pub fn main_ends(&mut self, exit_code: i32, reason: &str) {
        self.pod.ends(POD, MAIN, exit_code, reason);
        self.api.put(&self.pod);
    }

    /// Waits for the sidecar's end and reads its result.
    pub fn outcome(&self, sidecar: Running) -> Outcome {
        self.task.outcome(sidecar.ended())
    }

    /// The same for a sidecar that must have committed main's output.
    #[track_caller]
    pub fn committed(&self, sidecar: Running) -> Outcome {
        let outcome = self.outcome(sidecar);
        outcome.assert_committed("hello");
        outcome
    }

    /// The same for a sidecar that must have reported this failure.
    #[track_caller]
    pub fn reported(&self, sidecar: Running, code: &str, words: &str) -> Outcome {
        let outcome = self.outcome(sidecar);
        outcome.assert_reported(code, words);
        outcome
    }
}

/// Whether the platform may try again after this failure.
pub fn is_recoverable(outcome: &Outcome) -> bool {
    let document = outcome.error().expect("an error document exists");
    document.kind() == copilot::idl::container_error::Kind::Recoverable
}
