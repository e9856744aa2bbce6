//! Keys from other tools: each becomes a file or is refused with its name, and does not hide another one.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use copilot::idl::blob_type::BlobDimensionality::Multipart;
use copilot::idl::{LiteralMap, Message as _, decode_error_document};
use copilot::store::{Environment, Network, Reference, Stores};
use copilot::transfer::Copy;
use copilot_tests::background::Background;
use copilot_tests::binary;
use copilot_tests::site::{Site, names, place, run};
use copilot_tests::task::{Task, blob, files};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// In place of a size that the listing does not give.
const NO_SIZE: usize = usize::MAX;

/// The requests that a server has received.
#[derive(Default)]
struct Seen {
    /// The targets of requests for objects.
    asked: Vec<String>,
    /// Bodies that were put, by target.
    put: BTreeMap<String, Vec<u8>>,
}

/// A server that lists these keys, two on each page. Each object contains `data`, and `task/inputs.pb`
/// a map whose only input is the prefix `p`. It imitates stores with keys from other tools: the server
/// of the other tests stores objects in files, whose names cannot be like these.
fn serve(keys: &'static [(&'static str, usize)], seen: Arc<Mutex<Seen>>) -> Background {
    Background::start("key-server", move |mut connection| {
        let seen = Arc::clone(&seen);
        async move {
            let Some((head, body)) = request(&mut connection).await else {
                return;
            };
            let mut words = head.split(' ');
            let (method, target) = (words.next().unwrap(), words.next().unwrap().to_owned());
            let (status, answer) = match method {
                "PUT" => {
                    seen.lock().unwrap().put.insert(target, body);
                    (200, Vec::new())
                }
                "HEAD" => (404, Vec::new()),
                _ if target.contains("list-type=2") => (200, page(keys, &target).into_bytes()),
                _ if target.ends_with("/task/inputs.pb") => (200, inputs()),
                _ => {
                    seen.lock().unwrap().asked.push(target);
                    (200, b"data".to_vec())
                }
            };
            let length = answer.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\nETag: \"e\"\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = connection.write_all(&[head.as_bytes(), &answer].concat()).await;
        }
    })
    .unwrap()
}

/// A request's head and body.
async fn request(connection: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut received = Vec::new();
    loop {
        if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..end]).into_owned();
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let length = length.map_or(0, |(_, length)| length.parse().unwrap());
            if received.len() >= end + 4 + length {
                return Some((head, received.split_off(end + 4)));
            }
        }
        if connection.read_buf(&mut received).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

fn inputs() -> Vec<u8> {
    let literals = [("in".to_owned(), blob("s3://data/p", Multipart))].into();
    LiteralMap { literals }.encode_to_vec()
}

fn page(keys: &[(&str, usize)], target: &str) -> String {
    let token = target.split("continuation-token=").nth(1);
    let start = token.map_or(0, |text| text.split('&').next().unwrap().parse().unwrap());
    let entry = |(key, size): &(&str, usize)| match *size {
        NO_SIZE => format!("<Contents><Key>{key}</Key></Contents>"),
        size => format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>"),
    };
    let entries: String = keys.iter().skip(start).take(2).map(entry).collect();
    let next = match start + 2 {
        next if next < keys.len() => {
            format!("<NextContinuationToken>{next}</NextContinuationToken>")
        }
        _ => String::new(),
    };
    format!("<ListBucketResult>{entries}{next}</ListBucketResult>")
}

fn copy(site: &Site) -> Copy {
    Copy::DownloadPrefix {
        from: Reference::parse("s3://data/p").unwrap(),
        to: place(&site.work("in")),
    }
}

#[tokio::test]
async fn markers_are_skipped_and_odd_names_come_as_they_are() {
    let site = Site::start().unwrap();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let server = serve(
        &[
            ("p/", 0),
            ("p/dir/", 0),
            ("p/dir/a", 4),
            ("p/&#x1;", 4),
            ("p/a&#10;b", 4),
            ("p/a%2Fb", 4),
            ("p/a+b", 4),
        ],
        Arc::clone(&seen),
    );
    let engine = site.engine_through(&format!("http://{}", server.address()));
    let done = run(&engine, vec![copy(&site)]).await.unwrap();
    assert_eq!((done.objects, done.empty_prefixes.len()), (5, 0));
    assert_eq!(
        names(&site.work("in")),
        ["\u{1}", "a\nb", "a%2Fb", "a+b", "dir"]
    );
    assert_eq!(fs::read(site.work("in/a\nb")).unwrap(), b"data");
    let mut asked = seen.lock().unwrap().asked.clone();
    asked.sort();
    let expected =
        ["%01", "a%0Ab", "a%252Fb", "a%2Bb", "dir/a"].map(|key| format!("/data/p/{key}"));
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn keys_that_cannot_be_files_are_refused_with_their_name_and_hide_no_others() {
    for (keys, named) in [
        (&[("p/../x", 4), ("p/ok", 4)][..], "s3://data/p/../x"),
        (&[("p/a//b", 4), ("p/ok", 4)], "s3://data/p/a//b"),
        (&[("p/./b", 4), ("p/ok", 4)], "s3://data/p/./b"),
        (&[("p/dir/", 4), ("p/ok", 4)], "s3://data/p/dir/"),
    ] {
        let site = Site::start().unwrap();
        let server = serve(keys, Arc::default());
        let endpoint = format!("http://{}", server.address());
        let error = run(&site.engine_through(&endpoint), vec![copy(&site)])
            .await
            .unwrap_err();
        assert_eq!(error.failed, 1);
        assert!(error.to_string().contains(named), "{error}");
        assert!(!site.work("x").exists());

        // The listing itself gives all of them.
        let settings = site.settings_with(&[("endpoint", &endpoint)]);
        let stores = Stores::new(settings, Network::default(), Environment::default());
        let object = stores
            .open(&Reference::parse("s3://data/p").unwrap())
            .unwrap();
        let mut listing = object.list().unwrap();
        let page = listing.next_page().await.unwrap().unwrap();
        let listed: Vec<_> = page.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(listed, [keys[0].0, keys[1].0]);
        assert!(listing.next_page().await.unwrap().is_none());
    }
}

/// A store can contain both `a` and `a/b`, but a directory cannot, which is an error.
#[tokio::test]
async fn a_name_that_is_a_file_and_a_directory_is_refused() {
    for keys in [
        &[("p/a", 4), ("p/a/b", 4)][..],
        &[("p/a/b", 4), ("p/a", 4)],
        &[("p/x/a", 4), ("p/x/a/b/c", 4)],
    ] {
        let site = Site::start().unwrap();
        let server = serve(keys, Arc::default());
        let engine = site.engine_through(&format!("http://{}", server.address()));
        let error = run(&engine, vec![copy(&site)]).await.unwrap_err();
        assert_eq!(error.failed, 1);
        let error = error.to_string();
        for part in ["work/in/", "/a", "has its name", "both `a` and `a/b`"] {
            assert!(error.contains(part), "{error}");
        }
    }
}

#[tokio::test]
async fn keys_that_differ_in_case_only_both_come() {
    let site = Site::start().unwrap();
    let server = serve(&[("p/Data", 4), ("p/data", 4)], Arc::default());
    let engine = site.engine_through(&format!("http://{}", server.address()));
    let done = run(&engine, vec![copy(&site)]).await.unwrap();
    assert_eq!(done.objects, 2);
    assert_eq!(names(&site.work("in")), ["Data", "data"]);
}

/// Runs the program with such a store; returns its result, the files, and the message of both documents.
fn through_the_program(keys: &'static [(&'static str, usize)]) -> (i32, Vec<String>, String) {
    let task = Task::start().unwrap();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let server = serve(keys, Arc::clone(&seen));
    let mut command = task.download();
    let endpoint = format!("endpoint=http://{}", server.address());
    let ended = binary::run(command.args(["--storage.stow.config", &endpoint]));
    let documents: Vec<String> = ["error.pb", "errors.pb"]
        .iter()
        .filter_map(|name| {
            let seen = seen.lock().unwrap();
            let bytes = seen.put.get(&format!("/data/task/out/{name}"))?;
            let document = decode_error_document(bytes.as_slice()).unwrap();
            Some(document.error.unwrap().message)
        })
        .collect();
    assert!(documents.windows(2).all(|two| two[0] == two[1]));
    let left = files(&task.inputs_dir()).into_keys().collect();
    (ended.code(), left, documents.concat())
}

#[test]
fn a_task_gets_all_outputs_or_the_missing_ones_are_named() {
    let (code, left, message) = through_the_program(&[
        ("p/", 0),
        ("p/dir/", 0),
        ("p/dir/&#x7f;", 4),
        ("p/&#13;", 4),
        ("p/a&#10;b", 4),
        ("p/a&#10;b", 4),
        ("p/z", NO_SIZE),
    ]);
    assert_eq!((code, message.as_str()), (0, ""));
    let names = [
        "in/\r",
        "in/a\nb",
        "in/dir/\u{7f}",
        "in/z",
        "inputs.json",
        "inputs.pb",
    ];
    assert_eq!(left, names);

    for (keys, named) in [
        (&[("p/../x", 4), ("p/ok", 4)][..], "s3://data/p/../x"),
        (&[("p/a//b", 4), ("p/ok", 4)], "s3://data/p/a//b"),
        (&[("p/dir/", 4), ("p/ok", 4)], "s3://data/p/dir/"),
        (&[("p/ok", 4), ("p/ok/b", 4)], "inputs/in/ok"),
    ] {
        let (code, left, message) = through_the_program(keys);
        assert_eq!(code, 1, "{message}");
        assert!(
            message.contains("input \"in\"") && message.contains(named),
            "{message}"
        );
        // Data may exist, but no file may say that it is complete.
        assert!(
            left.iter().all(|name| name.starts_with("in/ok")),
            "{left:?}"
        );
    }
}
