//! Bodies that break while their object changes: the file is one whole version, or the run fails.

mod random;
mod server;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use copilot::config::StorageSettings;
use copilot::store::{Network, Reference, Retry, Stores};
use copilot::transfer::{Copy, Engine, Stop, TransferLimits};
use copilot_tests::site::{bytes, closed_environment, names, place, run};
use server::{Condition, Length, Modified, Nature, Ranges, Server, Tag};

/// Bytes of a part: an object of more comes in several ranges.
const PART: usize = 1000;

/// How an object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// From the web to a file.
    Web,
    /// From a bucket to a file.
    Bucket,
    /// From a bucket into memory, as inputs are.
    Memory,
}

const WAYS: [Way; 3] = [Way::Web, Way::Bucket, Way::Memory];

/// A client without pauses.
struct Client {
    engine: Engine,
    endpoint: String,
    dir: tempfile::TempDir,
}

impl Client {
    fn of(server: &Server) -> Self {
        let endpoint = server.endpoint();
        let keys = [
            ("auth_type", "accesskey"),
            ("access_key_id", "key"),
            ("secret_key", "secret"),
            ("endpoint", &endpoint),
        ];
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let settings = StorageSettings {
            store_type: "stow".to_owned(),
            stow_kind: "s3".to_owned(),
            stow_config: keys.into_iter().map(pair).collect(),
            container: "data".to_owned(),
            ..StorageSettings::default()
        };
        let network = Network {
            retry: Retry {
                base: Duration::ZERO,
                ..Retry::default()
            },
            ..Network::default()
        };
        let limits = TransferLimits {
            part_size: PART as u64,
            ..TransferLimits::within(None)
        };
        let stores = Stores::new(settings, network, closed_environment());
        Self {
            engine: Engine::new(Arc::new(stores), limits),
            endpoint,
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// Reads the object; a failure leaves nothing.
    async fn read(&self, way: Way) -> Result<Vec<u8>, String> {
        let from = match way {
            Way::Web => format!("{}/web/x", self.endpoint),
            Way::Bucket | Way::Memory => "s3://data/x".to_owned(),
        };
        let from = Reference::parse(&from).unwrap();
        if way == Way::Memory {
            let read = self.engine.read(&from, 1 << 20, &Stop::default()).await;
            return read.map(Into::into).map_err(|error| error.to_string());
        }
        let to = self.dir.path().join("x");
        let copy = Copy::Download {
            from,
            to: place(&to),
            size: None,
        };
        match run(&self.engine, vec![copy]).await {
            Ok(_) => {
                let read = fs::read(&to).unwrap();
                fs::remove_file(&to).unwrap();
                Ok(read)
            }
            Err(error) => {
                let left = names(self.dir.path());
                assert!(left.is_empty(), "{left:?}");
                Err(error.to_string())
            }
        }
    }
}

/// Two versions, of which the second has so many bytes.
fn versions(size: usize) -> Vec<Vec<u8>> {
    vec![bytes(5 * PART, 1), bytes(size, 2)]
}

/// The server does not heed conditions, but its answers show the other version: by the tag, the time of
/// modification, or the size.
#[tokio::test]
async fn a_resumed_answer_of_another_version_is_never_mixed_in() {
    let server = Server::start();
    let client = Client::of(&server);
    for (tag, modified) in [
        (Tag::Strong, Modified::Old),
        (Tag::None, Modified::Old),
        (Tag::Weak, Modified::None),
        (Tag::Alike, Modified::Old),
        (Tag::Alike, Modified::Now),
        (Tag::None, Modified::Now),
        (Tag::None, Modified::None),
        (Tag::Bare, Modified::Garbled),
    ] {
        for size in [5 * PART, 5 * PART + 500, 4 * PART] {
            for way in WAYS {
                let versions = versions(size);
                let nature = Nature {
                    tag,
                    modified,
                    condition: Condition::Ignored,
                    changes: vec![1],
                    breaks: vec![600],
                    ..Nature::good()
                };
                let story = format!("{way:?} {size} {nature:?}");
                server.becomes(nature, versions.clone());
                let read = client.read(way).await.expect(&story);
                assert!(read == versions[1], "{story}");
            }
        }
    }
}

/// A partial answer is used only at the place that it proves to belong to.
#[tokio::test]
async fn a_misplaced_range_is_never_used() {
    let server = Server::start();
    let client = Client::of(&server);
    for ranges in [
        Ranges::Ignored,
        Ranges::Refused(400),
        Ranges::Refused(416),
        Ranges::Refused(501),
        Ranges::AtMost(300),
        Ranges::Shifted(-7),
        Ranges::Shifted(7),
        Ranges::Wrong(-1, -1, 0),
        Ranges::Wrong(1, 1, 0),
        Ranges::Wrong(0, 1, 0),
        Ranges::Wrong(0, -1, 0),
        Ranges::Wrong(0, 0, 1),
        Ranges::Wrong(0, 0, -3000),
        Ranges::Says(None),
        Ranges::Says(Some("bytes */5000")),
        Ranges::Says(Some("garbled")),
        Ranges::Unsized,
        Ranges::Excess,
    ] {
        for (tag, modified) in [(Tag::Strong, Modified::None), (Tag::None, Modified::Old)] {
            for way in WAYS {
                let versions = versions(0);
                let nature = Nature {
                    tag,
                    modified,
                    ranges,
                    breaks: vec![600, 400],
                    ..Nature::good()
                };
                let story = format!("{way:?} {nature:?}");
                server.becomes(nature, versions.clone());
                let read = client.read(way).await.expect(&story);
                assert!(read == versions[0], "{story}");
            }
        }
    }
}

/// Servers that do not know a condition, or refuse the tag that they gave themselves.
#[tokio::test]
async fn a_refused_condition_is_dropped() {
    let server = Server::start();
    for status in [400, 412, 501] {
        for (way, field) in [
            (Way::Web, "if-range: "),
            (Way::Bucket, "if-match: "),
            (Way::Memory, "if-match: "),
        ] {
            let client = Client::of(&server);
            let versions = versions(0);
            let nature = Nature {
                condition: Condition::Refused(status),
                breaks: vec![600, 700],
                ..Nature::good()
            };
            server.becomes(nature, versions.clone());
            let read = client.read(way).await.unwrap();
            assert!(read == versions[0], "{way:?} {status}");
            let asked = server.asked();
            let conditional = asked.iter().filter(|head| head.contains(field)).count();
            assert!(conditional > 0, "{way:?} {status}");
            // A bucket is asked that way once more at most by each range that runs at once.
            assert!(conditional <= 4, "{way:?} {status}: {conditional}");
        }
    }
}

/// A weak tag cannot be a condition, and proves nothing; nor does a tag without quotes go into one.
#[tokio::test]
async fn weak_tags_and_bare_tags_are_no_conditions() {
    let server = Server::start();
    let client = Client::of(&server);
    for tag in [Tag::Weak, Tag::Bare] {
        for way in WAYS {
            let versions = versions(0);
            let nature = Nature {
                tag,
                breaks: vec![600],
                ..Nature::good()
            };
            server.becomes(nature, versions.clone());
            assert!(client.read(way).await.unwrap() == versions[0]);
            let asked = server.asked();
            assert!(
                !asked.iter().any(|head| head.contains("\nif-")),
                "{asked:?}"
            );
            // Size and time prove the version, so it is resumed all the same.
            assert!(asked.iter().any(|head| head.contains("range: bytes=600-")));
        }
    }
}

/// Nothing can be proven: one stream, and from the beginning where it breaks, a limited number of times.
#[tokio::test]
async fn without_any_validator_an_object_is_read_in_one_stream() {
    let server = Server::start();
    let client = Client::of(&server);
    for way in WAYS {
        let versions = versions(0);
        let nature = |breaks| Nature {
            tag: Tag::None,
            modified: Modified::None,
            breaks,
            ..Nature::good()
        };
        server.becomes(nature(vec![600, 4000]), versions.clone());
        assert!(client.read(way).await.unwrap() == versions[0], "{way:?}");
        let asked = server.asked();
        let whole = asked
            .iter()
            .filter(|head| !head.contains("range: "))
            .count();
        assert!(asked.len() - whole <= 1, "{way:?} {asked:?}");

        server.becomes(nature(vec![900; 100]), versions);
        let error = client.read(way).await.unwrap_err();
        for word in ["begun 10 times", "ETag", "Last-Modified", "Try again"] {
            assert!(error.contains(word), "{way:?}: {error}");
        }
        assert!(server.asked().len() <= 11, "{way:?}");
    }
}

/// An object that is rewritten all the time: the message says so.
#[tokio::test]
async fn an_object_that_never_rests_is_refused() {
    let server = Server::start();
    let client = Client::of(&server);
    for way in WAYS {
        let nature = Nature {
            changes: vec![1; 100],
            breaks: vec![600; 100],
            ..Nature::good()
        };
        server.becomes(nature, versions(5 * PART));
        let error = client.read(way).await.unwrap_err();
        for word in ["changed while it was read", "Let its writer finish"] {
            assert!(error.contains(word), "{way:?}: {error}");
        }
    }
}

/// The server marks the end of an answer only by the end of the connection, and breaks off in the middle.
#[tokio::test]
async fn an_answer_without_a_marked_end_is_read_twice() {
    let server = Server::start();
    let client = Client::of(&server);
    for way in WAYS {
        for size in [0, 1, 5 * PART] {
            let data = bytes(size, 1);
            let nature = |breaks| Nature {
                length: Length::Unmarked,
                ranges: Ranges::Ignored,
                breaks,
                ..Nature::good()
            };
            server.becomes(nature(vec![3000]), vec![data.clone()]);
            assert!(client.read(way).await.unwrap() == data, "{way:?} {size}");
            let broke = usize::from(size > 3000);
            // An empty object has no first range.
            let refused = usize::from(size == 0 && way == Way::Bucket);
            let expected = 2 + broke + refused;
            assert_eq!(server.asked().len(), expected, "{way:?} {size}");
        }
        let nature = Nature {
            length: Length::Unmarked,
            ranges: Ranges::Ignored,
            breaks: (100..200).collect(),
            ..Nature::good()
        };
        server.becomes(nature, vec![bytes(5 * PART, 1)]);
        let error = client.read(way).await.unwrap_err();
        assert!(error.contains("read 10 times"), "{way:?}: {error}");
        assert!(error.contains("Content-Length"), "{way:?}: {error}");
    }
}
