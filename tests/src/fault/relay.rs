//! Bytes between a client and a server, as fast and as far as they may go.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Most bytes that go at once.
const PIECE: usize = 64 * 1024;

/// How fast and how far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Most bytes to the server.
    pub(super) forth: usize,
    /// Most bytes back.
    pub(super) back: usize,
    /// Most bytes in a second, each way.
    pub(super) rate: Option<usize>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            forth: usize::MAX,
            back: usize::MAX,
            rate: None,
        }
    }
}

/// Both ways at once, `first` before what the client sends; ends when the server closes or one way has
/// taken all it may.
pub(super) async fn relay(
    client: &mut TcpStream,
    server: &mut TcpStream,
    first: &[u8],
    pace: Pace,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let back = passed(&mut from_server, &mut to_client, pace.back, pace.rate);
    let forth = async {
        let first = &first[..first.len().min(pace.forth)];
        to_server.write_all(first).await?;
        let left = pace.forth - first.len();
        if passed(&mut from_client, &mut to_server, left, pace.rate).await? {
            return Ok(true);
        }
        // The client has said all it has to say and waits.
        std::future::pending().await
    };
    tokio::select! {
        done = back => done.map(|_| ()),
        done = forth => done.map(|_: bool| ()),
    }
}

/// Passes bytes on. Says whether that ended since it may pass no more.
async fn passed(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    limit: usize,
    rate: Option<usize>,
) -> io::Result<bool> {
    // Ten times a second, so that slow is not taken for silence.
    let piece = rate.map_or(PIECE, |rate| (rate / 10).clamp(1, PIECE));
    let mut buffer = vec![0; piece];
    let mut left = limit;
    while left > 0 {
        let room = buffer.len().min(left);
        let read = from.read(&mut buffer[..room]).await?;
        if read == 0 {
            return Ok(false);
        }
        to.write_all(&buffer[..read]).await?;
        left -= read;
        if rate.is_some() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(true)
}
