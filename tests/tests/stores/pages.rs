//! Listings of servers that misbehave: all keys come, once each, or the listing is refused.

#![cfg(test)]

use std::collections::BTreeMap;

use copilot::config::StorageSettings;
use copilot::store::{Network, Reference, Stores};
use copilot_tests::emulator::{ACCOUNT, ACCOUNT_KEY};
use copilot_tests::recorder::{Asked, Recorder};
use copilot_tests::site::closed_environment;

/// The query of a request. Values are not decoded: these tests have simple ones.
struct Query(BTreeMap<String, String>);

impl Query {
    fn of(asked: &Asked) -> Self {
        let query = asked.line().split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.replace("%2F", "/")));
        Self(pairs.collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// How a server answers: status and body.
type Answers = fn(&Query) -> (u16, String);

/// The keys `p/a` to `p/e` after one of them, two at most, and whether more follow.
fn page(after: &str) -> (String, Option<&'static str>) {
    let keys = ["p/a", "p/b", "p/c", "p/d", "p/e"];
    let rest: Vec<&str> = keys.into_iter().filter(|key| *key > after).collect();
    let last = (rest.len() > 2).then(|| rest[1]);
    (entries(&rest[..rest.len().min(2)]), last)
}

fn entries(keys: &[&str]) -> String {
    let entry = |key: &&str| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>");
    keys.iter().map(entry).collect()
}

fn s3(inner: &str) -> (u16, String) {
    (200, format!("<ListBucketResult>{inner}</ListBucketResult>"))
}

fn azure(names: &[&str], marker: &str) -> (u16, String) {
    let blob = |name: &&str| format!("<Blob><Name>{name}</Name><Properties/></Blob>");
    let blobs: String = names.iter().map(blob).collect();
    let body = format!(
        "<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>"
    );
    (200, body)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, format!("<Error><Code>{code}</Code></Error>"))
}

fn truncated(is_truncated: bool) -> String {
    format!("<IsTruncated>{is_truncated}</IsTruncated>")
}

/// Lists `p/` of a store of this scheme that answers like this. Returns the keys in order or the error,
/// and the number of requests.
async fn list(scheme: &str, answer: Answers) -> (Result<Vec<String>, String>, usize) {
    let server = Recorder::start(move |asked| answer(&Query::of(asked))).unwrap();
    let host = server.host();
    let endpoint = format!("http://{host}");
    let account = format!("{endpoint}/{ACCOUNT}");
    let (kind, keys) = if scheme == "abfs" {
        let keys = [
            ("account", ACCOUNT),
            ("key", ACCOUNT_KEY),
            ("endpoint", &*account),
        ];
        ("azure", keys.to_vec())
    } else {
        let keys = [
            ("access_key_id", "k"),
            ("secret_key", "s"),
            ("endpoint", &*endpoint),
        ];
        ("s3", keys.to_vec())
    };
    let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let settings = StorageSettings {
        store_type: "stow".to_owned(),
        stow_kind: kind.to_owned(),
        stow_config: keys.into_iter().map(pair).collect(),
        container: "data".to_owned(),
        ..StorageSettings::default()
    };
    let stores = Stores::new(settings, Network::default(), closed_environment());
    let reference = Reference::parse(&format!("{scheme}://data/p")).unwrap();
    let mut listing = stores.open(&reference).unwrap().list().unwrap();
    let mut keys = Vec::new();
    let result = loop {
        match listing.next_page().await {
            Ok(Some(page)) => keys.extend(page.into_iter().map(|entry| entry.key)),
            Ok(None) => break Ok(keys),
            Err(error) => break Err(error.to_string()),
        }
    };
    (result, server.asked().len())
}

/// The keys of a page by S3's first version, if the request is one of it.
fn first_version(query: &Query, next_marker: bool) -> (u16, String) {
    let (entries, last) = page(query.get("marker"));
    let next = last.filter(|_| next_marker);
    let next = next.map_or(String::new(), |last| {
        format!("<NextMarker>{last}</NextMarker>")
    });
    let truncated = truncated(last.is_some());
    s3(&format!(
        "<Marker>{}</Marker>{truncated}{next}{entries}",
        query.get("marker")
    ))
}

/// A page that begins where the token or `start-after` says, and says no more than `IsTruncated`.
fn without_token(query: &Query, start: &str) -> (u16, String) {
    let (entries, last) = page(query.get(start));
    s3(&(truncated(last.is_some()) + &entries))
}

#[tokio::test]
async fn every_server_that_can_be_listed_is_listed_to_its_end() {
    let servers: [(&str, Answers); 13] = [
        ("the first version, with NextMarker", |query| {
            first_version(query, true)
        }),
        ("the first version, without NextMarker", |query| {
            first_version(query, false)
        }),
        ("the first version, which says nothing of itself", |query| {
            without_token(query, "marker")
        }),
        (
            "the first version, which refuses the second one",
            |query| match query.get("list-type") {
                "2" => refused(400, "InvalidArgument"),
                _ => first_version(query, false),
            },
        ),
        (
            "the first version, which does not know the second one",
            |query| match query.get("list-type") {
                "2" => refused(501, "NotImplemented"),
                _ => without_token(query, "marker"),
            },
        ),
        ("it forgets the token", |query| {
            without_token(query, "start-after")
        }),
        ("its token is empty", |query| {
            let (status, body) = without_token(query, "start-after");
            let token = "<NextContinuationToken/></ListBucketResult>";
            (status, body.replace("</ListBucketResult>", token))
        }),
        ("it goes on after the end", |query| {
            match query.get("continuation-token") {
                "" => {
                    let keys = entries(&["p/a", "p/b", "p/c", "p/d", "p/e"]);
                    let token = "<NextContinuationToken>t</NextContinuationToken>";
                    s3(&(truncated(false) + token + &keys))
                }
                _ => s3(&entries(&["p/z"])),
            }
        }),
        ("keys come twice", |query| {
            match query.get("continuation-token") {
                "" => {
                    let keys = entries(&["p/a", "p/a", "p/b", "p/c"]);
                    s3(&(truncated(true)
                        + "<NextContinuationToken>t</NextContinuationToken>"
                        + &keys))
                }
                _ => s3(&entries(&["p/c", "p/d", "p/e", "p/d"])),
            }
        }),
        ("keys come in any order", |query| {
            match query.get("continuation-token") {
                "" => {
                    let keys = entries(&["p/e", "p/b"]);
                    s3(&(truncated(true)
                        + "<NextContinuationToken>t</NextContinuationToken>"
                        + &keys))
                }
                _ => s3(&entries(&["p/d", "p/a", "p/b", "p/c"])),
            }
        }),
        ("some pages are empty", |query| {
            match query.get("continuation-token") {
                "" => s3(&(truncated(true) + "<NextContinuationToken>t</NextContinuationToken>")),
                "t" => s3(&(truncated(true) + "<NextContinuationToken>u</NextContinuationToken>")),
                _ => s3(&entries(&["p/a", "p/b", "p/c", "p/d", "p/e"])),
            }
        }),
        ("names are escaped without being asked for", |_| {
            let keys = entries(&["p%2Fa", "p%2Fb", "p/c", "p/%64", "p/e"]);
            s3(&("<EncodingType>url</EncodingType>".to_owned() + &keys))
        }),
        ("all elements have a namespace", |_| {
            let (_, body) = s3(&entries(&["p/a", "p/b", "p/c", "p/d", "p/e"]));
            let body = body
                .replace("</", "<\0")
                .replace('<', "<s3:")
                .replace("<s3:\0", "</s3:");
            (200, body.replacen("Result", "Result xmlns:s3='x'", 1))
        }),
    ];
    for (what, answer) in servers {
        let (listed, requests) = list("s3", answer).await;
        let mut listed = listed.unwrap_or_else(|error| panic!("{what}: {error}"));
        listed.sort();
        assert_eq!(listed, ["p/a", "p/b", "p/c", "p/d", "p/e"], "{what}");
        assert!(requests <= 6, "{what}: {requests} requests");
    }
}

#[tokio::test]
async fn a_listing_that_cannot_be_complete_is_refused() {
    let servers: [(&str, &str, Answers); 13] = [
        ("the same token for ever", "used before", |query| {
            let key = if query.get("continuation-token").is_empty() {
                "p/a"
            } else {
                "p/b"
            };
            let token = "<NextContinuationToken>t</NextContinuationToken>";
            s3(&(truncated(true) + token + &entries(&[key])))
        }),
        ("two tokens in turn", "no key that", |query| {
            let next = if query.get("continuation-token") == "t" {
                "u"
            } else {
                "t"
            };
            let token = format!("<NextContinuationToken>{next}</NextContinuationToken>");
            s3(&(truncated(true) + &token + &entries(&["p/a", "p/b"])))
        }),
        ("new tokens, the same keys", "no key that", |query| {
            let token = query.get("continuation-token").len();
            let token = format!(
                "<NextContinuationToken>{:x<1$}</NextContinuationToken>",
                "x",
                token + 1
            );
            s3(&(truncated(true) + &token + &entries(&["p/a"])))
        }),
        (
            "the same page, whatever is asked for",
            "no key that",
            |_| s3(&(truncated(true) + &entries(&["p/a", "p/b"]))),
        ),
        ("a marker that goes back", "no key that", |_| {
            let marker = "<Marker/><NextMarker>p/a</NextMarker>";
            s3(&(truncated(true) + marker + &entries(&["p/a", "p/b"])))
        }),
        ("empty pages without end", "256 empty pages", |query| {
            let token = query.get("continuation-token").len();
            let token = format!(
                "<NextContinuationToken>{:x<1$}</NextContinuationToken>",
                "x",
                token + 1
            );
            s3(&(truncated(true) + &token))
        }),
        ("more, but no key and no token", "says where", |_| {
            s3(&truncated(true))
        }),
        ("out of order, without a token", "says where", |_| {
            s3(&(truncated(true) + &entries(&["p/b", "p/a"])))
        }),
        (
            "keys outside the prefix",
            "does not begin with \"p/\"",
            |_| s3(&entries(&["a", "p/a", "q/a"])),
        ),
        (
            "a delimiter that nobody asked for",
            "hides the keys",
            |_| s3(&(entries(&["p/a"]) + "<CommonPrefixes><Prefix>p/d/</Prefix></CommonPrefixes>")),
        ),
        ("a web page", "begins with <html>", |_| {
            (200, "<html><body/></html>".to_owned())
        }),
        ("nothing", "is empty", |_| (200, String::new())),
        ("a document that is cut", "is cut", |_| {
            (200, "<ListBucketResult>".to_owned() + &entries(&["p/a"]))
        }),
    ];
    for (what, words, answer) in servers {
        let (listed, requests) = list("s3", answer).await;
        let error = listed.expect_err(what);
        assert!(error.contains(words), "{what}: {error}");
        assert!(
            error.contains("s3://data/p (store http://127.0.0.1"),
            "{what}: {error}"
        );
        assert!(requests <= 256, "{what}: {requests} requests");
    }
}

#[tokio::test]
async fn pages_of_azure_are_complete_or_refused() {
    let (listed, _) = list("abfs", |query| match query.get("marker") {
        "" => azure(&["p/b", "p/b"], "t"),
        "t" => azure(&[], "u"),
        "u" => azure(&["p/a", "p/b"], "v"),
        _ => azure(&["p/c"], ""),
    })
    .await;
    assert_eq!(listed.unwrap(), ["p/b", "p/a", "p/c"]);
    let servers: [(&str, Answers); 4] = [
        ("used before", |query| match query.get("marker") {
            "" => azure(&["p/a"], "t"),
            _ => azure(&["p/b"], "t"),
        }),
        ("no key that", |query| match query.get("marker") {
            "" => azure(&["p/a"], "t"),
            _ => azure(&["p/a"], "u"),
        }),
        ("does not begin with", |_| azure(&["q/a"], "")),
        ("begins with <ListBucketResult>", |_| s3("")),
    ];
    for (words, answer) in servers {
        let (listed, requests) = list("abfs", answer).await;
        let error = listed.unwrap_err();
        assert!(error.contains(words) && requests <= 2, "{words}: {error}");
    }
}
