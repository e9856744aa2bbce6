//! Google Cloud Storage. No test here talks to Google's own service.
//!
//! `fake-gcs-server` reads and lists like the service. It accepts no objects through the interface that we
//! write to. That interface is S3's except for the signature, so our S3 server plays it, and accepts
//! requests without credentials.

use std::process::Command;

use super::amazon::Amazon;
use super::{Lack, Store, encoded};
use crate::binary;
use crate::emulator::Emulator;
use crate::s3::S3Server;

/// The program that finds the store by `STORAGE_EMULATOR_HOST`, as Google's own libraries do.
#[must_use]
pub fn command(address: &str) -> Command {
    let mut command = binary::command();
    command.env("STORAGE_EMULATOR_HOST", address).args([
        "--storage.limits.maxDownloadMBs=0",
        "--storage.container=data",
        "--storage.type=stow",
        "--storage.stow.kind=google",
        "--storage.stow.config",
        "json=",
        "--storage.stow.config",
        "project_id=p",
    ]);
    command
}

/// The emulator.
#[derive(Debug)]
pub struct FakeGoogle(Emulator);

impl FakeGoogle {
    /// Starts it with an empty bucket.
    ///
    /// # Panics
    /// If it is not installed or does not come up.
    #[must_use]
    pub fn start() -> Self {
        let store = Emulator::fake_gcs().expect("a port is free");
        let head = "POST /storage/v1/b?project=p\nContent-Type: application/json";
        let made = store.ask(head, br#"{"name": "data"}"#);
        assert_eq!(made.expect("the emulator answers").0, 200);
        Self(store)
    }

    /// Puts an object there by Google's other interface, with more in its query.
    ///
    /// # Panics
    /// If the emulator does not take it.
    pub fn put_with(&self, key: &str, query: &str, content: &[u8]) {
        let name = encoded(key).replace('/', "%2F");
        let line = format!("POST /upload/storage/v1/b/data/o?uploadType=media&name={name}{query}");
        let (status, body) = self.0.ask(&line, content).expect("the emulator answers");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    }
}

impl Store for FakeGoogle {
    fn name(&self) -> &'static str {
        "Google, fake-gcs-server"
    }

    fn base(&self) -> String {
        "gs://data".to_owned()
    }

    fn command(&self) -> Command {
        command(&self.0.address().to_string())
    }

    fn put(&self, key: &str, content: &[u8]) {
        self.put_with(key, "", content);
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let name = encoded(key).replace('/', "%2F");
        let line = format!("GET /storage/v1/b/data/o/{name}?alt=media");
        let (status, body) = self.0.ask(&line, b"").expect("the emulator answers");
        (status == 200).then_some(body)
    }

    fn unfinished(&self, _: &[String]) -> Vec<String> {
        Vec::new()
    }

    fn lacks(&self) -> Option<Lack> {
        Some(Lack::Uploads)
    }
}

/// Our S3 server in its place.
#[derive(Debug)]
pub struct Google(Amazon);

impl Google {
    /// Starts it over an empty bucket.
    ///
    /// # Panics
    /// If it has no port or no directory.
    #[must_use]
    pub fn start() -> Self {
        Self(Amazon::serve(S3Server::open))
    }
}

impl Store for Google {
    fn name(&self) -> &'static str {
        "Google, its S3 interface played by our S3 server"
    }

    fn base(&self) -> String {
        "gs://data".to_owned()
    }

    fn command(&self) -> Command {
        command(self.0.server.endpoint.trim_start_matches("http://"))
    }

    fn put(&self, key: &str, content: &[u8]) {
        self.0.put(key, content);
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.get(key)
    }

    fn unfinished(&self, keys: &[String]) -> Vec<String> {
        self.0.unfinished(keys)
    }
}
