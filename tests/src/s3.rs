//! An S3 server in process: `s3s` over a directory. A bucket is a directory, and an object is a file.

use std::io;
use std::path::{Path, PathBuf};

use hyper_util::rt::TokioIo;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};
use s3s_fs::FileSystem;

use crate::background::Background;
use crate::flags;

/// A running S3 server. It stops when it is dropped.
#[derive(Debug)]
pub struct S3Server {
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    /// The only access key it accepts.
    pub access_key: String,
    /// The secret of that key.
    pub secret_key: String,
    root: PathBuf,
    server: Background,
}

impl S3Server {
    /// Serves the directories beneath `root` as buckets.
    pub fn start(root: &Path) -> io::Result<Self> {
        Self::serve(root, true)
    }

    /// The same without access keys, as in emulators of Google's store, whose XML interface is that of S3.
    pub fn open(root: &Path) -> io::Result<Self> {
        Self::serve(root, false)
    }

    fn serve(root: &Path, closed: bool) -> io::Result<Self> {
        let (access_key, secret_key) = ("test-access-key", "test-secret-key");
        let files =
            FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        if closed {
            builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
            builder.set_access(RealBuckets(root.to_owned()));
        }
        let service = builder.build();
        let server = Background::start("s3-server", move |connection| {
            let service = service.clone();
            async move {
                // A client may close its connection at any time.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), service)
                    .await;
            }
        })?;
        Ok(Self {
            endpoint: format!("http://{}", server.address()),
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            root: root.to_owned(),
            server,
        })
    }

    /// The flags with which Copilot reaches a bucket of it.
    #[must_use]
    pub fn flags(&self, bucket: &str) -> Vec<String> {
        self.flags_through(&self.endpoint, bucket)
    }

    /// The same; Copilot reaches the server at `endpoint`, for example through a proxy.
    #[must_use]
    pub fn flags_through(&self, endpoint: &str, bucket: &str) -> Vec<String> {
        flags::s3(endpoint, bucket, (&self.access_key, &self.secret_key))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// The file behind an object.
    #[must_use]
    pub fn file(&self, bucket: &str, key: &str) -> PathBuf {
        self.root.join(bucket).join(key)
    }

    /// What unfinished multipart uploads have left on the server.
    pub fn unfinished_uploads(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in self.root.read_dir()? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if name.starts_with(".upload") {
                found.push(path);
            }
        }
        Ok(found)
    }
}

/// Refuses anonymous requests, and requests to buckets that do not exist. `s3s-fs` alone makes a missing
/// bucket for its first object, and answers a read from it with `NoSuchKey`.
struct RealBuckets(PathBuf);

#[async_trait::async_trait]
impl S3Access for RealBuckets {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        if cx.credentials().is_none() {
            return Err(s3_error!(AccessDenied));
        }
        let bucket = cx.s3_path().get_bucket_name();
        let creating = cx.s3_op().name() == "CreateBucket";
        match bucket {
            Some(bucket) if !creating && !self.0.join(bucket).is_dir() => {
                Err(s3_error!(NoSuchBucket))
            }
            _ => Ok(()),
        }
    }
}
