//! What a transfer reports while it runs and at its end.

#![cfg(test)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot_tests::background::Background;
use copilot_tests::binary;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::bytes;
use copilot_tests::task::{Task, blob};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The fields of the log line with this message.
#[track_caller]
fn fields(log: &str, message: &str) -> Value {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut lines = lines.filter(|line: &Value| line["msg"] == message);
    let line = lines.next().unwrap_or_else(|| panic!("{message}: {log}"));
    line["json"].clone()
}

/// A field's number; fields are logged as text or as numbers.
#[track_caller]
fn number(fields: &Value, name: &str) -> u64 {
    fields[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name}: {fields}"))
}

#[test]
fn at_the_end_it_reports_amount_time_and_memory() {
    let task = Task::start().unwrap();
    for index in 0..20 {
        task.put(&format!("dir/{index:02}"), bytes(30_000, index));
    }
    task.put_inputs([("dir", blob("s3://data/dir", Multipart))]);
    let proxy = FaultProxy::start(task.site.server.address(), |seen| match seen.index {
        3 => Fault::Answer(503, ""),
        5 => Fault::CutAfter(9_000),
        _ => Fault::None,
    })
    .unwrap();
    let mut command = task.download();
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let ended = binary::run(command.args(["--storage.stow.config", &endpoint]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let told = fields(&ended.stderr, "inputs are in place");
    assert_eq!(
        (number(&told, "objects"), number(&told, "bytes")),
        (20, 600_000)
    );
    assert_eq!(number(&told, "retries"), 2, "{told}");
    assert!(number(&told, "bytes_per_second") > 0);
    let peak = number(&told, "peak_in_flight_bytes");
    assert!(peak > 0 && peak <= 32 << 20, "{peak}");
    // The transfer took less than ten seconds, and without a terminal there is no bar.
    assert!(!ended.stderr.contains('\r'), "{}", ended.stderr);
}

/// A web server that pauses in the middle, long enough for a bar to be drawn several times.
fn slow() -> Background {
    Background::start("slow", |mut connection| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if connection.read_buf(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\nConnection: close\r\n\r\n";
        let _ = connection.write_all(head).await;
        let _ = connection.write_all(&bytes(1000, 1)).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        let _ = connection.write_all(&bytes(3000, 2)).await;
    })
    .unwrap()
}

/// Reads everything that is written to a terminal until its other end is closed.
fn drain(mut terminal: File) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    // Linux reports the end as an error.
    while let Ok(count) = terminal.read(&mut piece) {
        if count == 0 {
            break;
        }
        all.extend_from_slice(&piece[..count]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Both ends of a new terminal.
fn terminal() -> io::Result<(File, File)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?.into_string();
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).custom_flags(libc::O_NOCTTY);
    let theirs = options.open(name.map_err(io::Error::other)?)?;
    Ok((ours.into(), theirs))
}

#[test]
fn on_a_terminal_a_bar_moves_and_tears_no_line() {
    let (task, server) = (Task::start().unwrap(), slow());
    let uri = format!("http://{}/file", server.address());
    task.put_inputs([("blob", blob(&uri, Single))]);
    let (ours, theirs) = terminal().unwrap();
    let reading = thread::spawn(move || drain(ours));
    let mut command = task.download();
    command
        .env("TERM", "xterm")
        .stdout(Stdio::null())
        .stderr(theirs);
    let status = command.status().unwrap();
    // It keeps the terminal open, too.
    drop(command);
    let seen = reading.join().unwrap();
    assert!(status.success(), "{seen}");
    let bar = "\r\x1b[K[##        ] 1000 bytes of 3.91 KiB, ";
    // Something moved before it was drawn first.
    assert!(seen.matches(bar).count() >= 2, "{seen:?}");
    assert!(seen.contains(" left, 0 of 1 objects"), "{seen:?}");
    for line in seen.lines() {
        // The line's previous content is erased, and on a terminal the log is text.
        let line = line.rsplit("\x1b[K").next().unwrap();
        let is_whole = line.starts_with("20") && line.contains("Z  INFO ");
        assert!(is_whole, "{line:?} in {seen:?}");
    }
    assert!(seen.contains("inputs are in place"), "{seen}");
}
