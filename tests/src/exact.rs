//! An S3 server in memory that keeps each key as it is: with slashes at its edges, `//`, blanks. The other
//! server ([`crate::s3`]) keeps objects in files, whose paths cannot tell `a//b` from `a/b`.
//!
//! `s3s` reads and checks the requests, signatures included. Uploads in parts are not supported.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::auth::SimpleAuth;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, ETag, GetObjectInput, GetObjectOutput, HeadBucketInput,
    HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object, PutObjectInput, PutObjectOutput, Timestamp,
};
use s3s::service::S3ServiceBuilder;
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use crate::background::Background;
use crate::flags;

const ACCESS_KEY: &str = "test-access-key";
const SECRET_KEY: &str = "test-secret-key";

/// Its only bucket.
const BUCKET: &str = "data";

/// Characters that a listing with `encoding-type=url` shows as they are.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// A running server with the bucket `data`. It stops when it is dropped.
#[derive(Debug)]
pub struct ExactServer {
    objects: Objects,
    server: Background,
}

/// The objects by their keys.
#[derive(Clone, Debug, Default)]
struct Objects(Arc<Mutex<BTreeMap<String, Bytes>>>);

impl ExactServer {
    /// Starts a server with an empty bucket.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start() -> io::Result<Self> {
        let objects = Objects::default();
        let mut builder = S3ServiceBuilder::new(objects.clone());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let server = Background::start("exact-server", move |connection| {
            let service = service.clone();
            async move {
                // A client may close its connection at any time.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), service)
                    .await;
            }
        })?;
        Ok(Self { objects, server })
    }

    /// The flags with which Copilot reaches it.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        flags::s3(&self.endpoint(), BUCKET, (ACCESS_KEY, SECRET_KEY))
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The only access key that it accepts, and its secret.
    #[must_use]
    pub fn access_key(&self) -> (&'static str, &'static str) {
        (ACCESS_KEY, SECRET_KEY)
    }

    /// Stores an object.
    pub fn put(&self, key: &str, content: impl AsRef<[u8]>) {
        let content = Bytes::copy_from_slice(content.as_ref());
        self.objects.lock().insert(key.to_owned(), content);
    }

    /// An object, if it exists.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Bytes> {
        self.objects.lock().get(key).cloned()
    }

    /// All keys, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.objects.lock().keys().cloned().collect()
    }
}

impl Objects {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, bucket: &str, key: &str) -> S3Result<Bytes> {
        if bucket != BUCKET {
            return Err(s3_error!(NoSuchBucket));
        }
        let found = self.lock().get(key).cloned();
        found.ok_or_else(|| s3_error!(NoSuchKey))
    }
}

/// The version of an object: its length and a sum of its bytes.
fn etag(content: &[u8]) -> ETag {
    let sum: u64 = content.iter().map(|byte| u64::from(*byte)).sum();
    ETag::Strong(format!("{}-{sum}", content.len()))
}

fn length(content: &[u8]) -> Option<i64> {
    i64::try_from(content.len()).ok()
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::UNIX_EPOCH)
}

#[async_trait::async_trait]
impl S3 for Objects {
    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let content = self.find(&input.bucket, &input.key)?;
        let whole = content.len();
        let (piece, content_range) = match input.range {
            None => (content.clone(), None),
            Some(range) => {
                let range = range.check(whole as u64)?;
                let at = |offset: u64| usize::try_from(offset).unwrap_or(whole);
                let shown = format!("bytes {}-{}/{whole}", range.start, range.end - 1);
                (content.slice(at(range.start)..at(range.end)), Some(shown))
            }
        };
        Ok(S3Response::new(GetObjectOutput {
            content_length: length(&piece),
            content_range,
            e_tag: Some(etag(&content)),
            last_modified: Some(now()),
            body: Some(Body::from(piece).into()),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let content = self.find(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: length(&content),
            e_tag: Some(etag(&content)),
            last_modified: Some(now()),
            ..HeadObjectOutput::default()
        }))
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let body = input.body.ok_or_else(|| s3_error!(IncompleteBody))?;
        let pieces: Vec<Bytes> = body
            .try_collect()
            .await
            .map_err(|_| s3_error!(IncompleteBody))?;
        let content = Bytes::from(pieces.concat());
        let e_tag = Some(etag(&content));
        self.lock().insert(input.key, content);
        Ok(S3Response::new(PutObjectOutput {
            e_tag,
            ..PutObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.lock().remove(&request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        match request.input.bucket.as_str() {
            BUCKET => Ok(S3Response::new(HeadBucketOutput::default())),
            _ => Err(s3_error!(NoSuchBucket)),
        }
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let prefix = input.prefix.clone().unwrap_or_default();
        let objects = self.lock();
        let found = objects.iter().filter(|(key, _)| key.starts_with(&prefix));
        let is_encoded = input.encoding_type.is_some();
        let shown = |key: &str| {
            if is_encoded {
                utf8_percent_encode(key, KEY).to_string()
            } else {
                key.to_owned()
            }
        };
        let contents: Vec<Object> = found
            .map(|(key, content)| Object {
                key: Some(shown(key)),
                size: length(content),
                e_tag: Some(etag(content)),
                last_modified: Some(now()),
                ..Object::default()
            })
            .collect();
        Ok(S3Response::new(ListObjectsV2Output {
            is_truncated: Some(false),
            key_count: i32::try_from(contents.len()).ok(),
            contents: Some(contents),
            encoding_type: input.encoding_type,
            name: Some(input.bucket),
            prefix: Some(shown(&prefix)),
            ..ListObjectsV2Output::default()
        }))
    }
}
