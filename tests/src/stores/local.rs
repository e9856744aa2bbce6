//! The local file system.

use std::fs;
use std::process::Command;

use super::Store;
use crate::binary;
use crate::flags;
use crate::task::files;

/// A directory with a directory for the container.
#[derive(Debug)]
pub struct Local(tempfile::TempDir);

impl Local {
    /// Makes both directories.
    ///
    /// # Panics
    /// If they cannot be made.
    #[must_use]
    pub fn make() -> Self {
        let dir = tempfile::tempdir().expect("a directory can be made");
        fs::create_dir(dir.path().join("data")).expect("a container can be made");
        Self(dir)
    }
}

impl Store for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn base(&self) -> String {
        "file://data".to_owned()
    }

    fn command(&self) -> Command {
        let path = self.0.path().display().to_string();
        let mut command = binary::command();
        command.args(flags::stow("local", "data", &[("path", &path)]));
        command
    }

    fn put(&self, key: &str, content: &[u8]) {
        let path = self.0.path().join("data").join(key);
        let folder = path.parent().expect("an object lies in a container");
        fs::create_dir_all(folder).expect("the store can be written");
        fs::write(path, content).expect("the store can be written");
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.0.path().join("data").join(key)).ok()
    }

    fn unfinished(&self, _: &[String]) -> Vec<String> {
        let names = files(self.0.path()).into_keys();
        names
            .filter(|name| name.contains(".copilot-unfinished"))
            .collect()
    }
}
