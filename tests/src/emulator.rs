//! Stores that are programs of their own. Each listens at a free loopback port and ends when it is dropped.
//!
//! They are found on PATH, or where `cargo xtask setup --tests` installs them.

use std::env;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binary::{self, Running, wait_until};
use crate::ports;

/// Google Cloud Storage, as far as `fake-gcs-server` supports it: reads and lists work as in the service.
/// Uploads work through Google's JSON interface only, and not in parts.
pub const FAKE_GCS: &str = "fake-gcs-server";

/// Azure Blob Storage: the emulator of Microsoft.
pub const AZURITE: &str = "azurite-blob";

/// The only account of that emulator.
pub const ACCOUNT: &str = "copilot";

/// The key of that account: some bytes in base64.
pub const ACCOUNT_KEY: &str = "dGhlIGtleSBvZiBhbiBhY2NvdW50IG9mIHRlc3Rz";

/// How many ports a program is tried at.
const TRIES: u32 = 5;

/// A running emulator.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    _running: Running,
}

impl Emulator {
    /// Starts `fake-gcs-server`, empty and in memory.
    ///
    /// # Errors
    /// If no port is free.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    pub fn fake_gcs() -> io::Result<Self> {
        Self::start(FAKE_GCS, |command, address| {
            command.args(["-scheme", "http", "-backend", "memory"]);
            command.args(["-host", "127.0.0.1", "-log-level", "error"]);
            command.args(["-port", &address.port().to_string()]);
            command.args(["-public-host", &address.to_string()]);
        })
    }

    /// Starts `azurite`, empty and in memory, with one [`ACCOUNT`].
    ///
    /// # Errors
    /// If no port is free.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    pub fn azurite() -> io::Result<Self> {
        Self::start(AZURITE, |command, address| {
            command.env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{ACCOUNT_KEY}"));
            // Nothing leaves this machine.
            command.args(["--disableTelemetry", "--inMemoryPersistence", "--silent"]);
            command.args(["--blobHost", "127.0.0.1", "--blobPort"]);
            command.arg(address.port().to_string());
        })
    }

    /// Starts a program that gets its address as an argument.
    ///
    /// # Errors
    /// If no port is free.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    pub fn start(program: &str, arguments: impl Fn(&mut Command, SocketAddr)) -> io::Result<Self> {
        let path = find(program).unwrap_or_else(|| panic!("{program} is not installed"));
        let mut log = String::new();
        for _ in 0..TRIES {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, ports::free()?));
            let mut command = Command::new(&path);
            binary::isolate(&mut command);
            arguments(&mut command, address);
            let mut running = Running::start(&mut command);
            wait_until("the emulator listens or has ended", || {
                !running.runs() || TcpStream::connect(address).is_ok()
            });
            if running.runs() {
                return Ok(Self {
                    address,
                    _running: running,
                });
            }
            // Another program may have taken the port in the meantime.
            log = running.ended().stderr;
        }
        panic!("{program} does not come up: {log}");
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request, and returns the status and body of the response.
    ///
    /// # Errors
    /// If the connection breaks.
    ///
    /// # Panics
    /// If the response is not HTTP.
    pub fn ask(&self, head: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let mut connection = TcpStream::connect(self.address)?;
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let headers = headers.lines().map(|header| format!("{header}\r\n"));
        let head = format!(
            "{line} HTTP/1.0\r\nHost: {}\r\n{}Content-Length: {}\r\n\r\n",
            self.address,
            headers.collect::<String>(),
            body.len()
        );
        connection.write_all(head.as_bytes())?;
        connection.write_all(body)?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.expect("an answer has a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let body = answer.split_off(end + 4);
        Ok((status.expect("an answer has a status"), body))
    }
}

/// The path of a program, or `None` if it is not installed.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(program));
    let test = env::current_exe().unwrap_or_default();
    let set_up = test.ancestors().flat_map(|folder| {
        ["emulators/bin", "emulators/node_modules/.bin"].map(|part| folder.join(part).join(program))
    });
    found.chain(set_up).find(|path| path.is_file())
}

/// Whether the machine has what installs a program: Go, or Node with its `npm`.
#[must_use]
pub fn is_installable(program: &str) -> bool {
    let installer = if program == AZURITE { "npm" } else { "go" };
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain([Path::new("/usr/local/go/bin").to_owned()]);
    folders.any(|folder| folder.join(installer).is_file())
}
