//! A proxy between us and a server that misbehaves as it is told, one request per connection.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::background::Background;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is passed on.
    None,
    /// The connection closes without an answer.
    Hangup,
    /// The server gets it, but of the answer only so many bytes (its head included) come back.
    CutAfter(usize),
    /// The same, and then silence.
    StallAfter(usize),
    /// The proxy answers with this status and further header lines, each ending in CRLF.
    Answer(u16, &'static str),
}

/// A request as the proxy saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its number, from 0.
    pub index: usize,
    /// Method and target, e.g. `GET /bucket/key`.
    pub line: String,
    /// The whole head.
    pub head: String,
}

/// A running proxy; stops when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    server: Background,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl FaultProxy {
    /// Starts a proxy to `upstream` that asks `choose` what to do with each request.
    pub fn start(
        upstream: SocketAddr,
        choose: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let count = AtomicUsize::new(0);
        let shared = Arc::new((choose, count));
        let server = Background::start("fault-proxy", move |client| {
            let (shared, log) = (Arc::clone(&shared), Arc::clone(&log));
            async move {
                let (choose, count) = &*shared;
                let number = || count.fetch_add(1, Ordering::Relaxed);
                // A connection that breaks is what this is for.
                let _ = serve(client, upstream, &log, number, choose).await;
            }
        })?;
        Ok(Self { server, seen })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn serve(
    mut client: TcpStream,
    upstream: SocketAddr,
    log: &Mutex<Vec<Seen>>,
    number: impl Fn() -> usize,
    choose: &impl Fn(&Seen) -> Fault,
) -> io::Result<()> {
    let mut received = Vec::new();
    let end = loop {
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if client.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let line = head.lines().next().unwrap_or_default();
    let seen = Seen {
        index: number(),
        line: line.trim_end_matches(" HTTP/1.1").to_owned(),
        head: head.clone(),
    };
    let fault = choose(&seen);
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(seen);
    let limit = match fault {
        Fault::None => usize::MAX,
        Fault::CutAfter(bytes) | Fault::StallAfter(bytes) => bytes,
        Fault::Hangup => return Ok(()),
        Fault::Answer(status, headers) => return answer(client, status, headers).await,
    };

    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(head.as_bytes()).await?;
    server.write_all(b"\r\nConnection: close").await?;
    server.write_all(&received[end..]).await?;
    relay(&mut client, &mut server, limit).await?;
    if matches!(fault, Fault::StallAfter(_)) {
        // Until the client has enough of it.
        let mut nothing = [0; 64];
        while client.read(&mut nothing).await? > 0 {}
    }
    Ok(())
}

/// Both ways at once; ends when the server closes or `limit` bytes have come back.
async fn relay(client: &mut TcpStream, server: &mut TcpStream, limit: usize) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let back = async {
        let mut left = limit;
        let mut buffer = vec![0; 64 * 1024];
        while left > 0 {
            let room = buffer.len().min(left);
            let read = from_server.read(&mut buffer[..room]).await?;
            if read == 0 {
                break;
            }
            to_client.write_all(&buffer[..read]).await?;
            left -= read;
        }
        Ok(())
    };
    let forth = async {
        tokio::io::copy(&mut from_client, &mut to_server).await?;
        std::future::pending::<io::Result<()>>().await
    };
    tokio::select! {
        done = back => done,
        broken = forth => broken,
    }
}

async fn answer(mut client: TcpStream, status: u16, headers: &str) -> io::Result<()> {
    let text = format!(
        "HTTP/1.1 {status} Fault\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    client.write_all(text.as_bytes()).await?;
    client.shutdown().await?;
    // Read what still comes: closing on unread bytes would reset the connection under the answer.
    let mut rest = vec![0; 64 * 1024];
    while client.read(&mut rest).await? > 0 {}
    Ok(())
}
