//! A store that asks clients to slow down: the number of parallel requests adapts, and none is lost.

#![cfg(test)]

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use copilot_tests::background::Background;
use copilot_tests::binary;
use copilot_tests::recorder::Recorder;
use copilot_tests::site::{Site, engine, run, upload};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How many parallel requests the store accepts.
const BEARS: usize = 4;

/// What the store saw: the number of parallel requests when each arrived, and the answer.
type Arrivals = Arc<Mutex<Vec<usize>>>;

/// A store that answers `SlowDown` to further requests while it has enough of them.
fn busy_store() -> io::Result<(Background, Arrivals)> {
    let arrivals = Arrivals::default();
    let log = Arc::clone(&arrivals);
    let present = Arc::new(AtomicUsize::new(0));
    let server = Background::start("busy-store", move |client| {
        let (log, present) = (Arc::clone(&log), Arc::clone(&present));
        async move {
            // A client that disconnects is not an error.
            let _ = serve(client, &log, &present).await;
        }
    })?;
    Ok((server, arrivals))
}

/// One connection, request by request; all of them write a byte.
async fn serve(
    mut client: TcpStream,
    log: &Mutex<Vec<usize>>,
    present: &AtomicUsize,
) -> io::Result<()> {
    let mut received = Vec::new();
    loop {
        let whole = |received: &[u8]| {
            let end = received.windows(4).position(|four| four == b"\r\n\r\n");
            end.is_some_and(|end| received.len() > end + 4)
        };
        while !whole(&received) {
            if client.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
        received.clear();
        let now = present.fetch_add(1, Ordering::SeqCst) + 1;
        log.lock().unwrap().push(now);
        let answer = if now > BEARS {
            let body = "<Error><Code>SlowDown</Code><Message>Please reduce</Message></Error>";
            format!(
                "HTTP/1.1 503 Slow Down\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        } else {
            tokio::time::sleep(Duration::from_millis(3)).await;
            "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n".to_owned()
        };
        // Before the answer, since the client sends the next request when it reads it.
        present.fetch_sub(1, Ordering::SeqCst);
        client.write_all(answer.as_bytes()).await?;
    }
}

#[tokio::test]
async fn the_number_of_requests_settles_at_the_limit_of_the_store() {
    const FILES: usize = 600;
    let (server, arrivals) = busy_store().unwrap();
    let site = Site::start().unwrap();
    let endpoint = format!("http://{}", server.address());
    let file = site.work("x");
    std::fs::write(&file, "x").unwrap();
    let copies = (0..FILES).map(|number| upload(&file, &number.to_string()));
    let engine = engine(site.settings_with(&[("endpoint", &endpoint)]));
    let summary = run(&engine, copies.collect()).await.unwrap();
    assert_eq!(summary.objects, FILES as u64);

    let arrivals = arrivals.lock().unwrap().clone();
    let refused = |arrivals: &[usize]| arrivals.iter().filter(|&&now| now > BEARS).count();
    assert_eq!(arrivals.len(), FILES + refused(&arrivals));
    assert!(refused(&arrivals) > 0, "it was never too much");
    // When the limit of the store is known, one more request is tried now and then.
    let settled = &arrivals[arrivals.len() / 3..];
    assert!(settled.iter().all(|&now| now <= BEARS + 1), "{settled:?}");
    assert!(refused(settled) * 20 < settled.len(), "{settled:?}");
    // Nor is it left idle.
    let most = settled.iter().filter(|&&now| now >= BEARS / 2).count();
    assert!(most * 2 > settled.len(), "{settled:?}");
}

/// The log names host, limit and reason.
#[test]
fn a_busy_store_is_logged() {
    let asked_before = Arc::new(AtomicUsize::new(0));
    let store = Recorder::start(move |_| match asked_before.fetch_add(1, Ordering::SeqCst) {
        0 => (503, "<Error><Code>SlowDown</Code></Error>".to_owned()),
        _ => (404, String::new()),
    })
    .unwrap();
    let site = Site::start().unwrap();
    let mut command = binary::command();
    command.args(
        site.server
            .flags_through(&format!("http://{}", store.host()), "data"),
    );
    let to = site.work("in").display().to_string();
    let ended = binary::run(command.args([
        "download",
        "--from-remote",
        "s3://data/inputs.pb",
        "--to-output-prefix",
        "s3://data/out",
        "--to-local-dir",
        &to,
    ]));
    let line = ended
        .stderr
        .lines()
        .find(|line| line.contains("fewer requests"));
    let line = line.unwrap_or_else(|| panic!("{}", ended.stderr));
    for part in [
        "\"level\":\"info\"",
        &store.host(),
        "SlowDown",
        "\"limit\":",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}
