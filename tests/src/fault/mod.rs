//! A network with faults: a [`FaultProxy`] between a client and a server decides for each request, and a
//! [`Schedule`] decides at random. Each connection carries one request.

mod relay;
mod schedule;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedSender};

use crate::background::Background;
use relay::{Pace, relay};
pub use schedule::{Chance, Schedule};

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The proxy passes it on.
    None,
    /// The connection closes without an answer.
    Hangup,
    /// The server gets it. The client gets this number of bytes of the response, its head included.
    CutAfter(usize),
    /// The same, and the connection ends with a reset: what the client has not read yet is lost, too.
    ResetAfter(usize),
    /// The same, and the connection stays open in silence.
    StallAfter(usize),
    /// The server gets this number of bytes of its body. The client gets nothing.
    CutRequestAfter(usize),
    /// The proxy answers with this status and these header lines, each with CRLF at its end.
    Answer(u16, &'static str),
    /// The proxy answers with this status and an error document of S3 that has this code.
    Refuse(u16, &'static str),
    /// The proxy answers with this status and this body.
    Say(u16, &'static str),
    /// The server does not get it, and the client gets nothing; the connection stays open.
    Silence,
    /// The connection closes without an answer, and the proxy refuses connections for this time.
    Away(Duration),
    /// The proxy passes it on after this time.
    Delay(Duration),
    /// The proxy passes on this number of bytes per second, in both directions.
    Slow(usize),
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
    /// What happened to it; [`Fault::None`] until that is decided.
    pub fault: Fault,
}

/// A running proxy. It stops when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    server: Background,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl FaultProxy {
    /// Starts a proxy to `upstream`; `choose` decides what happens to each request.
    pub fn start(
        upstream: SocketAddr,
        choose: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_after(Duration::ZERO, upstream, choose)
    }

    /// The same; until this time has passed the proxy refuses connections.
    pub fn start_after(
        wait: Duration,
        upstream: SocketAddr,
        choose: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let count = AtomicUsize::new(0);
        let (leave, absences) = mpsc::unbounded_channel();
        let shared = Arc::new((choose, count, leave));
        let server = Background::start_with("fault-proxy", wait, absences, move |client| {
            let (shared, log) = (Arc::clone(&shared), Arc::clone(&log));
            async move {
                let (choose, count, leave) = &*shared;
                let number = || count.fetch_add(1, Ordering::Relaxed);
                // Connections that break are the purpose of this proxy.
                let _ = serve(client, upstream, &log, number, choose, leave).await;
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
    leave: &UnboundedSender<Duration>,
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
    let mut seen = Seen {
        index: number(),
        line: line.trim_end_matches(" HTTP/1.1").to_owned(),
        head: head.clone(),
        fault: Fault::None,
    };
    let fault = choose(&seen);
    seen.fault = fault.clone();
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(seen);
    let mut pace = Pace::default();
    match fault {
        Fault::None => {}
        Fault::CutAfter(bytes) | Fault::ResetAfter(bytes) | Fault::StallAfter(bytes) => {
            pace.back = bytes;
        }
        Fault::CutRequestAfter(bytes) => pace.forth = bytes,
        Fault::Slow(rate) => pace.rate = Some(rate),
        Fault::Delay(wait) => tokio::time::sleep(wait).await,
        Fault::Hangup => return Ok(()),
        Fault::Away(time) => {
            let _ = leave.send(time);
            return Ok(());
        }
        Fault::Silence => return drain(&mut client).await,
        Fault::Say(status, body) => return answer(client, status, "", body).await,
        Fault::Answer(status, headers) => return answer(client, status, headers, "").await,
        Fault::Refuse(status, code) => {
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                 <Error><Code>{code}</Code><Message>as the test says</Message></Error>"
            );
            return answer(client, status, "", &body).await;
        }
    }

    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(head.as_bytes()).await?;
    server.write_all(b"\r\nConnection: close").await?;
    // The end of the head goes along.
    pace.forth = pace.forth.saturating_add(4);
    relay(&mut client, &mut server, &received[end..], pace).await?;
    match fault {
        Fault::StallAfter(_) => drain(&mut client).await?,
        Fault::ResetAfter(_) => client.set_zero_linger()?,
        _ => {}
    }
    Ok(())
}

async fn answer(mut client: TcpStream, status: u16, headers: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} Fault\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    client.write_all(text.as_bytes()).await?;
    client.shutdown().await?;
    // To close on unread bytes would reset the connection, and lose the response.
    drain(&mut client).await
}

/// Reads until the client closes the connection.
async fn drain(client: &mut TcpStream) -> io::Result<()> {
    let mut rest = vec![0; 64 * 1024];
    while client.read(&mut rest).await? > 0 {}
    Ok(())
}
