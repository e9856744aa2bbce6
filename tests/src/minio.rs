//! `MinIO`, an S3 server that clusters use: a process of its own with a directory of its own.
//!
//! It does what the server in process does not: it checks `If-Match`, lists unfinished uploads, refuses
//! parts that are too small, and checks access keys. It serves loopback only.

use std::io;
use std::path::Path;

use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpRequest, HttpRequestBody};

use crate::binary::wait_until;
use crate::emulator::Emulator;

/// Its program.
pub const MINIO: &str = "minio";

/// The only access key it accepts.
pub const ACCESS_KEY: &str = "test-access-key";

/// The secret of that key.
pub const SECRET_KEY: &str = "test-secret-key";

/// A running server.
#[derive(Debug)]
pub struct Minio {
    server: Emulator,
    region: String,
    dir: tempfile::TempDir,
}

impl Minio {
    /// Starts an empty server with the bucket `data`.
    ///
    /// # Errors
    /// If no port is free, or its directory cannot be made.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    pub fn start() -> io::Result<Self> {
        Self::start_in("")
    }

    /// The same; its disk is a new directory in `place`.
    ///
    /// # Errors
    /// If no port is free, or its directory cannot be made.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    pub fn start_at(place: &Path) -> io::Result<Self> {
        Self::serve(tempfile::tempdir_in(place)?, "")
    }

    /// The same in this region, which clients must name. An empty region is any.
    ///
    /// # Errors
    /// If no port is free, or its directory cannot be made.
    ///
    /// # Panics
    /// If it is not installed, or does not start.
    pub fn start_in(region: &str) -> io::Result<Self> {
        Self::serve(tempfile::tempdir()?, region)
    }

    fn serve(dir: tempfile::TempDir, region: &str) -> io::Result<Self> {
        let server = Emulator::start(MINIO, |command, address| {
            command
                .env("MINIO_ROOT_USER", ACCESS_KEY)
                .env("MINIO_ROOT_PASSWORD", SECRET_KEY)
                .env("MINIO_SITE_REGION", region)
                .env("MINIO_BROWSER", "off")
                .env("MINIO_UPDATE", "off")
                .env("HOME", dir.path())
                .args(["server", "--quiet", "--address", &address.to_string()])
                .arg(dir.path().join("disk"));
        })?;
        let minio = Self {
            server,
            region: region.to_owned(),
            dir,
        };
        // It listens before its disk is ready.
        wait_until("MinIO is ready", || {
            let asked = minio.server.ask("GET /minio/health/ready", b"");
            asked.is_ok_and(|(status, _)| status == 200)
        });
        wait_until("MinIO makes a bucket", || {
            matches!(minio.ask("PUT", "data", b""), Ok((200 | 409, _)))
        });
        // Before it has read its settings it accepts any region.
        wait_until("MinIO knows its region", || {
            let refused = || minio.ask_in("elsewhere", "GET", "data", b"");
            region.is_empty() || matches!(refused(), Ok((400, _)))
        });
        Ok(minio)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Sends a request of the server's owner, which only the store library signs, and returns status and
    /// body. `target` is percent-encoded, and has no slash at its beginning.
    ///
    /// # Errors
    /// If the connection breaks.
    ///
    /// # Panics
    /// If `target` is not a URL's path.
    pub fn ask(&self, method: &str, target: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let region = match self.region.as_str() {
            "" => "us-east-1",
            region => region,
        };
        self.ask_in(region, method, target, body)
    }

    fn ask_in(
        &self,
        region: &str,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> io::Result<(u16, Vec<u8>)> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method.parse().expect("the method of a test");
        let uri = format!("{}/{target}", self.endpoint());
        *request.uri_mut() = uri.parse().expect("the target of a test");
        let credential = AwsCredential {
            key_id: ACCESS_KEY.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            token: None,
        };
        AwsAuthorizer::new(&credential, "s3", region)
            .with_sign_payload(false)
            .try_authorize(&mut request, None)
            .expect("a request can be signed");
        let headers = request.headers().iter();
        let headers = headers
            .filter(|(name, _)| *name != "host")
            .map(|(name, value)| format!("\n{name}: {}", value.to_str().unwrap_or_default()));
        let head = format!("{method} /{target}{}", headers.collect::<String>());
        self.server.ask(&head, body)
    }

    /// Puts an object into the bucket `data`. The key is percent-encoded.
    ///
    /// # Panics
    /// If the server refuses it.
    pub fn put(&self, key: &str, content: &[u8]) {
        let answer = self.ask("PUT", &format!("data/{key}"), content);
        let (status, body) = answer.expect("the server answers");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    }

    /// An object of the bucket `data`, if it exists. The key is percent-encoded.
    ///
    /// # Panics
    /// If the server does not answer.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        let answer = self.ask("GET", &format!("data/{key}"), b"");
        let (status, body) = answer.expect("the server answers");
        (status == 200).then_some(body)
    }

    /// The ids of unfinished uploads of an object. This server lists them for one key at a time.
    ///
    /// # Panics
    /// If the server does not answer.
    #[must_use]
    pub fn unfinished_uploads(&self, key: &str) -> Vec<String> {
        let answer = self.ask("GET", &format!("data?prefix={key}&uploads="), b"");
        let (status, body) = answer.expect("the server answers");
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(status, 200, "{body}");
        let ids = body.split("<UploadId>").skip(1);
        ids.filter_map(|rest| Some(rest.split_once("</UploadId>")?.0.to_owned()))
            .collect()
    }

    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.dir.path()
    }
}
