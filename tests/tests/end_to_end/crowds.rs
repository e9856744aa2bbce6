//! More names than fit into memory: they go up all the same, or are refused by number.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use copilot::idl::blob_type::BlobDimensionality::Multipart;
use copilot_tests::background::Background;
use copilot_tests::binary::{self, Ended, Running};
use copilot_tests::task::{Task, blob_type, interface};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MIB: usize = 1 << 20;

/// How many names a directory holds; `COPILOT_TEST_NAMES` chooses another number.
const NAMES: usize = 180_000;

/// The names alone, with what a vector and an allocator need, take more.
const LIMIT: usize = 48 * MIB;

/// A store that takes everything and keeps nothing.
struct Sink {
    server: Background,
    taken: Arc<AtomicUsize>,
}

impl Sink {
    fn start() -> Self {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let server = Background::start("sink", move |connection| {
            let count = Arc::clone(&count);
            async move {
                // A client that disconnects is not an error.
                let _ = take_all(connection, &count).await;
            }
        })
        .unwrap();
        Self { server, taken }
    }

    /// How many objects with main's data were written.
    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    fn endpoint(&self) -> String {
        format!("endpoint=http://{}", self.server.address())
    }
}

async fn take_all(mut connection: TcpStream, taken: &AtomicUsize) -> io::Result<()> {
    let mut received = Vec::new();
    loop {
        let end = loop {
            let end = received.windows(4).position(|part| part == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            if connection.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
        let length = head.split("\r\ncontent-length: ").nth(1);
        let length: usize = length
            .and_then(|rest| rest.split("\r\n").next()?.parse().ok())
            .unwrap_or(0);
        while received.len() < end + length {
            if connection.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
        received.drain(..end + length);
        let answer = match head.split(' ').next() {
            Some("put") => {
                taken.fetch_add(usize::from(head.contains("/task/raw/")), Ordering::Relaxed);
                "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n"
            }
            Some("delete") => "HTTP/1.1 204 No Content\r\n\r\n",
            _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        };
        connection.write_all(answer.as_bytes()).await?;
    }
}

/// Runs a command until `until` says that its work is done, ends main, and returns how it ended and the peak of
/// its own memory (`RssAnon`) in bytes.
fn peak_of(command: &mut Command, until: impl Fn(&Running) + Send) -> (Ended, usize) {
    let running = Running::start(command);
    let status = format!("/proc/{}/status", running.id());
    thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            let mut peak = 0;
            while let Some(now) = anonymous(&fs::read_to_string(&status).unwrap_or_default()) {
                peak = peak.max(now);
                thread::sleep(Duration::from_millis(1));
            }
            peak
        });
        until(&running);
        let ended = running.ended_within(Duration::from_mins(30));
        (ended, watcher.join().unwrap())
    })
}

/// `RssAnon` of a `/proc/PID/status`, in bytes; `None` for a process that has ended.
fn anonymous(status: &str) -> Option<usize> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn count() -> usize {
    let chosen = std::env::var("COPILOT_TEST_NAMES").ok();
    chosen.map_or(NAMES, |count| count.parse().expect("a number"))
}

/// Fills a directory with empty files whose names have 250 bytes.
fn crowd(directory: &Path, count: usize) {
    fs::create_dir_all(directory).unwrap();
    for number in 0..count {
        File::create(directory.join(format!("{number:0250}"))).unwrap();
    }
}

#[test]
fn a_crowded_directory_goes_up_in_little_memory() {
    let task = Task::start().unwrap();
    let sink = Sink::start();
    crowd(&task.outputs_dir().join("o/sub"), count());
    let mut command = task.sidecar(&interface([("o", blob_type(Multipart))]));
    command.args(["--storage.stow.config", &sink.endpoint()]);
    let (ended, peak) = peak_of(&mut command, |_| {});
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(sink.taken(), count());
    assert!(peak < LIMIT, "{} KiB", peak / 1024);
}

/// While main runs, a scan finds the files, twenty thousand at most wait to go up, and the rest waits for main's
/// end. A forged journal of the sidecar's own changes nothing.
#[test]
fn a_crowd_and_a_forged_journal_take_little_memory_while_main_runs() {
    let task = Task::start().unwrap();
    let sink = Sink::start();
    let files = count() / 4;
    crowd(&task.outputs_dir().join("o"), files);
    let mut journal = File::create(task.outputs_dir().join(".copilot-early")).unwrap();
    let lines: Vec<String> = (0..2_000_000).map(|name| format!("\"{name}\"\n")).collect();
    journal.write_all(lines.concat().as_bytes()).unwrap();
    drop(lines);
    let mut command = binary::command();
    command.args(task.site.server.flags("data"));
    command.args(["--storage.stow.config", &sink.endpoint()]);
    command.args(task.sidecar_arguments(&interface([("o", blob_type(Multipart))])));
    command.args(["--upload-mode", "UPLOAD_EAGER", "--watcher", "signal"]);
    let (ended, peak) = peak_of(&mut command, |running| {
        running.says("holds more than the sidecar notes");
        running.says("the rest waits for main's end");
        running.signal(Signal::TERM);
    });
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    ended.assert_logged(&["\"names\":20000", "\"refused\":1980000"]);
    assert_eq!(sink.taken(), files);
    assert!(peak < LIMIT, "{} KiB", peak / 1024);
}
