//! The store of the bench: `MinIO`, in a process of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use copilot::config::StorageSettings;
use copilot::idl::{LiteralMap, Message as _, blob_type::BlobDimensionality};
use copilot::store::{Environment, Network, Reference, Stores};
use copilot::transfer::{Copy, Engine, LocalFile, Stop, TransferLimits};
use futures_util::stream;

use super::contender::OUTPUT;
use super::distance::Distance;
use super::relay::Relay;
use crate::bench::report;
use crate::minio::{ACCESS_KEY, MINIO, Minio, SECRET_KEY};
use crate::task::blob;
use crate::{emulator, flags};

/// The bucket.
pub const BUCKET: &str = "data";

/// A running server; stops when dropped.
#[derive(Debug)]
pub struct Server {
    /// Its version.
    pub version: String,
    /// Its own address.
    near: String,
    relay: Option<Relay>,
    minio: Minio,
}

impl Server {
    /// Starts it with a new directory in `place`, at this distance from the programs. `program` is the path of
    /// this program.
    pub fn start_at(program: &Path, place: &Path, distance: Distance) -> Result<Self> {
        let mut server = Self::start(place)?;
        if !distance.is_direct() {
            let upstream = server.minio.address();
            server.relay = Some(Relay::start(program, upstream, distance, place)?);
        }
        Ok(server)
    }

    /// Starts it with a new directory in `place`.
    pub fn start(place: &Path) -> Result<Self> {
        let program = emulator::find(MINIO);
        let program = program.context("minio is not here: `cargo xtask setup --benches`")?;
        let version = report::version(&program, "--version");
        let minio = Minio::start_at(place)?;
        Ok(Self {
            near: minio.endpoint(),
            relay: None,
            version: version.unwrap_or_else(|| "unknown".to_owned()),
            minio,
        })
    }

    /// Its address, as the programs see it.
    pub fn endpoint(&self) -> &str {
        self.relay
            .as_ref()
            .map_or(&self.near, |relay| &relay.endpoint)
    }

    /// The file of the authority that the programs must trust.
    pub fn authority(&self) -> Option<&Path> {
        self.relay.as_ref()?.authority.as_deref()
    }

    /// Copilot's flags for it.
    pub fn flags(&self) -> Vec<String> {
        flags::s3(self.endpoint(), BUCKET, (ACCESS_KEY, SECRET_KEY))
    }

    /// A client of our own beside the server, to upload the sources and to list what was uploaded.
    fn engine(&self) -> Engine {
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let config = flags::s3_config(&self.near, (ACCESS_KEY, SECRET_KEY));
        let settings = StorageSettings {
            store_type: "stow".to_owned(),
            stow_kind: "s3".to_owned(),
            stow_config: config.into_iter().map(pair).collect(),
            container: BUCKET.to_owned(),
            ..StorageSettings::default()
        };
        let stores = Stores::new(settings, Network::default(), Environment::default());
        Engine::new(Arc::new(stores), TransferLimits::within(None))
    }

    /// Uploads the files of a directory.
    pub fn upload(&self, directory: &Path, prefix: &str) -> Result<()> {
        let mut copies = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            copies.push(Copy::Upload {
                from: LocalFile::new(name.clone(), move || fs::File::open(entry.path())),
                to: Reference::parse(&format!("s3://{BUCKET}/{prefix}/{name}"))?,
                resume: None,
            });
        }
        let engine = self.engine();
        block_on(async { engine.run(stream::iter(copies), &Stop::default()).await })??;
        Ok(())
    }

    /// Writes the inputs of a task whose only input is everything below a prefix.
    pub fn put_inputs(&self, prefix: &str) -> Result<()> {
        let uri = format!("s3://{BUCKET}/{prefix}");
        let literals = [(OUTPUT.to_owned(), blob(&uri, BlobDimensionality::Multipart))];
        let inputs = LiteralMap {
            literals: literals.into_iter().collect(),
        };
        let engine = self.engine();
        let to = Reference::parse(&Self::inputs_of(prefix))?;
        let bytes = Bytes::from(inputs.encode_to_vec());
        block_on(async { engine.write(&to, bytes, &Stop::default()).await })??;
        Ok(())
    }

    /// The URL of these inputs.
    pub fn inputs_of(prefix: &str) -> String {
        format!("s3://{BUCKET}/inputs/{prefix}.pb")
    }

    /// The objects below a prefix: their relative names and sizes.
    pub fn list(&self, prefix: &str) -> Result<BTreeMap<String, u64>> {
        let reference = Reference::parse(&format!("s3://{BUCKET}/{prefix}"))?;
        let engine = self.engine();
        block_on(async {
            let mut listing = engine.stores().open(&reference)?.list()?;
            let mut found = BTreeMap::new();
            while let Some(page) = listing.next_page().await? {
                for entry in page {
                    let name = entry.key.strip_prefix(listing.prefix());
                    let name = name.unwrap_or(&entry.key).to_owned();
                    found.insert(name, entry.size.unwrap_or_default());
                }
            }
            anyhow::Ok(found)
        })?
    }

    /// Removes the objects below a prefix from the server's own disk: ten thousand delete requests would
    /// take longer than the measurement. No prefix is used twice.
    pub fn forget(&self, prefix: &str) -> Result<()> {
        Ok(fs::remove_dir_all(
            self.minio
                .directory()
                .join("disk")
                .join(BUCKET)
                .join(prefix),
        )?)
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(work))
}
