//! The lower bound of `cargo xtask bench transfer`: makes the same requests in a plain loop over the store
//! library, with the library's own client. It has no retries, no resumption, no limits and no checks.
//!
//! `bare ENDPOINT BUCKET down PREFIX DIRECTORY` and `bare ENDPOINT BUCKET up DIRECTORY PREFIX`, keys in
//! `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. Part sizes and concurrency are those of Copilot.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::MultipartStore as _;
use object_store::path::Path as Key;
use object_store::{
    ClientOptions, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, PutPayload,
    RetryConfig,
};

/// The size of a part, which is sent in one request.
const PART: u64 = 8 << 20;
/// Concurrent parts of one object.
const PARTS: usize = 4;
/// Concurrent objects.
const OBJECTS: usize = 16;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // The HTTP client needs a TLS provider even for plain HTTP.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [endpoint, bucket, direction, from, to] = words.as_slice() else {
        bail!("run it by `cargo xtask bench transfer`");
    };
    let store = AmazonS3Builder::from_env()
        .with_endpoint(*endpoint)
        .with_bucket_name(*bucket)
        .with_region("us-east-1")
        .with_allow_http(true)
        .with_client_options(
            ClientOptions::new()
                .with_allow_http(true)
                .with_timeout_disabled(),
        )
        .with_retry(RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        })
        .build()?;
    match *direction {
        "down" => down(&store, from, Path::new(to)).await,
        "up" => up(&store, Path::new(from), to).await,
        _ => bail!("no such direction: {direction}"),
    }
}

async fn down(store: &AmazonS3, prefix: &str, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let prefix = Key::from(prefix);
    store
        .list(Some(&prefix))
        .map_err(anyhow::Error::from)
        .try_for_each_concurrent(OBJECTS, async |meta| {
            let name = meta.location.filename().context("a key has a name")?;
            let beside = directory.join(format!(".{name}"));
            let file = File::create_new(&beside)?;
            if meta.size <= PART {
                write(store, &meta.location, None, &file).await?;
            } else {
                let ranges = (0..meta.size.div_ceil(PART))
                    .map(|index| index * PART..meta.size.min((index + 1) * PART));
                stream::iter(ranges.map(Ok))
                    .try_for_each_concurrent(PARTS, |range| {
                        write(store, &meta.location, Some(range), &file)
                    })
                    .await?;
            }
            fs::rename(&beside, directory.join(name))?;
            Ok(())
        })
        .await
}

/// Writes an object, or a range of it, to its place in the file.
async fn write(
    store: &AmazonS3,
    key: &Key,
    range: Option<std::ops::Range<u64>>,
    file: &File,
) -> Result<()> {
    let mut at = range.as_ref().map_or(0, |range| range.start);
    let options = GetOptions {
        range: range.map(GetRange::Bounded),
        ..GetOptions::default()
    };
    let mut body = store.get_opts(key, options).await?.into_stream();
    while let Some(chunk) = body.try_next().await? {
        file.write_all_at(&chunk, at)?;
        at += chunk.len() as u64;
    }
    Ok(())
}

async fn up(store: &AmazonS3, directory: &Path, prefix: &str) -> Result<()> {
    stream::iter(fs::read_dir(directory)?)
        .map_err(anyhow::Error::from)
        .try_for_each_concurrent(OBJECTS, async |entry| {
            let name = entry.file_name().into_string().ok().context("a name")?;
            let key = Key::from(format!("{prefix}/{name}"));
            let file = File::open(entry.path())?;
            let size = file.metadata()?.len();
            if size <= PART {
                store.put(&key, read(&file, 0, size)?).await?;
                return Ok(());
            }
            let id = store.create_multipart(&key).await?;
            let parts: Vec<_> = stream::iter(0..size.div_ceil(PART))
                .map(async |index| {
                    let length = PART.min(size - index * PART);
                    let data = read(&file, index * PART, length)?;
                    let number = usize::try_from(index)?;
                    let part = store.put_part(&key, &id, number, data).await?;
                    Ok::<_, anyhow::Error>(part)
                })
                .buffered(PARTS)
                .try_collect()
                .await?;
            store.complete_multipart(&key, &id, parts).await?;
            Ok(())
        })
        .await
}

fn read(file: &File, offset: u64, length: u64) -> io::Result<PutPayload> {
    let mut data = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut data, offset)?;
    Ok(data.into())
}
