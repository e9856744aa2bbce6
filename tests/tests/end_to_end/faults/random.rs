//! Random faults: every run ends with equal bytes or with a clear error, within a bounded time, and
//! leaves nothing incomplete. If even the cleanup failed, the log says what may remain.
//!
//! `COPILOT_FAULT_SEED` repeats the runs of a seed.

use std::env;
use std::fs;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use copilot::store::{Network, Retry, Stores};
use copilot::transfer::{Engine, TransferLimits};
use copilot_tests::fault::{Chance, Fault, FaultProxy, Schedule};
use copilot_tests::minio::{MINIO, Minio};
use copilot_tests::requirement::Requirement;
use copilot_tests::site::{Site, bytes, closed_environment, download, names, run};
use tracing_subscriber::fmt::MakeWriter;

use super::MIB;

/// The number of runs of a test.
const RUNS: usize = 50;

/// Longest that a run may take: far more than all its retries, on a machine with other work.
const BOUND: Duration = Duration::from_mins(2);

/// Sizes around those at which an object is transferred in one piece or in several.
const SIZES: [usize; 8] = [0, 1, 100_000, MIB, 5 * MIB, 5 * MIB + 1, 12 * MIB, 20 * MIB];

/// The log of a run.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Two servers: the files of one can be inspected, the other one is used in clusters.
struct Servers {
    site: Site,
    minio: Option<Minio>,
}

impl Servers {
    fn start() -> Self {
        let here = Requirement::Emulator(MINIO).is_met();
        Self {
            site: Site::start().unwrap(),
            minio: here.then(|| Minio::start().unwrap()),
        }
    }
}

/// One run.
struct Run<'a> {
    number: usize,
    schedule: Schedule,
    data: Vec<u8>,
    site: &'a Site,
    minio: Option<&'a Minio>,
}

impl Run<'_> {
    fn up(&self) -> bool {
        self.number % 2 == 1
    }

    fn described(&self) -> String {
        format!(
            "run {}, {} {} bytes, {}, {:?}",
            self.number,
            if self.up() { "up" } else { "down" },
            self.data.len(),
            self.minio.map_or("in process", |_| "MinIO"),
            self.schedule
        )
    }

    fn engine(&self, endpoint: &str) -> Engine {
        let settings = self.site.settings_with(&[("endpoint", endpoint)]);
        let network = Network {
            // Short, since some faults are a silence; enough for a busy machine.
            stall_timeout: Duration::from_millis(1500),
            retry: Retry {
                attempts: 5,
                elapsed: Duration::from_secs(15),
                connect_elapsed: Duration::from_secs(1),
                known_elapsed: Duration::from_secs(2),
                base: Duration::from_millis(5),
                cap: Duration::from_millis(50),
                retry_after: Duration::from_millis(100),
            },
            ..Network::default()
        };
        let limits = TransferLimits {
            part_size: 5 << 20,
            ..TransferLimits::within(None)
        };
        let stores = Stores::new(settings, network, closed_environment());
        Engine::new(Arc::new(stores), limits)
    }

    fn object(&self) -> Option<Vec<u8>> {
        match self.minio {
            Some(minio) => minio.get("x"),
            None => fs::read(self.site.server.file("data", "x")).ok(),
        }
    }

    fn unfinished(&self) -> usize {
        match self.minio {
            Some(minio) => minio.unfinished_uploads("x").len(),
            None => self.site.server.unfinished_uploads().unwrap().len(),
        }
    }

    /// Starts from an empty bucket.
    fn clear(&self) {
        if let Some(minio) = self.minio {
            minio.ask("DELETE", "data/x", b"").unwrap();
            for id in minio.unfinished_uploads("x") {
                let target = format!("data/x?uploadId={id}");
                minio.ask("DELETE", &target, b"").unwrap();
            }
        } else {
            let _ = fs::remove_file(self.site.server.file("data", "x"));
            for path in self.site.server.unfinished_uploads().unwrap() {
                let _ = fs::remove_file(&path);
                let _ = fs::remove_dir_all(&path);
            }
        }
        let _ = fs::remove_dir_all(self.site.work("in"));
    }

    /// Runs it; returns whether it succeeded, and whether something was left on the server.
    async fn play(&self) -> (bool, bool) {
        self.clear();
        let upstream = self
            .minio
            .map_or(self.site.server.address(), Minio::address);
        let to = self.site.work("in/x");
        let copy = self.site.upload_of(&self.data).unwrap();
        let copy = if self.up() {
            copy
        } else {
            let straight = self.engine(&format!("http://{upstream}"));
            run(&straight, vec![copy]).await.unwrap();
            download("x", &to)
        };

        let schedule = self.schedule;
        let proxy = FaultProxy::start(upstream, move |seen| schedule.fault(seen)).unwrap();
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(log.clone())
            .with_ansi(false)
            .with_max_level(tracing::Level::WARN)
            .finish();
        let listening = tracing::subscriber::set_default(subscriber);
        let engine = self.engine(&proxy.endpoint());
        let outcome = tokio::time::timeout(BOUND, run(&engine, vec![copy])).await;
        drop(listening);
        let outcome = outcome.unwrap_or_else(|_| panic!("no end: {}", self.described()));
        let faults: Vec<_> = proxy
            .seen()
            .into_iter()
            .map(|seen| (seen.line, seen.fault))
            .collect();
        let story = format!("{}\n{faults:#?}\n{}", self.described(), log.text());

        if let Err(error) = &outcome {
            let error = error.to_string();
            assert!(error.contains("s3://data/x"), "{error}\n{story}");
            assert!(error.len() > "s3://data/x".len() + 20, "{error}\n{story}");
        }
        if self.up() {
            let found = self.object();
            let whole = found.as_ref() == Some(&self.data);
            // An error is right even if the store has all data: its answer was lost.
            assert!(whole || (outcome.is_err() && found.is_none()), "{story}");
        } else if outcome.is_ok() {
            assert!(fs::read(&to).unwrap() == self.data, "{story}");
            assert_eq!(names(to.parent().unwrap()), ["x"], "{story}");
        } else {
            let left = names(to.parent().unwrap());
            assert!(left.is_empty(), "{left:?}\n{story}");
        }
        let left = self.unfinished() > 0;
        if left {
            let said = log
                .text()
                .contains("unfinished multipart upload may remain");
            assert!(said, "left on the server in silence: {story}");
            let met = faults.iter().any(|(line, fault)| {
                let tidies = line.starts_with("DELETE") || line.contains("?prefix=x&uploads=");
                (tidies || line.contains("uploads=")) && *fault != Fault::None
            });
            assert!(met, "left on the server for no reason: {story}");
        }
        (outcome.is_ok(), left)
    }
}

pub fn seed() -> u64 {
    let named = env::var("COPILOT_FAULT_SEED").ok();
    let named = named.map(|seed| seed.parse().expect("COPILOT_FAULT_SEED is a number"));
    named.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_secs() ^ u64::from(now.subsec_nanos()) << 20
    })
}

#[tokio::test]
async fn every_run_ends_in_equal_bytes_or_a_clear_error() {
    let seed = seed();
    eprintln!("COPILOT_FAULT_SEED={seed}");
    let servers = Servers::start();
    let mut chance = Chance::new(seed);
    let (mut succeeded, mut untidy) = (0, 0);
    for number in 0..RUNS {
        let size = SIZES[chance.below(SIZES.len())];
        let run = Run {
            number,
            schedule: Schedule::random(chance.number()),
            data: bytes(size, chance.number()),
            site: &servers.site,
            minio: servers.minio.as_ref().filter(|_| number % 4 >= 2),
        };
        let (success, left) = run.play().await;
        succeeded += usize::from(success);
        untidy += usize::from(left);
    }
    eprintln!(
        "{succeeded} of {RUNS} runs succeeded, the others ended in an error; of {untidy} the log says \
         what they could not tidy up"
    );
    // Many runs must succeed on networks that mostly work, and none on dead ones.
    assert!((10..RUNS).contains(&succeeded), "{succeeded} succeeded");
}
