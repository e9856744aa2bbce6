//! A network that fails: recoverable faults are retried, others are clear errors, and nothing is left.

mod answers;
mod away;
mod begun;
mod completed;
mod disk;
mod faulty_disk;
mod lasting;
mod limits;
mod program;
mod random;
mod refused;
mod slow;

use std::fs;
use std::time::{Duration, Instant};

use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::site::{Site, bytes, download, names, run};

pub use random::seed;

const MIB: usize = 1 << 20;

/// Downloads an object of this size through a proxy that misbehaves.
async fn survives_down(
    length: usize,
    fault: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
) -> Vec<Seen> {
    survives_down_within(Duration::from_secs(20), length, fault).await
}

/// The same; the engine treats silence of this length as a stall.
async fn survives_down_within(
    patience: Duration,
    length: usize,
    fault: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
) -> Vec<Seen> {
    let site = Site::start().unwrap();
    let data = bytes(length, 7);
    // Through the server, which then knows the object's ETag.
    run(&site.engine(), vec![site.upload_of(&data).unwrap()])
        .await
        .unwrap();
    let proxy = FaultProxy::start(site.server.address(), fault).unwrap();
    let to = site.work("in/x");
    let copy = download("x", &to);
    let engine = site.impatient_engine_through(&proxy.endpoint(), patience);
    run(&engine, vec![copy]).await.unwrap();
    assert!(fs::read(&to).unwrap() == data);
    assert_eq!(names(to.parent().unwrap()).len(), 1);
    proxy.seen()
}

/// Uploads a file of this size through a proxy that misbehaves.
async fn survives_up(
    length: usize,
    fault: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
) -> Vec<Seen> {
    let site = Site::start().unwrap();
    let data = bytes(length, 7);
    let proxy = FaultProxy::start(site.server.address(), fault).unwrap();
    run(
        &site.engine_through(&proxy.endpoint()),
        vec![site.upload_of(&data).unwrap()],
    )
    .await
    .unwrap();
    assert!(fs::read(site.server.file("data", "x")).unwrap() == data);
    assert!(site.server.unfinished_uploads().unwrap().is_empty());
    proxy.seen()
}

#[tokio::test]
async fn a_broken_body_is_resumed() {
    let seen = survives_down(MIB, |seen| match seen.index {
        0 => Fault::CutAfter(300_000),
        1 => Fault::CutAfter(200_000),
        _ => Fault::None,
    })
    .await;
    assert_eq!(seen.len(), 3);
    // The first answer's head is less than 1000 bytes; the rest of it arrived and is not sent again.
    let from = |seen: &Seen| {
        let head = seen.head.to_lowercase();
        let range = head.split("range: bytes=").nth(1).unwrap();
        range.split('-').next().unwrap().parse::<usize>().unwrap()
    };
    assert!(
        (299_000..300_000).contains(&from(&seen[1])),
        "{}",
        seen[1].head
    );
    assert!(
        (498_000..500_000).contains(&from(&seen[2])),
        "{}",
        seen[2].head
    );
    for resumed in &seen[1..] {
        assert!(
            resumed.head.to_lowercase().contains("if-match: "),
            "{}",
            resumed.head
        );
    }
}

#[tokio::test]
async fn every_range_of_a_large_object_may_break() {
    survives_down(40 * MIB, |seen| match seen.index % 3 {
        0 => Fault::CutAfter(3 * MIB),
        _ => Fault::None,
    })
    .await;
}

#[tokio::test]
async fn a_stalled_body_is_resumed_on_another_connection() {
    let patience = Duration::from_secs(3);
    let seen = survives_down_within(patience, MIB, |seen| match seen.index {
        0 => Fault::StallAfter(300_000),
        1 => Fault::StallAfter(0),
        _ => Fault::None,
    })
    .await;
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn temporary_refusals_are_retried() {
    let begun = Instant::now();
    let seen = survives_down(1000, |seen| match seen.index {
        0 => Fault::Answer(503, "Retry-After: 1\r\n"),
        1 => Fault::Answer(429, ""),
        2 => Fault::Answer(500, ""),
        3 => Fault::Hangup,
        _ => Fault::None,
    })
    .await;
    assert_eq!(seen.len(), 5);
    assert!(begun.elapsed() >= Duration::from_secs(1), "Retry-After");
}

#[tokio::test]
async fn uploads_survive_temporary_faults() {
    survives_up(1000, |seen| match seen.index {
        0 => Fault::Answer(503, ""),
        1 => Fault::Hangup,
        // The object was written, the answer lost.
        2 => Fault::CutAfter(10),
        _ => Fault::None,
    })
    .await;
    survives_up(20 * MIB, |seen| match seen.index {
        1 | 2 => Fault::Answer(500, ""),
        3 => Fault::Hangup,
        _ => Fault::None,
    })
    .await;
}

/// The store completed the object, but its answer is lost: at the retry the upload no longer exists.
#[tokio::test]
async fn a_lost_answer_to_the_last_request_is_no_failure() {
    let lost = std::sync::atomic::AtomicBool::new(false);
    survives_up(20 * MIB, move |seen| {
        let completing = seen.line.starts_with("POST") && seen.line.contains("uploadId");
        if completing && !lost.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return Fault::CutAfter(10);
        }
        Fault::None
    })
    .await;
}
