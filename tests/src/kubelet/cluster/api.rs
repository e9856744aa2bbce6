//! Requests to the API server, each on its own connection. They use HTTP/1.0, in which an answer ends with
//! the connection.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client of the API server with a user's token.
#[derive(Clone, Debug)]
pub struct Api {
    port: u16,
    config: Arc<ClientConfig>,
    token: String,
}

impl Api {
    /// A client of the server at this port of loopback, whose certificate is signed by `authority`.
    pub fn new(port: u16, authority: &str, token: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            port,
            config: Arc::new(config),
            token: token.to_owned(),
        })
    }

    /// The TLS settings of the client.
    #[must_use]
    pub fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The address of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Reads an object or anything else at this path.
    pub fn get(&self, path: &str) -> Result<Value> {
        let body = self.ask("GET", path, "application/json", "")?;
        // Some answers are plain text.
        Ok(serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    /// Creates an object in a collection, and returns it as the server stored it.
    pub fn create(&self, collection: &str, object: &Value) -> Result<Value> {
        let kind = "application/json";
        let body = self.ask("POST", collection, kind, &object.to_string())?;
        Ok(serde_json::from_str(&body)?)
    }

    /// The same for an object in YAML.
    pub fn create_yaml(&self, collection: &str, object: &str) -> Result<()> {
        self.ask("POST", collection, "application/yaml", object)
            .map(drop)
    }

    /// Deletes an object and everything that its controller has created for it.
    pub fn delete(&self, path: &str) -> Result<()> {
        let path = format!("{path}?propagationPolicy=Background");
        self.ask("DELETE", &path, "application/json", "").map(drop)
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: &str) -> Result<String> {
        let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from("localhost")?;
        let session = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut stream = StreamOwned::new(session, connection);
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Accept: application/json\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        )?;
        stream.flush()?;
        let mut answer = Vec::new();
        // In HTTP/1.0 the connection is closed even without a header that says so.
        let read = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").with_context(|| match read {
            Ok(_) => "the API server says nothing".to_owned(),
            Err(error) => error.to_string(),
        })?;
        let good = head
            .split(' ')
            .nth(1)
            .is_some_and(|status| status.starts_with('2'));
        ensure!(
            good,
            "{method} {path}: {} {body}",
            head.lines().next().unwrap_or_default()
        );
        Ok(body.to_owned())
    }
}
