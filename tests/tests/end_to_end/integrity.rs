//! Bytes that are damaged on their way to the store: how that is detected and repaired.

#![cfg(test)]

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use copilot::config::{SignPayload, StorageSettings, UploadChecksum};
use copilot_tests::background::Background;
use copilot_tests::recorder::{Asked, Recorder};
use copilot_tests::site::{Site, engine, run, upload};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A proxy to the server that damages the last byte of this many bodies.
fn noise(upstream: SocketAddr, damaged: usize) -> io::Result<Background> {
    let left = Arc::new(AtomicUsize::new(damaged));
    Background::start("noise", move |client| {
        let left = Arc::clone(&left);
        async move {
            // A client that disconnects is not an error.
            let _ = pass(client, upstream, &left).await;
        }
    })
}

async fn pass(mut client: TcpStream, upstream: SocketAddr, left: &AtomicUsize) -> io::Result<()> {
    let mut received = Vec::new();
    let end = loop {
        if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if client.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let found = name.eq_ignore_ascii_case("content-length");
        found.then(|| value.parse::<usize>().unwrap())
    });
    let mut body = received.split_off(end + 4);
    while body.len() < length.unwrap_or(0) {
        client.read_buf(&mut body).await?;
    }
    let less = |left: usize| left.checked_sub(1);
    if let Some(last) = body.last_mut()
        && left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok()
    {
        *last ^= 1;
    }
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(head.as_bytes()).await?;
    server.write_all(b"\r\nConnection: close\r\n\r\n").await?;
    server.write_all(&body).await?;
    tokio::io::copy(&mut server, &mut client).await?;
    client.shutdown().await
}

/// Uploads a few bytes through this proxy; returns what arrived, or the error.
async fn arrived(damaged: usize, keys: &[(&str, &str)]) -> Result<Vec<u8>, String> {
    let site = Site::start().unwrap();
    let way = noise(site.server.address(), damaged).unwrap();
    let endpoint = format!("http://{}", way.address());
    let keys = [&[("endpoint", endpoint.as_str())], keys].concat();
    let file = site.work("x");
    fs::write(&file, "some bytes").unwrap();
    let engine = engine(site.settings_with(&keys));
    let done = run(&engine, vec![upload(&file, "x")]).await;
    match done {
        Ok(_) => Ok(fs::read(site.server.file("data", "x")).unwrap()),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test]
async fn damage_is_detected_by_signature_or_checksum() {
    let plain = ("sign_payload", "never");
    let sha = ("upload_checksum", "sha256");
    let crc = ("upload_checksum", "CRC64NVME");
    for (keys, code) in [
        // This server's error code for a digest that does not match.
        (vec![], "InternalError"),
        (vec![("sign_payload", "always")], "InternalError"),
        (vec![plain, sha], "BadDigest"),
        (vec![plain, crc], "BadDigest"),
    ] {
        // If it happens once, a retry repairs it.
        let mended = arrived(1, &keys).await;
        assert_eq!(mended.as_deref(), Ok(&b"some bytes"[..]), "{keys:?}");
        let refused = arrived(usize::MAX, &keys).await.unwrap_err();
        assert!(refused.contains(code), "{keys:?}: {refused}");
    }
    // The other settings are for this.
    let unnoticed = arrived(usize::MAX, &[plain]).await;
    assert_eq!(unnoticed.as_deref(), Ok(&b"some byter"[..]));
}

const DIGEST: &str = "x-amz-content-sha256";
const SHA: &str = "x-amz-checksum-sha256";
const CRC: &str = "x-amz-checksum-crc64nvme";

/// The requests of an upload with this size. The answers lack an `ETag`, so parts are not completed.
async fn asked(site: &Site, mut settings: StorageSettings, length: usize) -> Vec<Asked> {
    let store = Recorder::start(|asked| match asked.line() {
        line if line.starts_with("POST") && line.contains("uploads") => (
            200,
            "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
                .to_owned(),
        ),
        _ => (200, String::new()),
    })
    .unwrap();
    let endpoint = format!("http://{}", store.host());
    settings.stow_config.insert("endpoint".to_owned(), endpoint);
    let file = site.work("x");
    fs::write(&file, vec![7; length]).unwrap();
    let _ = run(&engine(settings), vec![upload(&file, "x")]).await;
    store.asked()
}

/// Whether payloads are signed, and which checksum they have.
fn protection(asked: &[Asked]) -> (bool, Option<&'static str>) {
    let puts = asked.iter().filter(|asked| asked.line().starts_with("PUT"));
    let mut found: Vec<_> = puts
        .map(|put| {
            let is_signed = put.header(DIGEST) != Some("UNSIGNED-PAYLOAD");
            let checksum = [SHA, CRC]
                .into_iter()
                .find(|name| put.header(name).is_some());
            (is_signed, checksum)
        })
        .collect();
    found.dedup();
    assert_eq!(found.len(), 1, "{asked:?}");
    found[0]
}

/// For small uploads and for parts, from a store's own keys and from the common settings.
#[tokio::test]
async fn each_setting_reaches_the_requests() {
    let site = Site::start().unwrap();
    for (keys, expected) in [
        (vec![], (true, None)),
        (vec![("sign_payload", "never")], (false, None)),
        (vec![("upload_checksum", "none")], (true, None)),
        (
            vec![("upload_checksum", "sha256"), ("sign_payload", "never")],
            (false, Some(SHA)),
        ),
        (vec![("upload_checksum", "crc64nvme")], (true, Some(CRC))),
    ] {
        let settings = site.settings_with(&keys);
        let small = asked(&site, settings.clone(), 10).await;
        assert_eq!(protection(&small), expected, "{keys:?}");
        let large = asked(&site, settings, (8 << 20) + 1).await;
        assert_eq!(protection(&large), expected, "{keys:?}");
        let begun = large.iter().find(|asked| asked.line().contains("uploads"));
        let algorithm = begun.unwrap().header("x-amz-checksum-algorithm");
        let algorithm = algorithm.map(|name| format!("x-amz-checksum-{}", name.to_lowercase()));
        assert_eq!(algorithm.as_deref(), expected.1, "{keys:?}");
    }
    let mut settings = site.settings();
    settings.s3.sign_payload = SignPayload::Never;
    settings.s3.upload_checksum = UploadChecksum::Sha256;
    let of_all = asked(&site, settings.clone(), 10).await;
    assert_eq!(protection(&of_all), (false, Some(SHA)));
    let own = [("sign_payload", "auto"), ("upload_checksum", "crc64nvme")];
    let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
    settings.stow_config.extend(own);
    let own = asked(&site, settings, 10).await;
    assert_eq!(protection(&own), (true, Some(CRC)));
}
