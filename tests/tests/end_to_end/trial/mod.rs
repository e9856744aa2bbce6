//! `copilot run`, `inspect` and `make`: a task on this machine, and its documents.

mod command_line;
mod documents;
mod endings;
mod examples;
mod images;
mod outputs;
mod processes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use copilot_tests::binary::{self, Ended};
use serde_json::Value;
use tempfile::TempDir;

/// A directory of a person who tries a task: what the program runs in, and where it puts temporary files.
struct Desk {
    place: TempDir,
}

impl Desk {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("tmp")).unwrap();
        Self { place }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The program in this directory.
    fn copilot(&self) -> Command {
        let mut command = binary::command();
        command
            .current_dir(self.place.path())
            .env("TMPDIR", self.path("tmp"));
        command
    }

    /// `copilot run` with these words.
    fn run(&self, words: &[&str]) -> Ended {
        binary::run(self.copilot().arg("run").args(words))
    }

    /// The same with a script of a shell as the command.
    fn script(&self, words: &[&str], script: &str) -> Ended {
        self.run(&[words, &["--", "sh", "-c", script]].concat())
    }

    /// The directories that runs have left.
    fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

/// The result of a run with `--json`.
#[track_caller]
fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", ended.stdout, ended.stderr))
}

#[track_caller]
fn content(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
