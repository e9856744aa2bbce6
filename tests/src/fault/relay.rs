//! Passes bytes between a client and a server, within a rate and a limit.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The most bytes that pass at once.
const PIECE: usize = 64 * 1024;

/// A rate, and limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The most bytes to the server.
    pub(super) forth: usize,
    /// The most bytes back to the client.
    pub(super) back: usize,
    /// The most bytes per second, in each direction.
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

/// Passes bytes in both directions, `first` before what the client sends. Ends when the server closes its
/// connection, or a limit is reached.
pub(super) async fn relay(
    client: &mut TcpStream,
    server: &mut TcpStream,
    first: &[u8],
    pace: Pace,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let back = async {
        // A limit of nothing is reached when the server answers. Before that it may lack the request.
        from_server.readable().await?;
        passed(&mut from_server, &mut to_client, pace.back, pace.rate).await
    };
    let forth = async {
        let first = &first[..first.len().min(pace.forth)];
        to_server.write_all(first).await?;
        let left = pace.forth - first.len();
        if passed(&mut from_client, &mut to_server, left, pace.rate).await? {
            return Ok(true);
        }
        // The client has sent its request, and waits.
        std::future::pending().await
    };
    tokio::select! {
        done = back => done.map(|_| ()),
        done = forth => done.map(|_: bool| ()),
    }
}

/// Passes bytes in one direction. Returns whether it ended at the limit.
async fn passed(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    limit: usize,
    rate: Option<usize>,
) -> io::Result<bool> {
    // Ten times a second: a client must not take this for silence.
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
