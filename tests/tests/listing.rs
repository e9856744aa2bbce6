//! Keys that other tools made: each becomes a file or is refused by name, and hides no other.

#![cfg(test)]

use std::fs;
use std::sync::{Arc, Mutex};

use copilot::store::{Environment, Network, Reference, Stores};
use copilot::transfer::Copy;
use copilot_tests::background::Background;
use copilot_tests::site::{Site, names, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A server that lists these keys, two to a page, and has `data` behind each. The targets of the
/// requests for objects are noted.
fn serve(keys: &'static [(&'static str, usize)], asked: Arc<Mutex<Vec<String>>>) -> Background {
    Background::start("key-server", move |mut connection| {
        let asked = Arc::clone(&asked);
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                if connection.read_buf(&mut head).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let target = head.split(' ').nth(1).unwrap().to_owned();
            let body = if target.contains("list-type=2") {
                page(keys, &target)
            } else {
                asked.lock().unwrap().push(target);
                "data".to_owned()
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    })
    .unwrap()
}

fn page(keys: &[(&str, usize)], target: &str) -> String {
    let token = target.split("continuation-token=").nth(1);
    let start = token.map_or(0, |text| text.split('&').next().unwrap().parse().unwrap());
    let entry = |(key, size): &(&str, usize)| {
        format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>")
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
        to: site.work("in"),
    }
}

#[tokio::test]
async fn markers_are_skipped_and_odd_names_come_as_they_are() {
    let site = Site::start().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
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
        Arc::clone(&asked),
    );
    let engine = site.engine_through(&format!("http://{}", server.address()));
    let done = run(&engine, vec![copy(&site)]).await.unwrap();
    assert_eq!((done.objects, done.empty_prefixes.len()), (5, 0));
    assert_eq!(
        names(&site.work("in")),
        ["\u{1}", "a\nb", "a%2Fb", "a+b", "dir"]
    );
    assert_eq!(fs::read(site.work("in/a\nb")).unwrap(), b"data");
    let mut asked = asked.lock().unwrap().clone();
    asked.sort();
    let expected =
        ["%01", "a%0Ab", "a%252Fb", "a%2Bb", "dir/a"].map(|key| format!("/data/p/{key}"));
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn what_can_be_no_file_is_refused_by_name_and_hides_no_other() {
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
