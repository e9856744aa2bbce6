//! Where transfers are tested: a working directory, an S3 server with a bucket, and an engine.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use copilot::beneath::{GuardedDirectory, Place};
use copilot::config::StorageSettings;
use copilot::store::{Environment, Network, Reference, Retry, Stores};
use copilot::transfer::{Copy, Engine, LocalFile, Stop, Summary, TransferError, TransferLimits};
use futures_util::stream;

use crate::s3::S3Server;

/// A server with the bucket `data`, and a directory beside it.
#[derive(Debug)]
pub struct Site {
    /// The server.
    pub server: S3Server,
    dir: tempfile::TempDir,
}

impl Site {
    /// Starts a server over an empty bucket.
    pub fn start() -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        std::fs::create_dir_all(dir.path().join("store/data"))?;
        std::fs::create_dir_all(dir.path().join("work"))?;
        // Other users may enter it, too.
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
        let server = S3Server::start(&dir.path().join("store"))?;
        Ok(Self { server, dir })
    }

    /// A path in the working directory.
    #[must_use]
    pub fn work(&self, name: &str) -> PathBuf {
        self.dir.path().join("work").join(name)
    }

    /// Writes these bytes to a file, and returns the copy of it to the object `x`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn upload_of(&self, data: &[u8]) -> io::Result<Copy> {
        let path = self.work("there");
        std::fs::write(&path, data)?;
        Ok(upload(&path, "x"))
    }

    /// The settings that reach the server.
    #[must_use]
    pub fn settings(&self) -> StorageSettings {
        let keys = [
            ("auth_type", "accesskey"),
            ("access_key_id", &self.server.access_key),
            ("secret_key", &self.server.secret_key),
            ("endpoint", &self.server.endpoint),
        ];
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        StorageSettings {
            store_type: "stow".to_owned(),
            stow_kind: "s3".to_owned(),
            stow_config: keys.into_iter().map(pair).collect(),
            container: "data".to_owned(),
            ..StorageSettings::default()
        }
    }

    /// The same settings with these keys of stow.
    #[must_use]
    pub fn settings_with(&self, keys: &[(&str, &str)]) -> StorageSettings {
        let mut settings = self.settings();
        let keys = keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        settings
            .stow_config
            .extend(keys.collect::<BTreeMap<_, _>>());
        settings
    }

    /// An engine that reaches the server directly.
    #[must_use]
    pub fn engine(&self) -> Engine {
        engine(self.settings())
    }

    /// An engine that reaches the server through `endpoint`.
    #[must_use]
    pub fn engine_through(&self, endpoint: &str) -> Engine {
        engine(self.settings_with(&[("endpoint", endpoint)]))
    }

    /// An engine that reaches the server through `endpoint`, with parts of this size in bytes.
    #[must_use]
    pub fn engine_of_parts(&self, endpoint: &str, part_size: u64) -> Engine {
        let settings = self.settings_with(&[("endpoint", endpoint)]);
        let limits = TransferLimits {
            part_size,
            ..TransferLimits::within(None)
        };
        Engine::new(
            Arc::new(stores(settings, Network::default().stall_timeout)),
            limits,
        )
    }

    /// An engine that reaches the server through `endpoint` and retries as long as the program does.
    #[must_use]
    pub fn persistent_engine_through(&self, endpoint: &str) -> Engine {
        let settings = self.settings_with(&[("endpoint", endpoint)]);
        let stores = Stores::new(settings, Network::default(), closed_environment());
        Engine::new(Arc::new(stores), TransferLimits::within(None))
    }

    /// An engine that reaches the server through `endpoint`, within these limits.
    #[must_use]
    pub fn engine_within(&self, endpoint: &str, network: Network) -> Engine {
        let settings = self.settings_with(&[("endpoint", endpoint)]);
        let stores = Stores::new(settings, network, closed_environment());
        Engine::new(Arc::new(stores), TransferLimits::within(None))
    }

    /// An engine that reaches the server through `endpoint`; silence of this length is a stall.
    #[must_use]
    pub fn impatient_engine_through(&self, endpoint: &str, patience: Duration) -> Engine {
        engine_within(self.settings_with(&[("endpoint", endpoint)]), patience)
    }
}

/// An engine with few retries, and short waits between them.
#[must_use]
pub fn engine(settings: StorageSettings) -> Engine {
    engine_within(settings, Network::default().stall_timeout)
}

fn engine_within(settings: StorageSettings, stall_timeout: Duration) -> Engine {
    let stores = stores(settings, stall_timeout);
    Engine::new(Arc::new(stores), TransferLimits::within(None))
}

fn stores(settings: StorageSettings, stall_timeout: Duration) -> Stores {
    let network = Network {
        stall_timeout,
        retry: Retry {
            attempts: 5,
            base: Duration::from_millis(10),
            known_elapsed: Duration::from_millis(100),
            ..Retry::default()
        },
        ..Network::default()
    };
    Stores::new(settings, network, closed_environment())
}

/// An environment without credentials, whose metadata services are closed loopback ports.
#[must_use]
pub fn closed_environment() -> Environment {
    [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1"),
        ("GCE_METADATA_HOST", "127.0.0.1:1"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// A reference in the bucket.
///
/// # Panics
/// If a component of `key` is not a valid name.
#[must_use]
pub fn object(key: &str) -> Reference {
    let bucket = Reference::parse("s3://data").expect("a constant");
    bucket.join(&[key]).expect("the names of a test")
}

/// A file to upload.
#[must_use]
pub fn local_file(path: PathBuf) -> LocalFile {
    LocalFile::new(path.display().to_string(), move || {
        std::fs::File::open(&path)
    })
}

/// Pseudo-random bytes of this seed.
#[must_use]
pub fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut data = Vec::with_capacity(length + 8);
    while data.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data.extend_from_slice(&state.to_le_bytes());
    }
    data.truncate(length);
    data
}

/// Runs copies to their end.
pub async fn run(engine: &Engine, copies: Vec<Copy>) -> Result<Summary, TransferError> {
    engine.run(stream::iter(copies), &Stop::default()).await
}

/// A place that does not exist yet, or is replaced: a path beneath the nearest directory that exists.
///
/// # Panics
/// If no directory above it can be opened.
#[must_use]
pub fn place(path: &Path) -> Place {
    let above = path.ancestors().skip(1).find(|above| above.is_dir());
    let above = above.expect("a directory is above it");
    let held = GuardedDirectory::open(above).expect("the directory can be opened");
    let beneath = path.strip_prefix(above).expect("it is beneath");
    Place::new(&Arc::new(held), beneath)
}

/// An object of the bucket to a file.
#[must_use]
pub fn download(key: &str, to: &Path) -> Copy {
    Copy::Download {
        from: object(key),
        to: place(to),
        size: None,
    }
}

/// A prefix of the bucket to a directory.
#[must_use]
pub fn prefix(key: &str, to: &Path) -> Copy {
    Copy::DownloadPrefix {
        from: object(key),
        to: place(to),
    }
}

/// A file to an object of the bucket.
#[must_use]
pub fn upload(path: &Path, key: &str) -> Copy {
    Copy::Upload {
        from: local_file(path.to_owned()),
        to: object(key),
        resume: None,
    }
}

/// The names in a directory, hidden ones included. Empty if the directory does not exist.
#[must_use]
pub fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
