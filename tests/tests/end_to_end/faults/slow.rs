//! A network that is slow, resets connections, or is not available yet.

use std::fs;
use std::time::{Duration, Instant};

use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::{Site, bytes, download, run};

use super::{MIB, survives_down, survives_down_within, survives_up};

#[tokio::test]
async fn latency_only_takes_time() {
    let wait = Duration::from_millis(300);
    let begun = Instant::now();
    let patience = Duration::from_secs(20);
    let seen = survives_down_within(patience, MIB, move |_| Fault::Delay(wait)).await;
    assert_eq!(seen.len(), 1, "nothing was asked for twice");
    assert!(begun.elapsed() >= wait);
    survives_up(MIB, move |_| Fault::Delay(wait)).await;
}

/// It takes longer than the stall timeout, but it is not a stall, since bytes move all the time.
#[tokio::test]
async fn a_narrow_line_is_no_stall() {
    let (begun, patience) = (Instant::now(), Duration::from_secs(5));
    let seen = survives_down_within(patience, 8 * MIB, |_| Fault::Slow(MIB)).await;
    assert_eq!(seen.len(), 1, "nothing was asked for twice");
    assert!(begun.elapsed() > patience);
    let seen = survives_up(3 * MIB, |_| Fault::Slow(MIB)).await;
    assert_eq!(seen.len(), 1, "nothing was asked for twice");
}

#[tokio::test]
async fn a_reset_in_a_body_is_retried() {
    let seen = survives_down(MIB, |seen| match seen.index {
        0 => Fault::ResetAfter(400_000),
        1 => Fault::ResetAfter(0),
        _ => Fault::None,
    })
    .await;
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn a_request_that_is_cut_is_sent_again() {
    // At first only half of each of the three parts, and of a small file, is transferred.
    for (length, requests) in [(1000, 2), (20 * MIB, 8)] {
        let cut = std::sync::Mutex::new(Vec::new());
        let seen = survives_up(length, move |seen| {
            let mut cut = cut.lock().unwrap();
            if seen.line.starts_with("PUT") && !cut.contains(&seen.line) {
                cut.push(seen.line.clone());
                return Fault::CutRequestAfter(500);
            }
            Fault::None
        })
        .await;
        assert_eq!(seen.len(), requests, "{length}");
    }
}

/// S3's answer to too many requests, for a while.
#[tokio::test]
async fn a_burst_of_slow_down_is_waited_out() {
    let seen = survives_down(20 * MIB, |seen| match seen.index {
        0..3 => Fault::Refuse(503, "SlowDown"),
        _ => Fault::None,
    })
    .await;
    assert_eq!(seen.len(), 6);
    survives_up(20 * MIB, |seen| match seen.index {
        1..4 => Fault::Refuse(503, "SlowDown"),
        _ => Fault::None,
    })
    .await;
}

/// A mesh proxy that starts at the same time as the program.
#[tokio::test]
async fn a_port_that_opens_late_is_waited_for() {
    let site = Site::start().unwrap();
    fs::write(site.server.file("data", "x"), bytes(1000, 7)).unwrap();
    let late = Duration::from_millis(700);
    let upstream = site.server.address();
    let proxy = FaultProxy::start_after(late, upstream, |_| Fault::None).unwrap();
    let to = site.work("in/x");
    let copy = download("x", &to);
    run(
        &site.persistent_engine_through(&proxy.endpoint()),
        vec![copy],
    )
    .await
    .unwrap();
    assert!(fs::read(&to).unwrap() == bytes(1000, 7));
}
