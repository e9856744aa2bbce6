//! One behaviour of every back end: what `Object` promises holds for buckets, directories and memory
//! alike.

#![cfg(test)]

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use copilot::config::StorageSettings;
use copilot::store::{
    Environment, ListEntry, Network, Object, Reference, SameVersion, StoreError, Stores,
};
use copilot_tests::emulator::{ACCOUNT, ACCOUNT_KEY, AZURITE};
use copilot_tests::minio::{self, MINIO, Minio};
use copilot_tests::requirement::Requirement;
use copilot_tests::s3::S3Server;
use copilot_tests::site::{Site, bytes, closed_environment};
use copilot_tests::stores::Azure;
use futures_util::TryStreamExt as _;

const MIB: usize = 1 << 20;

/// The smallest part that S3 accepts.
const PART: usize = 5 * MIB;

/// The limit of one read in these tests.
const LIMIT_MIB: u64 = 12;

/// One back end with the container `data`.
struct Subject {
    name: &'static str,
    base: &'static str,
    stores: Stores,
    /// Servers and directories, which end with it.
    _alive: Box<dyn Any>,
}

fn settings(kind: &str, keys: &[(&str, &str)]) -> StorageSettings {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    StorageSettings {
        store_type: if kind == "mem" { "mem" } else { "stow" }.to_owned(),
        stow_kind: kind.to_owned(),
        stow_config: keys.iter().map(pair).collect(),
        container: "data".to_owned(),
        max_download_mib: LIMIT_MIB,
        ..StorageSettings::default()
    }
}

impl Subject {
    fn new(
        name: &'static str,
        base: &'static str,
        settings: StorageSettings,
        environment: Environment,
        alive: impl Any,
    ) -> Self {
        Self {
            name,
            base,
            stores: Stores::new(settings, Network::default(), environment),
            _alive: Box::new(alive),
        }
    }

    fn object(&self, key: &str) -> Object {
        let base = Reference::parse(self.base).unwrap();
        self.stores.open(&base.join(&[key]).unwrap()).unwrap()
    }

    async fn put(&self, key: &str, content: &[u8]) {
        let put = self.object(key).put(Bytes::copy_from_slice(content)).await;
        put.unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, StoreError> {
        let body = self.object(key).get(range, None).await?;
        let chunks: Vec<Bytes> = body.stream.try_collect().await?;
        Ok(chunks.concat())
    }

    async fn list(&self, prefix: &str) -> Vec<ListEntry> {
        let mut listing = self.object(prefix).list().unwrap();
        assert_eq!(listing.prefix(), format!("{prefix}/"), "{}", self.name);
        let mut found = Vec::new();
        while let Some(page) = listing.next_page().await.unwrap() {
            found.extend(page);
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found
    }
}

/// Every back end that can run here.
fn subjects() -> Vec<Subject> {
    let site = Site::start().unwrap();
    let s3 = StorageSettings {
        max_download_mib: LIMIT_MIB,
        ..site.settings()
    };
    let open = tempfile::tempdir().unwrap();
    std::fs::create_dir(open.path().join("data")).unwrap();
    let google = S3Server::open(open.path()).unwrap();
    let emulator = google.endpoint.trim_start_matches("http://").to_owned();
    let emulator = [("STORAGE_EMULATOR_HOST".to_owned(), emulator)];
    let local = tempfile::tempdir().unwrap();
    std::fs::create_dir(local.path().join("data")).unwrap();
    let path = local.path().display().to_string();
    let mut subjects = vec![
        Subject::new(
            "S3, in process",
            "s3://data",
            s3,
            closed_environment(),
            site,
        ),
        Subject::new(
            "Google, its S3 interface played by our S3 server",
            "gs://data",
            settings("google", &[]),
            emulator.into_iter().collect(),
            (google, open),
        ),
        Subject::new(
            "local",
            "file://data",
            settings("local", &[("path", &path)]),
            closed_environment(),
            local,
        ),
        Subject::new(
            "memory",
            "mem://data",
            settings("mem", &[]),
            closed_environment(),
            (),
        ),
    ];
    if Requirement::Emulator(MINIO).is_met() {
        let minio = Minio::start().unwrap();
        let endpoint = minio.endpoint();
        let keys = [
            ("access_key_id", minio::ACCESS_KEY),
            ("secret_key", minio::SECRET_KEY),
            ("endpoint", &endpoint),
        ];
        subjects.push(Subject::new(
            "S3, MinIO",
            "s3://data",
            settings("s3", &keys),
            closed_environment(),
            minio,
        ));
    }
    if Requirement::Emulator(AZURITE).is_met() {
        let azure = Azure::start();
        let endpoint = format!("http://{}/{ACCOUNT}", azure.address());
        let keys = [
            ("account", ACCOUNT),
            ("key", ACCOUNT_KEY),
            ("endpoint", &endpoint),
        ];
        subjects.push(Subject::new(
            "Azure, azurite",
            "abfs://data",
            settings("azure", &keys),
            closed_environment(),
            azure,
        ));
    }
    subjects
}

#[tokio::test]
async fn every_back_end_behaves_alike() {
    for subject in subjects() {
        eprintln!("back end: {}", subject.name);
        missing_objects_are_not_found(&subject).await;
        objects_are_read_whole_and_in_ranges(&subject).await;
        one_version_is_read(&subject).await;
        deleted_objects_are_gone(&subject).await;
        a_prefix_ends_at_a_slash(&subject).await;
        an_upload_is_invisible_until_it_is_complete(&subject).await;
        an_aborted_upload_leaves_nothing(&subject).await;
        reads_are_limited(&subject).await;
    }
}

async fn missing_objects_are_not_found(subject: &Subject) {
    let missing = subject.object("missing/object");
    let found = missing.get(None, None).await.err().unwrap();
    assert!(matches!(found, StoreError::NotFound { .. }), "{found}");
    let message = found.to_string();
    assert!(message.contains("/missing/object (store "), "{message}");
    assert!(std::error::Error::source(&found).is_some(), "{message}");
    assert!(!missing.exists().await.unwrap());
    assert!(!missing.is_there().await.unwrap());
    missing.delete().await.unwrap();
}

async fn objects_are_read_whole_and_in_ranges(subject: &Subject) {
    let content = bytes(1000, 1);
    subject.put("read/full", &content).await;
    subject.put("read/empty", b"").await;
    for (range, start, end) in [
        (None, 0, 1000),
        (Some(10..20), 10, 20),
        (Some(990..5000), 990, 1000),
        (Some(10..u64::MAX), 10, 1000),
    ] {
        let body = subject.object("read/full").get(range, None).await.unwrap();
        assert_eq!((body.start, body.end), (start, Some(end)));
        assert_eq!(body.version.size(), Some(1000));
        assert!(!body.ends_by_close);
    }
    assert_eq!(subject.read("read/full", None).await.unwrap(), content);
    for (range, expected) in [
        (0..1, 0..1),
        (0..1000, 0..1000),
        (10..20, 10..20),
        (999..1000, 999..1000),
        (990..5000, 990..1000),
    ] {
        let found = subject.read("read/full", Some(range.clone())).await;
        assert!(found.unwrap() == content[expected], "{range:?}");
    }
    for range in [None, Some(0..10)] {
        assert_eq!(subject.read("read/empty", range).await.unwrap(), b"");
    }
    assert!(subject.object("read/empty").has_ranges());
}

async fn one_version_is_read(subject: &Subject) {
    subject.put("version", b"the first one").await;
    let object = subject.object("version");
    let first = object.get(None, None).await.unwrap().version;
    assert!(first.is_provable());
    let same = object.get(Some(4..9), Some(&first)).await.unwrap();
    assert_eq!(first.same_as(&same.version), SameVersion::Yes);
    subject.put("version", b"the other one").await;
    // The store is asked for the first version, refuses, and is asked again.
    let other = object.get(Some(4..9), Some(&first)).await.unwrap();
    assert_eq!(first.same_as(&other.version), SameVersion::No);
}

async fn deleted_objects_are_gone(subject: &Subject) {
    let object = subject.object("deleted");
    subject.put("deleted", b"x").await;
    assert!(object.exists().await.unwrap());
    assert!(object.is_there().await.unwrap());
    object.delete().await.unwrap();
    assert!(!object.exists().await.unwrap());
    assert!(!object.is_there().await.unwrap());
}

async fn a_prefix_ends_at_a_slash(subject: &Subject) {
    let mut expected = BTreeMap::new();
    for key in ["a", "b/c", "100% odd#", "é+ x", "a?b"] {
        let key = format!("list/p/{key}");
        subject.put(&key, key.as_bytes()).await;
        expected.insert(key.clone(), key.len() as u64);
    }
    for sibling in ["list/p2", "list/p.x", "list/o/a"] {
        subject.put(sibling, b"not beneath it").await;
    }
    let found = subject.list("list/p").await;
    let found: BTreeMap<_, _> = { found.into_iter() }
        .map(|object| (object.key, object.size.unwrap()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(subject.list("list/none").await, []);
    assert_eq!(subject.list("list/p2").await, []);
    // What a listing found can be read.
    let odd = subject.object("list/p").at_key("list/p/100% odd#");
    assert!(odd.get(None, None).await.is_ok());
}

async fn an_upload_is_invisible_until_it_is_complete(subject: &Subject) {
    let content = bytes(2 * PART + 77, 2);
    let object = subject.object("upload/complete");
    let mut upload = object.begin().await.unwrap();
    let mut parts = Vec::new();
    // In any order.
    for index in [2, 0, 1] {
        let start = index * PART;
        let piece = &content[start..content.len().min(start + PART)];
        let data = Bytes::copy_from_slice(piece);
        let part = upload.part(index, start as u64, data).await.unwrap();
        parts.push((index, part));
    }
    assert!(!object.exists().await.unwrap());
    parts.sort_by_key(|(index, _)| *index);
    let parts = parts.into_iter().map(|(_, part)| part).collect();
    upload.complete(parts, content.len() as u64).await.unwrap();
    let found = subject.read("upload/complete", None).await.unwrap();
    assert!(found == content, "the bytes differ");
}

async fn an_aborted_upload_leaves_nothing(subject: &Subject) {
    let object = subject.object("upload/aborted");
    let upload = object.begin().await.unwrap();
    upload.part(0, 0, bytes(PART, 3).into()).await.unwrap();
    upload.abort().await.unwrap();
    assert!(!object.exists().await.unwrap());
    // A later process knows no more than the id.
    let upload = object.begin().await.unwrap();
    if let Some(id) = upload.id() {
        object.abort_upload(id).await.unwrap();
        // The second time the upload has ended. Our server in process says 403 then.
        let again = object.abort_upload(id).await;
        let is_known = matches!(again, Ok(()) | Err(StoreError::Denied { .. }));
        assert!(is_known, "{}: {again:?}", subject.name);
    }
    let left = subject.list("upload").await;
    assert!(
        left.iter().all(|left| left.key == "upload/complete"),
        "{left:?}"
    );
}

async fn reads_are_limited(subject: &Subject) {
    subject.put("large", &bytes(13 * MIB, 4)).await;
    let refused = subject.object("large").get(Some(0..10), None).await;
    let refused = refused.err().unwrap();
    let size = 13 * MIB as u64;
    assert!(
        matches!(refused, StoreError::TooLarge { size: found, .. } if found == size),
        "{refused}"
    );
}
