//! S3: the server in process, and `MinIO`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::{Store, encoded};
use crate::binary;
use crate::flags;
use crate::minio::{self, Minio};
use crate::s3::S3Server;

/// The server in process.
#[derive(Debug)]
pub struct Amazon {
    pub(super) server: S3Server,
    _dir: tempfile::TempDir,
}

impl Amazon {
    /// Starts it with an empty bucket.
    ///
    /// # Panics
    /// If no port is free, or its directory cannot be made.
    #[must_use]
    pub fn start() -> Self {
        Self::serve(S3Server::start)
    }

    pub(super) fn serve(start: fn(&Path) -> io::Result<S3Server>) -> Self {
        let dir = tempfile::tempdir().expect("a directory can be made");
        fs::create_dir(dir.path().join("data")).expect("a bucket can be made");
        let server = start(dir.path()).expect("a port is free");
        Self { server, _dir: dir }
    }
}

impl Store for Amazon {
    fn name(&self) -> &'static str {
        "S3, in process"
    }

    fn base(&self) -> String {
        "s3://data".to_owned()
    }

    fn command(&self) -> Command {
        let mut command = binary::command();
        command.args(self.server.flags("data"));
        command
    }

    fn put(&self, key: &str, content: &[u8]) {
        put_file(&self.server, key, content);
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.server.file("data", key)).ok()
    }

    fn unfinished(&self, _: &[String]) -> Vec<String> {
        let left = self.server.unfinished_uploads();
        let left = left.expect("the store can be read");
        left.iter().map(|path| path.display().to_string()).collect()
    }
}

/// Puts an object into the directory of a server in process.
pub(super) fn put_file(server: &S3Server, key: &str, content: &[u8]) {
    let path = server.file("data", key);
    let folder = path.parent().expect("an object lies in a bucket");
    fs::create_dir_all(folder).expect("the store can be written");
    fs::write(path, content).expect("the store can be written");
}

/// `MinIO`.
#[derive(Debug)]
pub struct InMinio(Minio);

impl InMinio {
    /// Starts it with an empty bucket.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self(Minio::start().expect("a port is free"))
    }
}

impl Store for InMinio {
    fn name(&self) -> &'static str {
        "S3, MinIO"
    }

    fn base(&self) -> String {
        "s3://data".to_owned()
    }

    fn command(&self) -> Command {
        let mut command = binary::command();
        let keys = (minio::ACCESS_KEY, minio::SECRET_KEY);
        command.args(flags::s3(&self.0.endpoint(), "data", keys));
        command
    }

    fn put(&self, key: &str, content: &[u8]) {
        self.0.put(&encoded(key), content);
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.get(&encoded(key))
    }

    fn unfinished(&self, keys: &[String]) -> Vec<String> {
        let keys = keys.iter().map(|key| encoded(key).replace('/', "%2F"));
        keys.flat_map(|key| self.0.unfinished_uploads(&key))
            .collect()
    }
}
