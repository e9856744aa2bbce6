//! Blobs at web addresses, for a task whose inputs are in S3: a server without access keys, over the same
//! directory as an S3 server with access keys.

use std::fs;
use std::process::Command;

use super::amazon::put_file;
use super::{Lack, Store};
use crate::binary;
use crate::s3::S3Server;

/// Both servers.
#[derive(Debug)]
pub struct Web {
    task: S3Server,
    open: S3Server,
    _dir: tempfile::TempDir,
}

impl Web {
    /// Starts both servers.
    ///
    /// # Panics
    /// If no port is free, or the directory cannot be made.
    #[must_use]
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory can be made");
        fs::create_dir(dir.path().join("data")).expect("a bucket can be made");
        Self {
            task: S3Server::start(dir.path()).expect("a port is free"),
            open: S3Server::open(dir.path()).expect("a port is free"),
            _dir: dir,
        }
    }
}

impl Store for Web {
    fn name(&self) -> &'static str {
        "HTTP"
    }

    fn base(&self) -> String {
        "s3://data".to_owned()
    }

    fn blobs(&self) -> String {
        format!("{}/data", self.open.endpoint)
    }

    fn command(&self) -> Command {
        let mut command = binary::command();
        command.args(self.task.flags("data"));
        command
    }

    fn put(&self, key: &str, content: &[u8]) {
        put_file(&self.task, key, content);
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.task.file("data", key)).ok()
    }

    fn unfinished(&self, _: &[String]) -> Vec<String> {
        Vec::new()
    }

    fn lacks(&self) -> Option<Lack> {
        Some(Lack::Prefixes)
    }
}
