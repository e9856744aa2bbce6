//! Azure Blob Storage: the emulator of Microsoft.

use std::process::Command;

use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpRequest, HttpRequestBody};

use super::{Store, encoded};
use crate::binary;
use crate::emulator::{ACCOUNT, ACCOUNT_KEY, Emulator};
use crate::flags;

/// The emulator.
#[derive(Debug)]
pub struct Azure(Emulator);

impl Azure {
    /// Starts it with an empty container.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        let store = Self(Emulator::azurite().expect("a port is free"));
        assert_eq!(store.ask("PUT", "data?restype=container", b"").0, 201);
        store
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.0.address()
    }

    /// Sends a request of the account's owner, which only the store library signs, and returns status and
    /// body.
    ///
    /// # Panics
    /// If the emulator does not answer, or `target` is not a URL's path.
    #[must_use]
    pub fn ask(&self, method: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let path = format!("/{ACCOUNT}/{target}");
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method.parse().expect("the method of a test");
        let uri = format!("http://{}{path}", self.0.address());
        *request.uri_mut() = uri.parse().expect("the target of a test");
        let length = body.len().into();
        request.headers_mut().insert("content-length", length);
        let block = "BlockBlob".parse().expect("a constant");
        request.headers_mut().insert("x-ms-blob-type", block);
        let key = AzureAccessKey::try_new(ACCOUNT_KEY).expect("a constant");
        let key = AzureCredential::AccessKey(key);
        AzureAuthorizer::new(&key, ACCOUNT)
            .try_authorize(&mut request)
            .expect("a request can be signed");
        request.headers_mut().remove("content-length");
        let headers = request.headers().iter();
        let headers = headers
            .map(|(name, value)| format!("\n{name}: {}", value.to_str().unwrap_or_default()));
        let head = format!("{method} {path}{}", headers.collect::<String>());
        self.0.ask(&head, body).expect("the emulator answers")
    }
}

impl Store for Azure {
    fn name(&self) -> &'static str {
        "Azure, azurite"
    }

    fn base(&self) -> String {
        "abfs://data".to_owned()
    }

    fn command(&self) -> Command {
        let endpoint = format!("http://{}/{ACCOUNT}", self.0.address());
        let config = [
            ("account", ACCOUNT),
            ("key", ACCOUNT_KEY),
            ("endpoint", &endpoint),
        ];
        let mut command = binary::command();
        command.args(flags::stow("azure", "data", &config));
        command
    }

    fn put(&self, key: &str, content: &[u8]) {
        let (status, body) = self.ask("PUT", &format!("data/{}", encoded(key)), content);
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let (status, body) = self.ask("GET", &format!("data/{}", encoded(key)), b"");
        (status == 200).then_some(body)
    }

    /// Nothing shows blocks of unfinished uploads, and they expire.
    fn unfinished(&self, _: &[String]) -> Vec<String> {
        Vec::new()
    }
}
