//! A server on a thread of its own, so that it does not share a runtime with its clients.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A running server; stops when dropped.
#[derive(Debug)]
pub struct Background {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts a server on a free loopback port that runs `serve` for each connection.
    pub fn start<F, S>(name: &str, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        Self::start_after(name, Duration::ZERO, serve)
    }

    /// The same; connections are refused until this time has passed.
    pub fn start_after<F, S>(name: &str, wait: Duration, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let (_, absences) = mpsc::unbounded_channel();
        Self::start_with(name, wait, absences, serve)
    }

    /// The same; for each time that comes from `absences`, connections are refused once more.
    pub fn start_with<F, S>(
        name: &str,
        wait: Duration,
        absences: UnboundedReceiver<Duration>,
        serve: F,
    ) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        // A socket that is bound and does not listen yet holds its port, and refuses connections.
        let socket = TcpSocket::new_v4()?;
        // An absence binds the port again while its connections are open.
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listening = if wait.is_zero() {
            let _entered = runtime.enter();
            Listening::Already(socket.listen(BACKLOG)?)
        } else {
            Listening::After(wait, socket)
        };
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                runtime.block_on(stopping.run_until_cancelled(async {
                    let listener = match listening {
                        Listening::Already(listener) => listener,
                        Listening::After(wait, socket) => {
                            tokio::time::sleep(wait).await;
                            let Ok(listener) = socket.listen(BACKLOG) else {
                                return;
                            };
                            listener
                        }
                    };
                    accept(listener, absences, serve).await;
                }));
                // Open connections are cut: one that hangs would never end.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            address,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// When the server begins to accept connections.
enum Listening {
    Already(TcpListener),
    After(Duration, TcpSocket),
}

async fn accept<F, S>(
    mut listener: TcpListener,
    mut absences: UnboundedReceiver<Duration>,
    serve: F,
) where
    F: Fn(TcpStream) -> S,
    S: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((connection, _)) = accepted {
                    // Answers are small and many: to wait until a packet is full would only add delay.
                    let _ = connection.set_nodelay(true);
                    connections.spawn(serve(connection));
                }
            }
            Some(time) = absences.recv() => match away(listener, time).await {
                Ok(again) => listener = again,
                Err(_) => return,
            },
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Closes the port, and opens it again after this time. Open connections go on.
async fn away(listener: TcpListener, time: Duration) -> io::Result<TcpListener> {
    let address = listener.local_addr()?;
    drop(listener);
    // Bound and not listening: nothing else takes the port meanwhile.
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    tokio::time::sleep(time).await;
    socket.listen(BACKLOG)
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
