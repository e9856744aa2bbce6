//! Refusals of an upload that another form of the same upload overcomes: the store has lost it, or wants
//! checksums.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::site::{Site, bytes, run, upload};

use super::MIB;

/// What S3 says about an upload without a checksum to a bucket with Object Lock.
const LOCKED: &str = "<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- HTTP header is \
                      required for Put Object requests with Object Lock parameters</Message></Error>";

/// What a server says that knows the older header only.
const LOCKED_BY_MD5: &str = "<Error><Code>InvalidRequest</Code><Message>Content-MD5 HTTP header is required \
                             for Put Object requests with Object Lock parameters</Message></Error>";

fn sends_bytes(seen: &Seen) -> bool {
    seen.line.starts_with("PUT ")
}

/// A clean-up job removes the upload while its parts arrive, or before its end.
#[tokio::test]
async fn an_upload_that_was_removed_begins_anew() {
    for at in ["partNumber=2", "POST"] {
        let site = Site::start().unwrap();
        let removed = AtomicUsize::new(0);
        let proxy = FaultProxy::start(site.server.address(), move |seen| {
            let is_it = seen.line.contains(at) && seen.line.contains("uploadId=");
            if is_it && removed.fetch_add(1, Ordering::Relaxed) == 0 {
                return Fault::Refuse(404, "NoSuchUpload");
            }
            Fault::None
        })
        .unwrap();
        let data = bytes(20 * MIB, 1);
        let copy = site.upload_of(&data).unwrap();
        run(&site.engine_through(&proxy.endpoint()), vec![copy])
            .await
            .unwrap();
        assert!(
            fs::read(site.server.file("data", "x")).unwrap() == data,
            "{at}"
        );
        assert!(site.server.unfinished_uploads().unwrap().is_empty(), "{at}");
    }
}

#[tokio::test]
async fn an_upload_that_is_removed_again_is_an_error() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |seen| {
        if seen.line.contains("partNumber=") {
            return Fault::Refuse(404, "NoSuchUpload");
        }
        Fault::None
    })
    .unwrap();
    let copy = site.upload_of(&bytes(20 * MIB, 1)).unwrap();
    let error = run(&site.engine_through(&proxy.endpoint()), vec![copy]).await;
    let error = error.unwrap_err().to_string();
    for word in [
        "NoSuchUpload",
        "begins such an upload anew, once",
        "lifecycle rule",
    ] {
        assert!(error.contains(word), "{error}");
    }
    let begun = |seen: &&Seen| seen.line.ends_with("?uploads=");
    assert_eq!(proxy.seen().iter().filter(begun).count(), 2);
    assert!(site.server.unfinished_uploads().unwrap().is_empty());
}

#[tokio::test]
async fn a_bucket_with_object_lock_gets_checksums() {
    for (says, header) in [
        (LOCKED, "x-amz-checksum-sha256: "),
        (LOCKED_BY_MD5, "content-md5: "),
    ] {
        let site = Site::start().unwrap();
        let refused = std::sync::Arc::new(Mutex::new(0));
        let count = std::sync::Arc::clone(&refused);
        let proxy = FaultProxy::start(site.server.address(), move |seen| {
            if sends_bytes(seen) && !seen.head.to_lowercase().contains(header) {
                *count.lock().unwrap() += 1;
                return Fault::Say(400, says);
            }
            Fault::None
        })
        .unwrap();
        let engine = site.engine_through(&proxy.endpoint());
        fs::write(site.work("small"), "small").unwrap();
        run(&engine, vec![upload(&site.work("small"), "small")])
            .await
            .unwrap();
        // Known for the bucket from now on.
        assert_eq!(*refused.lock().unwrap(), 1, "{header}");
        let data = bytes(20 * MIB, 1);
        run(&engine, vec![site.upload_of(&data).unwrap()])
            .await
            .unwrap();
        assert_eq!(*refused.lock().unwrap(), 1, "{header}");
        assert!(fs::read(site.server.file("data", "x")).unwrap() == data);
        assert_eq!(
            fs::read(site.server.file("data", "small")).unwrap(),
            b"small"
        );

        // A large file comes first: its upload begins anew.
        let engine = site.engine_through(&proxy.endpoint());
        let data = bytes(20 * MIB, 2);
        run(&engine, vec![site.upload_of(&data).unwrap()])
            .await
            .unwrap();
        assert!(fs::read(site.server.file("data", "x")).unwrap() == data);
        assert!(site.server.unfinished_uploads().unwrap().is_empty());
    }
}

/// The settings ask for another checksum, and the bucket does not take that one.
#[tokio::test]
async fn a_checksum_that_the_bucket_does_not_take_is_an_error() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |seen| {
        if sends_bytes(seen) {
            Fault::Say(400, LOCKED)
        } else {
            Fault::None
        }
    })
    .unwrap();
    fs::write(site.work("small"), "small").unwrap();
    for checksum in ["none", "crc64nvme"] {
        let keys = [
            ("endpoint", proxy.endpoint()),
            ("upload_checksum", checksum.to_owned()),
        ];
        let keys = keys.each_ref().map(|(key, value)| (*key, value.as_str()));
        let engine = copilot_tests::site::engine(site.settings_with(&keys));
        let error = run(&engine, vec![upload(&site.work("small"), "small")]).await;
        let error = error.unwrap_err().to_string();
        for word in ["Object Lock", "upload_checksum=sha256", "InvalidRequest"] {
            assert!(error.contains(word), "{error}");
        }
    }
}
