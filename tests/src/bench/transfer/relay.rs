//! The distance to the store: a relay that delivers every byte later, in both directions.
//!
//! It is a process of its own, so that its CPU time counts for no program. Each direction of a connection is
//! a queue: what is read now is written one delay later. A timer of the kernel wakes the writer, because the
//! runtime's own timers count whole milliseconds. TCP's handshake is answered at once by the kernel of this
//! machine, so the first delay of a new connection is one round trip longer. With TLS the relay also holds
//! the certificate; the handshake crosses the distance like all other bytes.

use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::{Bytes, BytesMut};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::binary;
use crate::tls::Authority;

/// Bytes that may be on their way in one direction of a connection: the window of a modern TCP.
const WINDOW: usize = 8 << 20;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// What lies between the programs and the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distance {
    /// The time from a request to its answer, if the server takes none.
    pub round_trip: Duration,
    /// Bytes a second in one direction of a connection; no limit if there is none.
    pub bandwidth: Option<u64>,
    /// Whether the programs speak TLS.
    pub tls: bool,
}

impl Distance {
    /// Whether the programs talk to the store directly.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// In words, for a heading.
    pub fn title(self) -> String {
        let mut words = Vec::new();
        if !self.round_trip.is_zero() {
            words.push(format!("round trip {:?}", self.round_trip));
        }
        if let Some(bandwidth) = self.bandwidth {
            words.push(format!("{} MiB/s a connection", bandwidth >> 20));
        }
        if self.tls {
            words.push("TLS".to_owned());
        }
        words.join(", ")
    }
}

/// A running relay; ends when dropped.
#[derive(Debug)]
pub struct Relay {
    /// The store's address, as programs see it.
    pub endpoint: String,
    /// The file of the authority that a client must trust.
    pub authority: Option<PathBuf>,
    process: Child,
}

impl Relay {
    /// Starts one in front of `upstream`. `program` is the path of this program; `place` takes the file of the
    /// authority.
    pub fn start(
        program: &Path,
        upstream: SocketAddr,
        distance: Distance,
        place: &Path,
    ) -> Result<Self> {
        let authority = distance.tls.then(|| place.join("authority.pem"));
        let file = authority.as_deref().unwrap_or(Path::new("-"));
        let mut command = Command::new(program);
        binary::isolate(&mut command);
        command
            .args(["--copilot", "-", "relay", &upstream.to_string()])
            .arg(distance.round_trip.as_micros().to_string())
            .arg(distance.bandwidth.unwrap_or(0).to_string())
            .arg(file)
            // The relay ends when this end of its input is closed, also if this process is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn().context("the relay cannot be started")?;
        let output = process.stdout.take().context("the relay has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address: SocketAddr = line.trim().parse().context("the relay does not start")?;
        let scheme = if distance.tls { "https" } else { "http" };
        Ok(Self {
            endpoint: format!("{scheme}://{address}"),
            authority,
            process,
        })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends by itself; an error means that it has ended before.
        let _ = self.process.wait();
    }
}

/// The relay's process: prints its address, and relays until standard input ends.
pub fn serve(words: &[&str]) -> Result<()> {
    let [upstream, round_trip, bandwidth, authority] = words else {
        bail!("it is started by the bench");
    };
    let way = Way {
        upstream: upstream.parse()?,
        delay: Duration::from_micros(round_trip.parse()?) / 2,
        bandwidth: Some(bandwidth.parse()?).filter(|bandwidth| *bandwidth > 0),
    };
    let acceptor = acceptor(authority)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        let ended = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
        tokio::select! {
            result = way.accept(&listener, acceptor) => result,
            _ = ended => Ok(()),
        }
    })
}

/// The certificate for loopback. Its authority's certificate goes to a file.
fn acceptor(authority: &str) -> Result<Option<TlsAcceptor>> {
    if authority == "-" {
        return Ok(None);
    }
    let known = Authority::new("the bench's authority")?;
    std::fs::write(authority, known.pem())?;
    let config = known.certify(&Ipv4Addr::LOCALHOST.to_string())?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// The way to the store.
#[derive(Clone, Copy, Debug)]
struct Way {
    upstream: SocketAddr,
    /// In each direction.
    delay: Duration,
    bandwidth: Option<u64>,
}

impl Way {
    async fn accept(self, listener: &TcpListener, acceptor: Option<TlsAcceptor>) -> Result<()> {
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
        let (up, down) = tokio::join!(up, down);
        up.and(down)
    }

    /// Moves bytes in one direction; nothing leaves before `opened`.
    async fn direction(
        self,
        mut from: impl tokio::io::AsyncRead + Unpin,
        mut to: impl tokio::io::AsyncWrite + Unpin,
        opened: Instant,
    ) -> Result<()> {
        let (queue, mut arriving) = mpsc::unbounded_channel::<(Instant, Bytes)>();
        let window = Arc::new(Semaphore::new(WINDOW));
        let room = Arc::clone(&window);
        let read = async move {
            loop {
                let mut piece = BytesMut::with_capacity(PIECE);
                if from.read_buf(&mut piece).await? == 0 {
                    return anyhow::Ok(());
                }
                let length = u32::try_from(piece.len())?;
                room.acquire_many(length).await?.forget();
                let due = Instant::now().max(opened) + self.delay;
                if queue.send((due, piece.freeze())).is_err() {
                    return Ok(());
                }
            }
        };
        let write = async move {
            let alarm = Alarm::new()?;
            let mut free = opened;
            while let Some((due, piece)) = arriving.recv().await {
                alarm.at(due.max(free)).await?;
                let takes = self.bandwidth.map_or(Duration::ZERO, |bandwidth| {
                    Duration::from_secs(piece.len() as u64)
                        / u32::try_from(bandwidth).unwrap_or(u32::MAX)
                });
                free = due.max(free) + takes;
                to.write_all(&piece).await?;
                window.add_permits(piece.len());
            }
            to.shutdown().await?;
            anyhow::Ok(())
        };
        let (read, written) = tokio::join!(read, write);
        read.and(written)
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
        let mut guard = self.0.readable().await?;
        let _ = rustix::io::read(self.0.get_ref(), &mut [0; 8]);
        guard.clear_ready();
        Ok(())
    }
}
