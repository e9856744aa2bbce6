//! The distance to the store: a relay that delivers every byte later, in both directions.
//!
//! It is a process of its own, so that its CPU time counts for no program. With TLS the relay also holds the
//! certificate; the handshake crosses the distance like all other bytes. How bytes cross is in [`way`].

mod way;

use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::way::Way;
use super::distance::Distance;
use crate::binary;
use crate::tls::Authority;

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
        bandwidth: match bandwidth.parse()? {
            0 => None,
            bandwidth => Some(bandwidth),
        },
    };
    let acceptor = acceptor(authority)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        let ended = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new()));
        tokio::select! {
            result = way.accept(&listener, acceptor) => result,
            _ = ended => Ok(()),
        }
    });
    // If the relay failed, the thread that reads standard input still waits: an end that waits for it would keep
    // the error back.
    runtime.shutdown_background();
    result
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
