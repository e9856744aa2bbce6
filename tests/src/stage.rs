//! The stage of most sidecar tests: a pod of real cgroups, a store in process, the built program as
//! sidecar, shells as main, and what is in the store when all is over.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use copilot::idl::{
    ContainerError, SimpleType, TypedInterface, container_error::Kind, execution_error::ErrorKind,
    literal, primitive, scalar,
};
use rustix::process::Signal;
use serde_json::Value;

use crate::binary::{self, Ended, Running};
use crate::pod::Pod;
use crate::task::{DOCUMENTS, Task, interface, simple};

/// A pod without a sidecar yet, and the task that it serves.
#[derive(Debug)]
pub struct Scene {
    /// The task.
    pub task: Task,
    /// The pod.
    pub pod: Pod,
}

impl Scene {
    /// Makes an empty pod.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn set() -> Self {
        Self {
            task: Task::start().expect("a task can be made"),
            pod: Pod::create().expect("a pod can be made"),
        }
    }

    /// Starts a shell as main; `$out` is its output directory.
    #[must_use]
    pub fn main(&self, script: &str) -> Running {
        self.container("main", script)
    }

    /// Starts a shell in a container of this name; `$out` is main's output directory.
    #[must_use]
    pub fn container(&self, name: &str, script: &str) -> Running {
        let mut command = enter(&self.pod, name, PathBuf::from("/bin/sh"));
        command
            .env("out", self.task.outputs_dir())
            .args(["-c", script]);
        Running::start(&mut command)
    }

    /// The sidecar's command line for these outputs.
    #[must_use]
    pub fn sidecar(&self, outputs: &TypedInterface, options: &[&str]) -> Command {
        let mut command = enter(&self.pod, "sidecar", binary::path());
        command
            .args(self.task.site.server.flags("data"))
            .args(self.task.sidecar_arguments(outputs))
            .args(["--logger.level=4", "--timeline"])
            .arg(self.task.site.work("timeline.json"))
            .args(options);
        command
    }

    /// Starts a sidecar for the text output `word` and waits until it watches.
    #[must_use]
    pub fn attach(self, options: &[&str]) -> Stage {
        self.attach_for(&interface([("word", simple(SimpleType::String))]), options)
    }

    /// The same for these outputs.
    #[must_use]
    pub fn attach_for(self, outputs: &TypedInterface, options: &[&str]) -> Stage {
        let command = self.sidecar(outputs, options);
        self.run(command)
    }

    /// Starts this sidecar and waits until it watches.
    #[must_use]
    pub fn run(self, mut command: Command) -> Stage {
        let mut sidecar = Running::start(&mut command);
        sidecar.watches();
        let Self { task, pod } = self;
        Stage { task, pod, sidecar }
    }
}

/// A pod with a sidecar at work in it, and the task that it serves.
#[derive(Debug)]
pub struct Stage {
    /// The task.
    pub task: Task,
    /// The pod.
    pub pod: Pod,
    /// The sidecar.
    pub sidecar: Running,
}

impl Stage {
    /// Starts a sidecar for the text output `word` and waits until it watches.
    #[must_use]
    pub fn set(options: &[&str]) -> Self {
        Scene::set().attach(options)
    }

    /// The same for these outputs.
    #[must_use]
    pub fn of(outputs: &TypedInterface, options: &[&str]) -> Self {
        Scene::set().attach_for(outputs, options)
    }

    /// Starts a shell as main; `$out` is its output directory.
    #[must_use]
    pub fn main(&self, script: &str) -> Running {
        let mut command = enter(&self.pod, "main", PathBuf::from("/bin/sh"));
        command
            .env("out", self.task.outputs_dir())
            .args(["-c", script]);
        Running::start(&mut command)
    }

    /// Kills the sidecar, as a node short of memory does.
    ///
    /// # Panics
    /// If it ends otherwise.
    #[must_use]
    pub fn kill(self) -> Scene {
        let Self { task, pod, sidecar } = self;
        sidecar.signal(Signal::KILL);
        assert!(sidecar.ended().status.code().is_none());
        Scene { task, pod }
    }

    /// Waits for the sidecar's end and reads what it left.
    ///
    /// # Panics
    /// If that cannot be read.
    #[must_use]
    pub fn ended(self) -> Outcome {
        let ended = self.sidecar.ended();
        let timeline = fs::read(self.task.site.work("timeline.json")).expect("a timeline is left");
        Outcome {
            ended,
            timeline: serde_json::from_slice(&timeline).expect("a timeline is JSON"),
            task: self.task,
        }
    }
}

/// How it ended, and what is in the store then.
#[derive(Debug)]
pub struct Outcome {
    /// The sidecar's end.
    pub ended: Ended,
    /// What `--timeline` wrote.
    pub timeline: Value,
    /// The task, with its store.
    pub task: Task,
}

impl Outcome {
    /// Nothing is committed, and both error documents say this.
    ///
    /// # Panics
    /// If it is not so.
    #[must_use]
    pub fn reported(&self, code: &str, kind: Kind, origin: ErrorKind) -> ContainerError {
        assert_eq!(self.ended.code(), 1, "{}", self.ended.stderr);
        assert_eq!(self.task.outputs(), None);
        let [first, second] = DOCUMENTS.map(|name| self.task.document(name));
        assert_eq!(first, second);
        let document = first.expect("an error document is written");
        assert_eq!(document.code, code, "{}", document.message);
        assert_eq!((document.kind(), document.origin()), (kind, origin));
        document
    }

    /// The outputs are committed, and no error document is there.
    ///
    /// # Panics
    /// If it is not so.
    pub fn committed(&self, word: &str) {
        assert_eq!(self.ended.code(), 0, "{}", self.ended.stderr);
        let outputs = self.task.outputs().expect("the outputs are committed");
        let Some(literal::Value::Scalar(scalar)) = &outputs.literals["word"].value else {
            panic!("a text is a scalar: {outputs:?}");
        };
        let expected = primitive::Value::StringValue(word.to_owned());
        let Some(scalar::Value::Primitive(primitive)) = &scalar.value else {
            panic!("a text is a primitive: {scalar:?}");
        };
        assert_eq!(primitive.value, Some(expected));
        assert_eq!(DOCUMENTS.map(|name| self.task.document(name)), [None, None]);
    }

    /// How main ended, as the timeline says.
    #[must_use]
    pub fn status(&self) -> &str {
        self.timeline["status"].as_str().unwrap_or_default()
    }
}

/// A command in a container of the pod, away from every cloud. Add the program's arguments.
///
/// # Panics
/// If the container cannot be made.
#[must_use]
pub fn enter(pod: &Pod, container: &str, program: PathBuf) -> Command {
    let mut command = pod
        .command(container, program)
        .expect("a container's cgroup can be made");
    binary::isolate(&mut command);
    command
}
