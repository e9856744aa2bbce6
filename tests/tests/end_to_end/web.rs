//! Inputs from web addresses.

#![cfg(test)]

use std::fs;
use std::sync::Arc;

use copilot::store::Reference;
use copilot::transfer::Copy;
use copilot_tests::background::Background;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::{Site, bytes, names, place, run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What the server has: one resource, perhaps with a validator.
struct Resource {
    data: Vec<u8>,
    etag: Option<&'static str>,
    /// Whether it announces the length of the resource.
    sized: bool,
}

/// Serves a resource as web servers do, including ranges if it has a validator.
fn serve(resource: Resource) -> Background {
    let resource = Arc::new(resource);
    Background::start("web-server", move |mut connection| {
        let resource = Arc::clone(&resource);
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                if connection.read_buf(&mut head).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            let head = String::from_utf8_lossy(&head).to_lowercase();
            let same = resource
                .etag
                .is_some_and(|etag| head.contains(&format!("if-range: {etag}")));
            let start = head.split("range: bytes=").nth(1).filter(|_| same);
            let start: usize =
                start.map_or(0, |text| text.split('-').next().unwrap().parse().unwrap());
            let (all, rest) = (resource.data.len(), &resource.data[start..]);
            let status = match start {
                0 => "200 OK".to_owned(),
                _ => format!(
                    "206 Partial\r\nContent-Range: bytes {start}-{}/{all}",
                    all - 1
                ),
            };
            let etag = resource.etag.map(|etag| format!("ETag: {etag}\r\n"));
            let length = resource
                .sized
                .then(|| format!("Content-Length: {}\r\n", rest.len()));
            let answer = format!(
                "HTTP/1.1 {status}\r\n{}{}Connection: close\r\n\r\n",
                etag.unwrap_or_default(),
                length.unwrap_or_default()
            );
            let _ = connection.write_all(answer.as_bytes()).await;
            let _ = connection.write_all(rest).await;
        }
    })
    .unwrap()
}

/// Downloads a resource through a proxy that cuts the first two answers.
async fn survives(resource: Resource, bodies: usize) -> Vec<String> {
    let (data, site) = (resource.data.clone(), Site::start().unwrap());
    let web = serve(resource);
    let proxy = FaultProxy::start(web.address(), move |seen| match seen.index {
        index if index < bodies => Fault::CutAfter(300_000),
        _ => Fault::None,
    })
    .unwrap();
    let copy = Copy::Download {
        from: Reference::parse(&format!("{}/some/file", proxy.endpoint())).unwrap(),
        to: place(&site.work("in/file")),
        size: None,
    };
    run(&site.engine(), vec![copy]).await.unwrap();
    assert!(fs::read(site.work("in/file")).unwrap() == data);
    assert_eq!(names(&site.work("in")), ["file"]);
    proxy
        .seen()
        .into_iter()
        .map(|seen| seen.head.to_lowercase())
        .collect()
}

#[tokio::test]
async fn a_broken_body_is_resumed_if_the_version_can_be_named() {
    let heads = survives(
        Resource {
            data: bytes(20 << 20, 1),
            etag: Some("\"v1\""),
            sized: true,
        },
        2,
    )
    .await;
    assert_eq!(heads.len(), 3);
    assert!(heads[1].contains("range: bytes=29"), "{}", heads[1]);
    assert!(heads[2].contains("range: bytes=59"), "{}", heads[2]);
}

#[tokio::test]
async fn a_broken_body_is_fetched_again_if_the_version_cannot_be_named() {
    for etag in [None, Some("W/\"weak\"")] {
        let resource = Resource {
            data: bytes(1 << 20, 1),
            etag,
            sized: true,
        };
        let heads = survives(resource, 2).await;
        assert_eq!(heads.len(), 3);
        assert!(
            !heads.iter().any(|head| head.contains("range:")),
            "{heads:?}"
        );
    }
}

/// Without a length the end of the connection is the end of the data.
#[tokio::test]
async fn a_resource_without_a_length_is_taken_to_its_end() {
    for size in [0, 1, 9 << 20] {
        let resource = Resource {
            data: bytes(size, 1),
            etag: None,
            sized: false,
        };
        survives(resource, 0).await;
    }
}

/// Web inputs: the status is checked, redirects are followed, a broken body is fetched again.
#[tokio::test]
async fn web_addresses_are_inputs_whose_status_counts() {
    let site = Site::start().unwrap();
    let web = FaultProxy::start(site.server.address(), |seen| match seen.line.as_str() {
        "GET /moved" => Fault::Answer(302, "Location: /empty?x=1\r\n"),
        "GET /empty?x=1" => Fault::Answer(200, ""),
        "GET /loop" => Fault::Answer(307, "Location: /loop\r\n"),
        "GET /away" => Fault::Answer(301, "Location: file:///etc/passwd\r\n"),
        "GET /403" => Fault::Answer(403, ""),
        _ => Fault::Answer(404, ""),
    })
    .unwrap();
    let engine = site.engine();
    let get = async |path: &str| {
        let copy = Copy::Download {
            from: Reference::parse(&format!("{}{path}", web.endpoint())).unwrap(),
            to: place(&site.work("in/x")),
            size: None,
        };
        run(&engine, vec![copy]).await
    };
    get("/moved").await.unwrap();
    assert_eq!(fs::read(site.work("in/x")).unwrap(), b"");
    fs::remove_dir_all(site.work("in")).unwrap();
    for (path, told) in [
        ("/403", "403"),
        ("/nothing", "404"),
        ("/loop", "redirects"),
        ("/away", "neither http nor https"),
    ] {
        let error = get(path).await.unwrap_err().to_string();
        assert!(error.contains(told), "{path}: {error}");
    }
    assert!(!site.work("in").exists());
    let listing = Copy::DownloadPrefix {
        from: Reference::parse(&web.endpoint()).unwrap(),
        to: place(&site.work("dir")),
    };
    let error = run(&engine, vec![listing]).await.unwrap_err().to_string();
    assert!(error.contains("listing a web address"), "{error}");
}
