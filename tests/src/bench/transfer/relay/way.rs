//! How bytes cross the distance.
//!
//! Each direction of a connection is a queue: what is read now is written one delay later. A timer of the
//! kernel wakes the writer, because the runtime's own timers count whole milliseconds. TCP's handshake is
//! answered at once by the kernel of this machine, so the first delay of a new connection is one round trip
//! longer.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::{Bytes, BytesMut};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

/// Bytes that may be on their way in one direction of a connection: the window of a modern TCP.
const WINDOW: usize = 8 << 20;

/// Bytes that are read at once at most, and the room that a read has at least.
const PIECE: usize = 256 << 10;
const ROOM: usize = 16 << 10;

/// The way to the store.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    pub upstream: SocketAddr,
    /// In each direction.
    pub delay: Duration,
    /// Bytes a second in each direction, not 0.
    pub bandwidth: Option<u64>,
}

impl Way {
    /// Accepts connections until the listener fails.
    pub async fn accept(self, listener: &TcpListener, acceptor: Option<TlsAcceptor>) -> Result<()> {
        loop {
            let (client, _) = listener.accept().await?;
            let acceptor = acceptor.clone();
            // A connection that breaks concerns only its two ends, which notice it.
            tokio::spawn(async move {
                let _ = self.connection(client, acceptor).await;
            });
        }
    }

    async fn connection(self, client: TcpStream, acceptor: Option<TlsAcceptor>) -> Result<()> {
        client.set_nodelay(true)?;
        let begun = Instant::now();
        let Some(acceptor) = acceptor else {
            let server = TcpStream::connect(self.upstream).await?;
            server.set_nodelay(true)?;
            return self.relay(client, server, begun).await;
        };
        // The distance ends at one end of this pair, and TLS at the other one.
        let (near, far) = pair().await?;
        let upstream = self.upstream;
        let tls = async move {
            let mut client = acceptor.accept(far).await?;
            let mut server = TcpStream::connect(upstream).await?;
            server.set_nodelay(true)?;
            tokio::io::copy_bidirectional_with_sizes(&mut client, &mut server, PIECE, PIECE)
                .await?;
            anyhow::Ok(())
        };
        // An alert of TLS must still cross, so neither side ends the other one.
        let (relayed, served) = tokio::join!(self.relay(client, near, begun), tls);
        relayed.and(served)
    }

    async fn relay(
        self,
        mut client: TcpStream,
        mut server: TcpStream,
        begun: Instant,
    ) -> Result<()> {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        // What a client sends at once would only leave it after the handshake's round trip.
        let up = self.direction(from_client, to_server, begun + 2 * self.delay);
        let down = self.direction(from_server, to_client, begun);
        // If one direction breaks, the other one would wait for an end that has nobody to speak to.
        tokio::try_join!(up, down)?;
        Ok(())
    }

    /// Moves bytes in one direction; nothing leaves before `opened`.
    async fn direction(
        self,
        from: impl AsyncRead + Unpin,
        to: impl AsyncWrite + Unpin,
        opened: Instant,
    ) -> Result<()> {
        let (queue, arriving) = mpsc::unbounded_channel();
        let window = Arc::new(Semaphore::new(WINDOW));
        // If the writer fails, nobody gives back the room in the window that the reader may wait for.
        tokio::try_join!(
            self.read(from, queue, Arc::clone(&window), opened),
            self.write(to, arriving, window, opened),
        )?;
        Ok(())
    }

    /// Reads pieces, and notes when each is due at the other end.
    async fn read(
        self,
        mut from: impl AsyncRead + Unpin,
        queue: mpsc::UnboundedSender<(Instant, Bytes)>,
        window: Arc<Semaphore>,
        opened: Instant,
    ) -> Result<()> {
        let mut buffer = BytesMut::new();
        loop {
            // Small pieces share one allocation.
            if buffer.capacity() < ROOM {
                buffer.reserve(PIECE);
            }
            if from.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            let piece = buffer.split().freeze();
            let length = u32::try_from(piece.len())?;
            window.acquire_many(length).await?.forget();
            let due = Instant::now().max(opened) + self.delay;
            queue.send((due, piece)).context("the writer has ended")?;
        }
    }

    /// Writes pieces when they are due, as fast as the bandwidth allows.
    async fn write(
        self,
        mut to: impl AsyncWrite + Unpin,
        mut arriving: mpsc::UnboundedReceiver<(Instant, Bytes)>,
        window: Arc<Semaphore>,
        opened: Instant,
    ) -> Result<()> {
        let alarm = Alarm::new()?;
        let mut free = opened;
        while let Some((due, piece)) = arriving.recv().await {
            let begins = due.max(free);
            alarm.at(begins).await?;
            free = begins + self.time_for(piece.len());
            to.write_all(&piece).await?;
            window.add_permits(piece.len());
        }
        Ok(to.shutdown().await?)
    }

    /// How long so many bytes take at this bandwidth.
    fn time_for(self, bytes: usize) -> Duration {
        self.bandwidth.map_or(Duration::ZERO, |bandwidth| {
            let nanoseconds = bytes as u128 * 1_000_000_000 / u128::from(bandwidth);
            Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
        })
    }
}

/// Two ends of one connection over loopback.
async fn pair() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    let (far, from) = listener.accept().await?;
    if from != near.local_addr()? {
        bail!("another process has connected to the relay");
    }
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    Ok((near, far))
}

/// Wakes at a moment, to a part of a millisecond.
struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    fn new() -> Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // SAFETY: an `OwnedFd` always returns the same descriptor, and keeps it open until it is dropped, which
        // ends the registration as well.
        let timer = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) };
        Ok(Self(timer.map_err(|error| error.into_parts().1)?))
    }

    async fn at(&self, moment: Instant) -> Result<()> {
        let wait = moment.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Ok(());
        }
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let setting = Itimerspec {
            it_interval: zero,
            it_value: Timespec {
                tv_sec: i64::try_from(wait.as_secs())?,
                tv_nsec: wait.subsec_nanos().into(),
            },
        };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &setting)?;
        loop {
            let mut guard = self.0.readable().await?;
            let read = guard.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut [0; 8])?));
            // Nothing to read means that it has not rung yet.
            if let Ok(read) = read {
                read?;
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A relay on this way in front of a server, and the server's listener.
    async fn relayed(delay: Duration, bandwidth: Option<u64>) -> (SocketAddr, TcpListener) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let relay = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = relay.local_addr().unwrap();
        let upstream = server.local_addr().unwrap();
        let way = Way {
            upstream,
            delay,
            bandwidth,
        };
        tokio::spawn(async move { way.accept(&relay, None).await });
        (address, server)
    }

    #[tokio::test]
    async fn bytes_cross_unchanged_and_no_sooner_than_the_delay() {
        let delay = Duration::from_millis(20);
        let (address, server) = relayed(delay, None).await;
        let begun = Instant::now();
        let mut client = TcpStream::connect(address).await.unwrap();
        let sent = crate::site::bytes(3 * PIECE + 7, 1);
        let (mut there, _) = server.accept().await.unwrap();
        let write = async {
            client.write_all(&sent).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            answer
        };
        let echo = async {
            let mut read = Vec::new();
            there.read_to_end(&mut read).await.unwrap();
            there.write_all(&read).await.unwrap();
            drop(there);
        };
        let (answer, ()) = tokio::join!(write, echo);
        assert_eq!(answer, sent);
        // Two delays for the handshake, one for each direction.
        assert!(begun.elapsed() >= 4 * delay);
    }

    #[tokio::test]
    async fn a_bandwidth_takes_its_time() {
        let (address, server) = relayed(Duration::ZERO, Some(1 << 20)).await;
        let begun = Instant::now();
        let mut client = TcpStream::connect(address).await.unwrap();
        let (mut there, _) = server.accept().await.unwrap();
        // The last piece is written when the bytes before it have taken their time.
        client.write_all(&vec![0; 512 << 10]).await.unwrap();
        client.shutdown().await.unwrap();
        there.read_to_end(&mut Vec::new()).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(200));
    }

    #[tokio::test]
    async fn a_client_that_goes_away_ends_the_servers_connection() {
        let (address, server) = relayed(10 * crate::binary::PATIENCE, None).await;
        let client = TcpStream::connect(address).await.unwrap();
        let (mut there, _) = server.accept().await.unwrap();
        // Without lingering the client's end is a reset: the relay can deliver nothing more.
        #[expect(deprecated, reason = "no time is waited")]
        client.set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        // Nothing is delivered for a long time, and this is more than the window and all buffers take.
        let block = vec![0; 1 << 20];
        let ended = tokio::time::timeout(crate::binary::PATIENCE, async {
            while there.write_all(&block).await.is_ok() {}
        });
        assert!(ended.await.is_ok(), "the server's connection stays open");
    }
}
