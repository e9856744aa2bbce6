//! Cancellation and deadlines stop everything and leave nothing behind.

#![cfg(test)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use copilot::transfer::{Copy, Stop, Stopped};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::{Site, bytes, download, names, object, place, run};
use futures_util::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

/// The size of a part, the smallest one. Parts on their way have half a second to arrive after a stop.
const PART: usize = 1 << 20;

/// The size of a file, which has five parts.
const SIZE: usize = 5 * PART;

/// A stop takes effect within this time: less than the 30 s after which a stalled request ends by itself,
/// and enough for a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// Stops a copy when the proxy has seen `requests` requests, of which the last one hangs.
async fn stopped_at(
    site: &Site,
    copy: Copy,
    requests: usize,
    stop: &Stop,
    token: &CancellationToken,
) {
    let token = token.clone();
    let proxy = FaultProxy::start(site.server.address(), move |seen| {
        if seen.line.starts_with("DELETE") || seen.index + 1 < requests {
            return Fault::None;
        }
        token.cancel();
        Fault::StallAfter(100)
    })
    .unwrap();
    let engine = site.engine_of_parts(&proxy.endpoint(), PART as u64);
    let begun = Instant::now();
    let error = engine.run(stream::iter([copy]), stop).await.unwrap_err();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert!(error.stopped.is_some(), "{error}");
    assert!(error.failures.is_empty(), "{error}");
}

#[tokio::test]
async fn cancellation_leaves_nothing() {
    for requests in 1..=4 {
        let site = Site::start().unwrap();
        run(
            &site.engine(),
            vec![site.upload_of(&bytes(SIZE, 1)).unwrap()],
        )
        .await
        .unwrap();
        let token = CancellationToken::new();
        let to = site.work("in/x");
        let copy = download("x", &to);
        stopped_at(
            &site,
            copy,
            requests,
            &Stop::new(token.clone(), None),
            &token,
        )
        .await;
        assert_eq!(names(to.parent().unwrap()).len(), 0);
    }
    // From the second request on the upload has begun.
    for requests in 2..=5 {
        let mut left = Vec::new();
        // On a busy machine the server may store a part after the upload was aborted: try again.
        for _ in 0..10 {
            left = left_by_a_stopped_upload(requests).await;
            if left.is_empty() {
                break;
            }
        }
        assert!(left.is_empty(), "{requests}: {left:?}");
    }
}

/// Stops an upload when the proxy has seen `requests` requests; returns what remains on the server.
async fn left_by_a_stopped_upload(requests: usize) -> Vec<PathBuf> {
    let site = Site::start().unwrap();
    let token = CancellationToken::new();
    let copy = site.upload_of(&bytes(SIZE, 1)).unwrap();
    let stop = Stop::new(token.clone(), None);
    stopped_at(&site, copy, requests, &stop, &token).await;
    assert!(!site.server.file("data", "x").exists());
    site.server.unfinished_uploads().unwrap()
}

#[tokio::test]
async fn the_deadline_reaches_a_listing_and_a_plan_that_waits() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |_| Fault::StallAfter(0)).unwrap();
    let engine = site.engine_through(&proxy.endpoint());
    let soon = || {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(200);
        Stop::new(CancellationToken::new(), Some(deadline))
    };
    let copy = Copy::DownloadPrefix {
        from: object("x"),
        to: place(&site.work("in")),
    };
    let error = engine.run(stream::iter([copy]), &soon()).await.unwrap_err();
    assert_eq!(error.stopped, Some(Stopped::Deadline));
    assert!(error.to_string().contains("--timeout"), "{error}");

    let error = engine
        .run(stream::pending::<Copy>().boxed(), &soon())
        .await
        .unwrap_err();
    assert_eq!(error.stopped, Some(Stopped::Deadline));
    let error = engine.read(&object("x"), 10, &soon()).await.unwrap_err();
    assert!(error.to_string().contains("--timeout"), "{error}");
}
