//! When to look at which file, and what to do then. Pure: no files, no clock.
//!
//! A file is looked at when it has been quiet for a while, and at the latest some time after its first
//! event: a file that is opened and closed for each line would never be quiet. A file that was sent
//! before waits longer each time, so that a file which main keeps rewriting costs a few uploads, not
//! hundreds.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::limit::NameCount;
use super::stamp::Writers;

/// How long a file must be quiet before it goes up. Programs that open a file several times in a row do so
/// within milliseconds, and a file that is not up at main's end delays the outputs.
const QUIET: Duration = Duration::from_millis(300);

/// The longest that may become.
const LONGEST_QUIET: Duration = Duration::from_mins(10);

/// The longest time from the first event of a file to a look at it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a file must be quiet to count as closed where the kernel does not say whether it is open.
const QUIET_IF_UNKNOWN: Duration = Duration::from_secs(2);

/// Time between two looks at a file that main writes.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest that may become while the file does not grow.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A file at the time of a look.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// Its size in bytes.
    pub size: u64,
    /// Time since its last change.
    pub age: Duration,
    /// Whether somebody has it open for writing.
    pub writers: Writers,
    /// Whether it was sent in exactly this state.
    pub is_sent: bool,
    /// Bytes of it that went up as parts.
    pub in_parts: u64,
}

/// What to do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: the file is up.
    Nothing,
    /// Send the whole file.
    Send,
    /// Send the parts that will probably not change any more.
    Grow,
    /// Look again later.
    Wait,
}

/// The files to look at.
#[derive(Debug, Default)]
pub struct Schedule {
    files: HashMap<Arc<Path>, PendingFile>,
    /// How many paths those are.
    count: NameCount,
    queue: BTreeSet<(Instant, Arc<Path>)>,
    /// How often each file was sent.
    sent: HashMap<Arc<Path>, u32>,
    /// How many paths those are.
    sent_count: NameCount,
}

#[derive(Clone, Copy, Debug)]
struct PendingFile {
    due: Instant,
    /// The latest time for a look.
    latest: Instant,
    /// Its size at the last look.
    size: Option<u64>,
    pause: Duration,
}

impl Schedule {
    /// An event of a file.
    pub fn touched(&mut self, path: &Path, now: Instant) {
        let quiet = self.quiet(path);
        let (path, waiting) = match self.files.get_key_value(path) {
            Some((path, waiting)) => (Arc::clone(path), *waiting),
            // No more files than may go up early.
            None if !self.count.fits(length(path)) => return,
            None => (
                Arc::from(path),
                PendingFile {
                    due: now,
                    latest: now + quiet.max(PATIENCE),
                    size: None,
                    pause: PAUSE,
                },
            ),
        };
        let due = (now + quiet).min(waiting.latest);
        self.put(path, PendingFile { due, ..waiting });
    }

    /// Schedules a look at a file for this time, without an event.
    pub fn again_at(&mut self, path: &Path, due: Instant) {
        self.touched(path, due);
        if let Some((path, waiting)) = self.files.get_key_value(path) {
            let (path, waiting) = (Arc::clone(path), *waiting);
            self.put(path, PendingFile { due, ..waiting });
        }
    }

    /// Schedules another look at a file that was taken.
    pub fn put_back(&mut self, path: &Arc<Path>, DueFile(waiting): DueFile, due: Instant) {
        self.put(Arc::clone(path), PendingFile { due, ..waiting });
    }

    /// When the next look is due.
    pub fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// Takes a file to look at now. Only [`Self::step`] or [`Self::put_back`] schedule it again.
    pub fn take(&mut self, now: Instant) -> Option<(Arc<Path>, DueFile)> {
        if self.next()? > now {
            return None;
        }
        let (_, path) = self.queue.pop_first()?;
        let waiting = self.files.remove(&path)?;
        self.count.remove(length(&path));
        Some((path, DueFile(waiting)))
    }

    /// What to do with a file that was taken. Schedules another look unless the file is up or quiet.
    pub fn step(
        &mut self,
        path: &Arc<Path>,
        taken: DueFile,
        observed: &Observed,
        part_size: u64,
        now: Instant,
    ) -> Step {
        if observed.is_sent {
            return Step::Nothing;
        }
        let quiet = self.quiet(path);
        let is_settled = match observed.writers {
            Writers::None => observed.age >= quiet,
            Writers::Some => false,
            Writers::Unknown => observed.age >= quiet.max(QUIET_IF_UNKNOWN),
        };
        if is_settled {
            return Step::Send;
        }
        let DueFile(before) = taken;
        let changed = before.size != Some(observed.size);
        let grows = before.size.is_some_and(|size| size < observed.size);
        let pause = match (changed, observed.writers) {
            (true, _) => PAUSE,
            // The file is closed, and only has to be quiet for longer.
            (false, Writers::None) => quiet.min(LONGEST_PAUSE),
            (false, _) => (before.pause * 2).min(LONGEST_PAUSE),
        };
        let due = now + pause;
        let waiting = PendingFile {
            due,
            latest: due + PATIENCE,
            size: Some(observed.size),
            pause,
        };
        self.put(Arc::clone(path), waiting);
        // A file that has grown before may rest now with some parts not sent.
        let is_growing = grows || observed.in_parts > 0;
        if is_growing && observed.size >= observed.in_parts + 2 * part_size {
            Step::Grow
        } else {
            Step::Wait
        }
    }

    /// A file was sent whole, or failed: the next time it must be quiet for longer.
    pub fn sent(&mut self, path: &Arc<Path>) {
        if let Some(times) = self.sent.get_mut(path) {
            *times += 1;
            return;
        }
        if !self.sent_count.add(length(path)) {
            // Main makes new names all the time. Only the longer waits of earlier ones are forgotten.
            self.sent.clear();
            self.sent_count = NameCount::default();
            let _ = self.sent_count.add(length(path));
        }
        self.sent.insert(Arc::clone(path), 1);
    }

    fn quiet(&self, path: &Path) -> Duration {
        let sent = self.sent.get(path).copied().unwrap_or(0);
        (QUIET * 4_u32.pow(sent.min(8))).min(LONGEST_QUIET)
    }

    fn put(&mut self, path: Arc<Path>, waiting: PendingFile) {
        match self.files.insert(Arc::clone(&path), waiting) {
            Some(before) => _ = self.queue.remove(&(before.due, Arc::clone(&path))),
            None => self.count.take(length(&path)),
        }
        self.queue.insert((waiting.due, path));
    }
}

/// The length of a path in bytes.
fn length(path: &Path) -> usize {
    path.as_os_str().len()
}

/// A file that was taken, with what is known from earlier looks.
#[derive(Clone, Copy, Debug)]
pub struct DueFile(PendingFile);

#[cfg(test)]
mod tests;
