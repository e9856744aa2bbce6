//! Google Cloud Storage. No test asks the service itself.
//!
//! `fake-gcs-server` reads and lists as the service does. It does not support the XML interface, through
//! which we write. That is the interface of S3 but for the signature: so for uploads our S3 server plays
//! the service, without access keys.

use std::process::Command;

use super::amazon::Amazon;
use super::{Lack, Store, encoded};
use crate::binary;
use crate::emulator::Emulator;
use crate::flags;
use crate::s3::S3Server;

/// A command that runs the program. It finds the store by `STORAGE_EMULATOR_HOST`, as Google's own
/// libraries do.
#[must_use]
pub fn command(address: &str) -> Command {
    let mut command = binary::command();
    let config = [("json", ""), ("project_id", "p")];
    command
        .env("STORAGE_EMULATOR_HOST", address)
        .args(flags::stow("google", "data", &config));
    command
}

/// The emulator.
#[derive(Debug)]
pub struct FakeGoogle(Emulator);

impl FakeGoogle {
    /// Starts it with an empty bucket.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        let store = Emulator::fake_gcs().expect("a port is free");
        let head = "POST /storage/v1/b?project=p\nContent-Type: application/json";
        let made = store.ask(head, br#"{"name": "data"}"#);
        assert_eq!(made.expect("the emulator answers").0, 200);
        Self(store)
    }

    /// Stores an object through the JSON interface; `query` is added to the request's query.
    ///
    /// # Panics
    /// If the emulator refuses it.
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

/// Our S3 server, which plays the service.
#[derive(Debug)]
pub struct Google(Amazon);

impl Google {
    /// Starts it with an empty bucket.
    ///
    /// # Panics
    /// If no port is free, or its directory cannot be made.
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
