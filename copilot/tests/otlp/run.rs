//! Runs of the program over a store of the local kind.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{
    Literal, LiteralMap, LiteralType, Message as _, SimpleType, TypedInterface, Variable,
    VariableEntry, VariableMap, literal_type, primitive,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Far more than any run needs.
const PATIENCE: Duration = Duration::from_mins(2);

/// A task with one input, and one output that main has not written.
pub struct Task {
    root: TempDir,
}

/// A run that has ended.
pub struct Ended {
    code: Option<i32>,
    /// Its standard error.
    pub log: String,
}

impl Ended {
    /// Checks the exit code, and that the last line has this text.
    #[track_caller]
    pub fn assert(&self, code: i32, last: &str) {
        assert_eq!(self.code, Some(code), "{}", self.log);
        let line = self.log.lines().last().unwrap_or_default();
        assert!(line.contains(last), "{last}: {}", self.log);
    }

    /// The only warning about spans.
    #[track_caller]
    pub fn warning(&self) -> &str {
        let lines = self.log.lines();
        let mut lines = lines.filter(|line| line.contains("spans are not sent"));
        let warning = lines
            .next()
            .unwrap_or_else(|| panic!("no warning: {}", self.log));
        assert_eq!(lines.next(), None, "one warning: {}", self.log);
        assert!(warning.contains("\"level\":\"warning\""), "{warning}");
        warning
    }
}

/// A run.
pub struct Running(Child);

impl Running {
    /// Sends SIGTERM.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
    }

    /// Waits for its end.
    pub fn ended(self) -> Ended {
        let pid = Pid::from_child(&self.0);
        let (send, receive) = mpsc::channel();
        let child = self.0;
        thread::spawn(move || send.send(child.wait_with_output().unwrap()));
        let Ok(output) = receive.recv_timeout(PATIENCE) else {
            kill_process(pid, Signal::KILL).unwrap();
            panic!("the run does not end");
        };
        Ended {
            code: output.status.code(),
            log: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Task {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("store/data/task")).unwrap();
        fs::create_dir(root.path().join("outputs")).unwrap();
        let literal: Literal = primitive::Value::Integer(1).into();
        let inputs = LiteralMap {
            literals: [("n".to_owned(), literal)].into(),
        };
        let path = root.path().join("store/data/task/inputs.pb");
        fs::write(path, inputs.encode_to_vec()).unwrap();
        Self { root }
    }

    /// A download that succeeds.
    pub fn download(&self, variables: &[(&str, &str)]) -> Ended {
        self.start_download(variables).ended()
    }

    /// The same, in the background.
    pub fn start_download(&self, variables: &[(&str, &str)]) -> Running {
        let to = self.path("inputs");
        let arguments = ["download", "--from-remote", "file://data/task/inputs.pb"];
        self.start(variables, &arguments, &["--to-local-dir", &to])
    }

    /// A sidecar that fails: main has not written its output.
    pub fn sidecar(&self, variables: &[(&str, &str)]) -> Ended {
        let from = self.path("outputs");
        let outputs = VariableMap {
            variables: vec![VariableEntry {
                key: "n".to_owned(),
                value: Some(Variable {
                    r#type: Some(LiteralType {
                        r#type: Some(literal_type::Type::Simple(SimpleType::Integer.into())),
                        ..LiteralType::default()
                    }),
                    ..Variable::default()
                }),
            }],
        };
        let interface = TypedInterface {
            outputs: Some(outputs),
            ..TypedInterface::default()
        };
        let interface = BASE64_STANDARD.encode(interface.encode_to_vec());
        let arguments = ["sidecar", "--watcher=noop", "--interface", &interface];
        let more = [
            "--from-local-dir",
            &from,
            "--to-raw-output",
            "file://data/task/raw",
        ];
        self.start(variables, &arguments, &more).ended()
    }

    fn start(&self, variables: &[(&str, &str)], arguments: &[&str], more: &[&str]) -> Running {
        let child = Command::new(env!("CARGO_BIN_EXE_copilot"))
            .env_clear()
            .envs(variables.iter().copied())
            .args([
                "--storage.type=stow",
                "--storage.stow.kind=local",
                "--storage.container=data",
            ])
            .args([
                "--storage.stow.config",
                &format!("path={}", self.path("store")),
            ])
            .args(["--log-format=json", "--termination-log="])
            .args(arguments)
            .args(["--to-output-prefix", "file://data/task/out"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        Running(child.unwrap())
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.root.path().join(name);
        path.display().to_string()
    }
}
