//! Outputs that go up while main still runs (`UPLOAD_EAGER`).
//!
//! Hear of files (`watch`, `scan`), wait until they are quiet (`schedule`), see where the plan would
//! put them (`places`), send them, note what was sent (`early`, `journal`) and in which state
//! (`stamp`). At main's end [`Eager::land`] gives all that to the upload, which plans as ever and
//! skips what is up and unchanged. Never here: whether main runs, what outputs mean, the commit.

mod early;
mod flight;
mod journal;
mod look;
mod places;
mod scan;
mod schedule;
mod stamp;
mod watch;

use std::collections::HashSet;
use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

pub use self::early::Early;
pub(super) use self::early::open;
use self::flight::Flight;
use self::journal::Journal;
use self::places::Places;
use self::schedule::Schedule;
use self::watch::{Gone, Watch};
use super::UploadError;
use super::directory::Directory;
use super::planned::RawPrefix;
use crate::idl::VariableMap;
use crate::literal::output::{OutputOptions, has_data};
use crate::transfer::{Engine, Stop};

pub(super) use self::journal::NAME as JOURNAL;

/// The most files that go up early: what is known of one takes a few hundred bytes, and the rest can
/// wait.
const MOST_FILES: usize = 20_000;

/// Files in transfer at once: half of what the engine runs when main has ended.
const MOST_AT_ONCE: usize = 8;

/// Objects that are made piece by piece at once.
const MOST_GROWING: usize = 8;

/// Time between two plans, and between two tries to open the output directory.
const PLAN_PAUSE: Duration = Duration::from_millis(500);

/// Time until the next try after something failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What may go up, and to where; as in [`Outputs`](super::Outputs).
#[derive(Clone, Copy, Debug)]
pub struct EagerOptions<'a> {
    /// The declared outputs.
    pub declared: &'a VariableMap,
    /// Main's output directory; it need not be there yet.
    pub directory: &'a Path,
    /// Where files and directories go.
    pub raw_prefix: Option<&'a str>,
    /// What may be chosen.
    pub options: OutputOptions,
}

/// Sends outputs while main runs.
pub struct Eager {
    declared: VariableMap,
    options: OutputOptions,
    path: PathBuf,
    raw: RawPrefix,
    engine: Engine,
    names: Arc<[String]>,
    cancel: CancellationToken,
    source: Option<Source>,
    schedule: Schedule,
    places: Places,
    next_plan: Instant,
    /// Nothing is tried before.
    next_try: Instant,
    flight: FuturesUnordered<Flight>,
    /// Names that something is on its way to.
    busy: HashSet<Box<str>>,
    early: Early,
    /// What has been said already.
    said: HashSet<&'static str>,
    /// Nothing goes up early any more, since no later life would know of it.
    is_over: bool,
}

/// The output directory, opened.
struct Source {
    directory: Arc<Directory>,
    watch: Watch,
}

impl Eager {
    /// Nothing is opened yet. None if no output has data.
    ///
    /// # Errors
    /// That the prefix for data is none.
    pub fn new(outputs: &EagerOptions<'_>, engine: &Engine) -> Result<Option<Self>, UploadError> {
        let types = outputs.declared.types().into_iter();
        let names = types.filter(|(_, declared)| has_data(declared));
        let names: Arc<[String]> = names.map(|(name, _)| name.to_owned()).collect();
        if names.is_empty() {
            return Ok(None);
        }
        if outputs.declared.types().contains_key(JOURNAL) {
            warn!("an output is called {JOURNAL}, which is ours: outputs wait for main's end");
            return Ok(None);
        }
        let raw = RawPrefix::parse(outputs.raw_prefix)?;
        raw.join(&[])?;
        let now = Instant::now();
        Ok(Some(Self {
            declared: outputs.declared.clone(),
            options: outputs.options,
            path: outputs.directory.to_owned(),
            engine: engine.clone(),
            names,
            cancel: CancellationToken::new(),
            source: None,
            schedule: Schedule::default(),
            places: Places::default(),
            next_plan: now,
            next_try: now,
            flight: FuturesUnordered::new(),
            busy: HashSet::new(),
            early: Early::below(raw.clone()),
            raw,
            said: HashSet::new(),
            is_over: false,
        }))
    }

    /// Sends what is ready, without an end. It may be left at any time and taken up again.
    pub async fn run(&mut self) -> Infallible {
        loop {
            self.open();
            let due = self.next_look();
            tokio::select! {
                Some(landed) = self.flight.next() => self.landed(landed),
                heard = hear(self.source.as_mut()) => self.heard(heard),
                () = until(due) => {
                    self.look();
                    // Whoever waits for main's end comes first.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Main has ended: waits for what is on its way, and gives what was sent. What is not there in
    /// time is cut.
    pub async fn land(mut self, stop: &Stop) -> Early {
        let landing = async {
            while let Some(landed) = self.flight.next().await {
                self.landed(landed);
            }
        };
        if stop.race(landing).await.is_err() {
            self.cancel.cancel();
            while let Some(landed) = self.flight.next().await {
                self.landed(landed);
            }
        }
        self.early
    }

    /// Nothing of it will be outputs: cuts what is on its way.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Opens the output directory, if it is not open and time for a try.
    fn open(&mut self) {
        if self.source.is_some() || self.is_over || Instant::now() < self.next_try {
            return;
        }
        let directory = match Directory::open(&self.path) {
            Ok(directory) => Arc::new(directory),
            Err(error) => {
                self.say(
                    "directory",
                    || warn!(%error, "no output can go up while main runs, yet"),
                );
                self.next_try = Instant::now() + AFTER_FAILURE;
                return;
            }
        };
        match Journal::open(&directory) {
            Ok((journal, tried)) => self.early.keep(journal, tried),
            Err(error) => return self.give_up(&error),
        }
        let (watch, found) = Watch::begin(Arc::clone(&directory), Arc::clone(&self.names));
        self.source = Some(Source { directory, watch });
        self.places = Places::default();
        self.touched(&found);
    }

    /// Without a journal a later life of ours could not know what to delete.
    fn give_up(&mut self, reason: &io::Error) {
        warn!(
            %reason,
            "{JOURNAL} cannot be written in the output directory, and without it a sidecar that is \
             started again would not know what it had sent: outputs wait for main's end"
        );
        self.is_over = true;
        self.source = None;
    }

    fn heard(&mut self, heard: Result<Vec<PathBuf>, Gone>) {
        if let Ok(files) = heard {
            return self.touched(&files);
        }
        debug!("the output directory is gone, or elsewhere: opened anew");
        self.source = None;
        self.next_try = Instant::now() + PLAN_PAUSE;
    }

    fn touched(&mut self, files: &[PathBuf]) {
        let now = Instant::now();
        for file in files {
            self.schedule.touched(file, now);
        }
    }

    fn next_look(&self) -> Option<Instant> {
        if self.is_over || self.flight.len() >= MOST_AT_ONCE {
            return None;
        }
        if self.source.is_none() {
            return Some(self.next_try);
        }
        self.schedule.next().map(|due| due.max(self.next_try))
    }

    /// Says something once.
    fn say(&mut self, what: &'static str, how: impl FnOnce()) {
        if self.said.insert(what) {
            how();
        }
    }
}

async fn hear(source: Option<&mut Source>) -> Result<Vec<PathBuf>, Gone> {
    match source {
        Some(source) => source.watch.next().await,
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
