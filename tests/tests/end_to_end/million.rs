//! A prefix with very many objects: downloads begin with the first page, a page is requested only when
//! there is room for it, and memory does not grow.

#![cfg(test)]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io};

use copilot::idl::blob_type::BlobDimensionality::Multipart;
use copilot::idl::{LiteralMap, Message as _};
use copilot::store::{Network, Reference, Stores};
use copilot::transfer::Copy;
use copilot_tests::background::Background;
use copilot_tests::binary::Running;
use copilot_tests::own_process::is_alone;
use copilot_tests::site::{Site, closed_environment, names, place, run};
use copilot_tests::task::{Task, blob};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The number of objects on a page, as with S3.
const PAGE: usize = 1000;

/// The requests that a server has received.
#[derive(Default)]
struct Seen {
    /// Objects fetched.
    fetched: AtomicUsize,
    /// At each request for a page: how many objects had been fetched.
    pages: Mutex<Vec<usize>>,
}

/// A listing that is not stored: keys are generated when their page is requested. The server of the other
/// tests stores objects in files, so a million of them would take too long.
struct Bucket {
    objects: usize,
    /// The prefix of the number in each key.
    prefix: String,
    /// Whether all pages but the first are delayed until an object was fetched.
    patient: bool,
    seen: Seen,
}

impl Bucket {
    fn new(objects: usize, prefix: &str) -> Self {
        Self {
            objects,
            prefix: prefix.to_owned(),
            patient: false,
            seen: Seen::default(),
        }
    }

    fn serve(self: &Arc<Self>) -> Background {
        let bucket = Arc::clone(self);
        Background::start("synthetic-bucket", move |connection| {
            let bucket = Arc::clone(&bucket);
            async move {
                // A client that disconnects is not an error.
                let _ = bucket.answer(connection).await;
            }
        })
        .unwrap()
    }

    async fn answer(&self, mut connection: TcpStream) -> io::Result<()> {
        let mut received = Vec::new();
        loop {
            while !received.windows(4).any(|window| window == b"\r\n\r\n") {
                if connection.read_buf(&mut received).await? == 0 {
                    return Ok(());
                }
            }
            let head = String::from_utf8_lossy(&received).into_owned();
            received.clear();
            let mut words = head.split(' ');
            let (method, target) = (words.next().unwrap(), words.next().unwrap());
            let (status, body) = match method {
                "GET" if target.contains("list-type=2") => (200, self.page(target).await),
                "GET" if target.ends_with("/inputs.pb") => (200, inputs()),
                "GET" => {
                    self.seen.fetched.fetch_add(1, Ordering::Relaxed);
                    (200, b"x".to_vec())
                }
                _ => (404, Vec::new()),
            };
            let head = format!(
                "HTTP/1.1 {status} X\r\nETag: \"e\"\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            connection
                .write_all(&[head.as_bytes(), &body].concat())
                .await?;
        }
    }

    async fn page(&self, target: &str) -> Vec<u8> {
        let token = target.split("continuation-token=").nth(1);
        let token = token.map_or("0", |token| token.split('&').next().unwrap());
        let first: usize = token.parse().unwrap();
        let fetched = || self.seen.fetched.load(Ordering::Relaxed);
        // A client that first lists all pages would wait here for ever.
        while self.patient && first > 0 && fetched() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.seen.pages.lock().unwrap().push(fetched());
        let end = self.objects.min(first + PAGE);
        let more = end < self.objects;
        let mut text = format!("<ListBucketResult><IsTruncated>{more}</IsTruncated>");
        for number in first..end {
            let _ = write!(
                text,
                "<Contents><Key>{}{number:07}</Key><Size>1</Size></Contents>",
                self.prefix
            );
        }
        if more {
            let _ = write!(text, "<NextContinuationToken>{end}</NextContinuationToken>");
        }
        text.push_str("</ListBucketResult>");
        text.into_bytes()
    }
}

/// A map whose only input is the prefix `p`.
fn inputs() -> Vec<u8> {
    let literals = [("p".to_owned(), blob("s3://data/p", Multipart))].into();
    LiteralMap { literals }.encode_to_vec()
}

#[tokio::test]
async fn downloads_begin_with_the_first_page_and_pages_wait_for_room() {
    const PAGES: usize = 5;
    let site = Site::start().unwrap();
    let bucket = Arc::new(Bucket {
        patient: true,
        ..Bucket::new(PAGES * PAGE, "p/")
    });
    let server = bucket.serve();
    let engine = site.engine_through(&format!("http://{}", server.address()));
    let to = site.work("in");
    let copy = Copy::DownloadPrefix {
        from: Reference::parse("s3://data/p").unwrap(),
        to: place(&to),
    };
    let running = run(&engine, vec![copy]);
    let done = tokio::time::timeout(Duration::from_mins(1), running).await;
    assert_eq!(
        done.expect("it flows").unwrap().objects,
        (PAGES * PAGE) as u64
    );
    assert_eq!(names(&to).len(), PAGES * PAGE);
    // A page is requested when the one before it is complete and the one before that is nearly fetched: its
    // last objects may still be in flight.
    let pages = bucket.seen.pages.lock().unwrap();
    assert_eq!(pages.len(), PAGES);
    for (number, fetched) in pages.iter().enumerate() {
        let waiting = (number * PAGE).saturating_sub(*fetched);
        assert!(
            waiting <= PAGE + 256,
            "page {number}: {waiting} objects waited"
        );
    }
}

/// Lists a million keys, of which only one page is in memory. Runs in its own process, since other tests
/// use memory, too.
#[tokio::test]
async fn a_million_keys_take_the_memory_of_a_thousand() {
    if !is_alone("million::a_million_keys_take_the_memory_of_a_thousand") {
        return;
    }
    let site = Site::start().unwrap();
    let bucket = Arc::new(Bucket::new(1_000_000, "p/some/directory/or/other/"));
    let server = bucket.serve();
    let endpoint = format!("http://{}", server.address());
    let settings = site.settings_with(&[("endpoint", &endpoint)]);
    let stores = Stores::new(settings, Network::default(), closed_environment());
    let prefix = stores
        .open(&Reference::parse("s3://data/p").unwrap())
        .unwrap();
    let mut listing = prefix.list().unwrap();
    let (mut pages, mut keys, mut early) = (0, 0, 0);
    while let Some(page) = listing.next_page().await.unwrap() {
        pages += 1;
        keys += page.len();
        if pages == 20 {
            early = resident();
        }
    }
    assert_eq!((pages, keys), (1000, 1_000_000));
    // All of them would take more than 80 MB.
    let grown = resident().saturating_sub(early);
    assert!(grown < 32 << 20, "{grown} bytes more than after 20 pages");
}

/// The peak memory that the program reports, with keys of 800 bytes. Ten thousand of them in memory, as
/// keys, references and paths, would be more than 20 MB.
#[test]
fn the_memory_of_a_download_does_not_grow_with_its_prefix() {
    let deep = ["d".repeat(250), "e".repeat(250), "f".repeat(250)].join("/");
    let peaks = [2, 12].map(|pages| {
        let bucket = Arc::new(Bucket::new(pages * PAGE, &format!("p/{deep}/")));
        let server = bucket.serve();
        let task = Task::start().unwrap();
        let mut command = task.download();
        let endpoint = format!("endpoint=http://{}", server.address());
        command.args(["--storage.stow.config", &endpoint]);
        // On a busy machine a debug build fetches some fifty objects in a second.
        let ended = Running::start(&mut command).ended_within(Duration::from_mins(10));
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let found = task.inputs_dir().join("p").join(&deep);
        assert_eq!(names(&found).len(), pages * PAGE);
        let told = ended.stderr.split("peak_rss_bytes\":").nth(1).unwrap();
        let digits: String = told.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().unwrap()
    });
    let grown = peaks[1].saturating_sub(peaks[0]);
    assert!(
        grown < 8 << 20,
        "{grown} bytes more for twelve pages than for two"
    );
}

/// Memory of this process, in bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: usize = line.unwrap().trim_end_matches("kB").trim().parse().unwrap();
    kib * 1024
}
