//! A server that records its requests and answers as the test says: it plays metadata and token services,
//! and the store that a client then asks.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::background::Background;

/// A request: its head and its body.
#[derive(Clone, Debug)]
pub struct Asked(pub String);

impl Asked {
    /// Method and target.
    #[must_use]
    pub fn line(&self) -> &str {
        let line = self.0.lines().next().unwrap_or_default();
        line.trim_end_matches(" HTTP/1.1")
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .0
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(found.1)
    }
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Recorder {
    server: Background,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Recorder {
    /// Starts a server that answers each request with this status and body.
    pub fn start(
        answer: impl Fn(&Asked) -> (u16, String) + Clone + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let server = Background::start("recorder", move |client| {
            let (answer, log) = (answer.clone(), Arc::clone(&log));
            async move {
                // A client may close its connection at any time.
                let _ = serve(client, answer, &log).await;
            }
        })?;
        Ok(Self { server, asked })
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// The requests so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}

/// Serves one request of one connection.
async fn serve(
    mut client: TcpStream,
    answer: impl Fn(&Asked) -> (u16, String),
    log: &Mutex<Vec<Asked>>,
) -> io::Result<()> {
    let mut received = Vec::new();
    while !is_whole(&received) && client.read_buf(&mut received).await? > 0 {}
    let asked = Asked(String::from_utf8_lossy(&received).into_owned());
    let (status, body) = answer(&asked);
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    let text = format!(
        "HTTP/1.1 {status} Told\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    client.write_all(text.as_bytes()).await?;
    client.shutdown().await
}

fn is_whole(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = Asked(head.to_owned());
    let length = head.header("content-length").map(str::parse);
    body.len() >= length.unwrap_or(Ok(0)).unwrap_or(0)
}
