//! Outputs that go up while main still runs (`UPLOAD_EAGER`).
//!
//! Notice files (`watch`, `scan`), wait until they are quiet (`schedule`), ask the plan where they go
//! (`places`), send them (`flight`), and note what was sent (`early`, `journal`) and in which state
//! (`stamp`). At main's end [`Eager::land`] hands all that to the upload, which plans as always and
//! skips what is up and unchanged. The journal serves uploads at main's end as well (`takeover`: what earlier
//! lives left unfinished). Never here: whether main runs, what outputs mean, the commit.
//! Caller: the sidecar.

mod early;
mod flight;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod journal;
mod limit;
mod look;
mod places;
mod scan;
mod schedule;
mod stamp;
mod takeover;
mod watch;

use std::collections::HashSet;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

pub use self::early::Early;
use self::flight::Flight;
use self::journal::JournalNotes;
use self::places::Places;
use self::schedule::Schedule;
use self::watch::{DirectoryWatch, Gone};
use super::UploadError;
use super::directory;
use super::planned::RawPrefix;
use crate::beneath::{GuardedDirectory, SharedDirectory};
use crate::idl::VariableMap;
use crate::literal::output::{OutputOptions, has_data};
use crate::store::{Reference, StoreError};
use crate::transfer::{Engine, FileUploads, Meter, Stop};

pub(super) use self::journal::{Journal, NAME as JOURNAL};

/// Files in flight at once: half of what the engine runs after main's end.
const MOST_AT_ONCE: usize = 8;

/// Multipart uploads of growing files at once.
const MOST_GROWING: usize = 8;

/// Time between two plans, and between two attempts to open the output directory.
const PLAN_PAUSE: Duration = Duration::from_millis(500);

/// Time until the next attempt after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What to upload and where to; as in [`Outputs`](super::Outputs).
#[derive(Clone, Copy, Debug)]
pub struct EagerOptions<'a> {
    /// The declared outputs.
    pub declared: &'a VariableMap,
    /// Main's output directory, which may not exist yet.
    pub directory: &'a Arc<SharedDirectory>,
    /// Where files and directories go.
    pub raw_prefix: Option<&'a str>,
    /// The object that holds the outputs' literals. While it exists, an earlier run is committed, and none of
    /// its data is overwritten before main's end.
    pub commit: &'a Reference,
    /// The user's choices.
    pub options: OutputOptions,
}

/// Sends outputs while main runs.
pub struct Eager {
    declared: VariableMap,
    options: OutputOptions,
    shared: Arc<SharedDirectory>,
    raw: RawPrefix,
    commit: Reference,
    /// Whether the store has been asked for an earlier commit.
    has_looked: bool,
    uploads: FileUploads,
    names: Arc<[String]>,
    cancel: CancellationToken,
    opened: Option<WatchedOutputs>,
    schedule: Schedule,
    places: Places,
    next_plan: Instant,
    /// No attempt before this time.
    next_try: Instant,
    flight: FuturesUnordered<Flight>,
    /// Shows progress while files are in flight.
    meter: Option<Meter>,
    /// Aborts multipart uploads of an earlier life.
    cleanup: Option<BoxFuture<'static, ()>>,
    /// Names of the objects in flight.
    busy: HashSet<Box<str>>,
    early: Early,
    /// Messages that have been logged once.
    said: HashSet<&'static str>,
    /// Nothing goes up early any more, since a later life could not know about it.
    is_over: bool,
}

/// The output directory, opened.
struct WatchedOutputs {
    directory: Arc<GuardedDirectory>,
    watch: DirectoryWatch,
}

impl Eager {
    /// Opens nothing yet. Returns `None` if no output has data.
    ///
    /// # Errors
    /// That the prefix for data is missing or not a reference.
    pub fn new(outputs: &EagerOptions<'_>, engine: &Engine) -> Result<Option<Self>, UploadError> {
        let types = outputs.declared.types().into_iter();
        let names = types.filter(|(_, declared)| has_data(declared));
        let names: Arc<[String]> = names.map(|(name, _)| name.to_owned()).collect();
        if names.is_empty() {
            return Ok(None);
        }
        if outputs.declared.types().contains_key(JOURNAL) {
            warn!(
                "an output is called {JOURNAL}, a name that the sidecar needs for itself: outputs wait \
                 for main's end"
            );
            return Ok(None);
        }
        let raw = RawPrefix::parse(outputs.raw_prefix)?;
        raw.join(&[])?;
        let now = Instant::now();
        Ok(Some(Self {
            declared: outputs.declared.clone(),
            options: outputs.options,
            shared: Arc::clone(outputs.directory),
            uploads: FileUploads::new(engine.clone()),
            names,
            cancel: CancellationToken::new(),
            opened: None,
            schedule: Schedule::default(),
            places: Places::default(),
            next_plan: now,
            next_try: now,
            flight: FuturesUnordered::new(),
            meter: None,
            cleanup: None,
            busy: HashSet::new(),
            early: Early::below(raw.clone()),
            raw,
            commit: outputs.commit.clone(),
            has_looked: false,
            said: HashSet::new(),
            is_over: false,
        }))
    }

    /// Sends what is ready, and never returns. The future may be dropped at any time, and run again.
    pub async fn run(&mut self) -> Infallible {
        self.look_for_commit().await;
        loop {
            self.open();
            let due = self.next_look();
            tokio::select! {
                Some(landed) = self.flight.next() => self.landed(landed),
                touched = next_touched(self.opened.as_mut()) => self.watched(touched),
                () = cleaned_up(self.cleanup.as_mut()) => self.cleanup = None,
                () = until(self.meter.as_ref().map(Meter::due)) => self.show_progress(),
                () = until(due) => {
                    self.look();
                    // The wait for main's end comes first.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Waits until it is known that no outputs are committed. Otherwise nothing goes up early: it would
    /// overwrite data that a reader may follow the commit to.
    async fn look_for_commit(&mut self) {
        while !self.has_looked {
            match self.uploads.exists(&self.commit).await {
                Ok(is_there) => {
                    self.has_looked = true;
                    self.is_over |= is_there;
                    if is_there {
                        info!(
                            commit = self.commit.shown(),
                            "an earlier run has committed outputs here: outputs wait for main's end"
                        );
                    }
                }
                Err(error) if error.is_lasting() || matches!(error, StoreError::Denied { .. }) => {
                    warn!(
                        %error,
                        "the store does not say whether an earlier run has committed outputs: outputs wait for \
                         main's end. On S3 a role needs s3:GetObject and s3:ListBucket to learn that an object does \
                         not exist"
                    );
                    (self.has_looked, self.is_over) = (true, true);
                }
                Err(error) => {
                    self.say(
                        "commit",
                        || warn!(%error, "no output can go up while main runs, yet"),
                    );
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    /// Main has ended: waits for files in flight, and returns what was sent. Cuts what is still in flight
    /// when it is time to stop.
    pub async fn land(mut self, stop: &Stop) -> Early {
        if stop.race(self.drain()).await.is_err() {
            self.cancel.cancel();
            self.drain().await;
        }
        if let Some(cleanup) = self.cleanup.take() {
            // Stopped: the names stay in the journal, for the next life.
            let _ = stop.race(cleanup).await;
        }
        self.early.close(self.uploads.summary());
        self.early
    }

    async fn drain(&mut self) {
        loop {
            tokio::select! {
                landed = self.flight.next() => match landed {
                    Some(landed) => self.landed(landed),
                    None => return,
                },
                () = until(self.meter.as_ref().map(Meter::due)) => self.show_progress(),
            }
        }
    }

    fn show_progress(&mut self) {
        if let Some(meter) = &mut self.meter {
            self.uploads.show(meter);
        }
    }

    /// The run has no outputs: cuts the files in flight.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Opens the output directory, if it is not open and it is time for an attempt.
    fn open(&mut self) {
        if self.opened.is_some() || self.is_over || Instant::now() < self.next_try {
            return;
        }
        let directory = match directory::open(&self.shared) {
            Ok(directory) => directory,
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
            Ok((journal, noted)) => self.take_over(journal, noted),
            Err(error) => return self.give_up(&error),
        }
        let (watch, found) = DirectoryWatch::begin(Arc::clone(&directory), Arc::clone(&self.names));
        self.opened = Some(WatchedOutputs { directory, watch });
        self.places = Places::default();
        self.touched(&found);
    }

    /// Takes over what earlier lives have sent, and aborts their multipart uploads.
    fn take_over(&mut self, journal: Journal, noted: JournalNotes) {
        let unfinished = self.early.keep(journal, noted);
        let uploads = self.uploads.clone();
        self.cleanup = unfinished.map(|left| async move { left.abort(&uploads).await }.boxed());
    }

    /// Without a journal a later life of the sidecar cannot know what to delete.
    fn give_up(&mut self, reason: &io::Error) {
        warn!(
            %reason,
            "{JOURNAL} cannot be written in the output directory. Without it a sidecar that is started \
             again does not know what it has sent: outputs wait for main's end"
        );
        self.is_over = true;
        self.opened = None;
    }

    fn watched(&mut self, touched: Result<Vec<PathBuf>, Gone>) {
        if let Ok(files) = touched {
            return self.touched(&files);
        }
        debug!("the output directory was removed or moved: it is opened again");
        self.opened = None;
        self.next_try = Instant::now() + PLAN_PAUSE;
    }

    fn touched(&mut self, files: &[PathBuf]) {
        let now = Instant::now();
        for file in files {
            self.schedule.touched(file, now);
        }
    }

    fn next_look(&self) -> Option<Instant> {
        // The cleanup cannot tell uploads of this life from those of an earlier one.
        if self.is_over || self.flight.len() >= MOST_AT_ONCE || self.cleanup.is_some() {
            return None;
        }
        if self.opened.is_none() {
            return Some(self.next_try);
        }
        self.schedule.next().map(|due| due.max(self.next_try))
    }

    /// Logs a message once.
    fn say(&mut self, what: &'static str, how: impl FnOnce()) {
        if self.said.insert(what) {
            how();
        }
    }
}

async fn next_touched(opened: Option<&mut WatchedOutputs>) -> Result<Vec<PathBuf>, Gone> {
    match opened {
        Some(opened) => opened.watch.next().await,
        None => std::future::pending().await,
    }
}

async fn cleaned_up(cleanup: Option<&mut BoxFuture<'static, ()>>) {
    match cleanup {
        Some(cleanup) => cleanup.await,
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
