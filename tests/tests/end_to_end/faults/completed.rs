//! The first and the last request of an upload in parts, when nobody answers them.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use copilot::store::{Network, Retry};
use copilot::transfer::Engine;
use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::site::{Site, bytes, run};

use super::MIB;

fn begins(seen: &Seen) -> bool {
    seen.line.starts_with("POST") && seen.line.ends_with("?uploads=")
}

fn completes(seen: &Seen) -> bool {
    seen.line.starts_with("POST") && seen.line.contains("uploadId=")
}

/// Limits of the program, but for the time of the first and the last request.
fn engine(site: &Site, proxy: &FaultProxy) -> Engine {
    let network = Network {
        stall_timeout: Duration::from_secs(2),
        assembly_timeout: Duration::from_secs(3),
        retry: Retry {
            base: Duration::from_millis(10),
            ..Retry::default()
        },
        ..Network::default()
    };
    site.engine_within(&proxy.endpoint(), network)
}

#[tokio::test]
async fn a_beginning_that_is_never_answered_ends() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |seen| {
        if begins(seen) {
            Fault::Silence
        } else {
            Fault::None
        }
    })
    .unwrap();
    let copy = site.upload_of(&bytes(9 * MIB, 1)).unwrap();
    let error = run(&engine(&site, &proxy), vec![copy]).await.unwrap_err();
    assert!(error.store_error().unwrap().recoverable(), "{error}");
    let error = error.to_string();
    assert!(error.contains("nothing moved"), "{error}");
    // 3 s in all, and a stall is 2 s.
    let begun = proxy.seen().iter().filter(|seen| begins(seen)).count();
    assert_eq!(begun, 2, "{error}");
}

#[tokio::test]
async fn a_lost_beginning_is_sent_again() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |seen| match seen.index {
        0 => Fault::Silence,
        _ => Fault::None,
    })
    .unwrap();
    let data = bytes(9 * MIB, 1);
    let copy = site.upload_of(&data).unwrap();
    run(&engine(&site, &proxy), vec![copy]).await.unwrap();
    assert!(fs::read(site.server.file("data", "x")).unwrap() == data);
}

/// The server completes the object, and no answer comes, however often it is asked.
#[tokio::test]
async fn a_completion_without_an_answer_is_looked_up() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |seen| {
        if completes(seen) {
            Fault::StallAfter(10)
        } else {
            Fault::None
        }
    })
    .unwrap();
    let data = bytes(9 * MIB, 1);
    let copy = site.upload_of(&data).unwrap();
    run(&engine(&site, &proxy), vec![copy]).await.unwrap();
    assert!(fs::read(site.server.file("data", "x")).unwrap() == data);
    assert!(
        proxy
            .seen()
            .iter()
            .any(|seen| seen.line.starts_with("HEAD"))
    );
}

/// The server never gets the completion. An object of the same size that was there before proves nothing.
#[tokio::test]
async fn an_older_object_is_not_taken_for_the_new_one() {
    for before in [None, Some(bytes(9 * MIB, 2))] {
        let site = Site::start().unwrap();
        if let Some(before) = &before {
            let path = site.server.file("data", "x");
            fs::write(&path, before).unwrap();
            let old = SystemTime::now() - Duration::from_hours(1);
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(old)
                .unwrap();
        }
        let proxy = FaultProxy::start(site.server.address(), |seen| {
            if completes(seen) {
                Fault::Silence
            } else {
                Fault::None
            }
        })
        .unwrap();
        let copy = site.upload_of(&bytes(9 * MIB, 1)).unwrap();
        let error = run(&engine(&site, &proxy), vec![copy]).await.unwrap_err();
        assert!(error.store_error().unwrap().recoverable(), "{error}");
        let error = error.to_string();
        let says = match before {
            None => "a look at the object failed: HTTP 404",
            Some(_) => "the object has other bytes than the upload",
        };
        assert!(error.contains(says), "{error}");
        assert_eq!(fs::read(site.server.file("data", "x")).ok(), before);
        assert!(site.server.unfinished_uploads().unwrap().is_empty());
    }
}
