//! When to look at which file, and what to do with what is found. Pure: no file, no clock.
//!
//! A file is looked at once it has been quiet for a while, and in any case some time after it was
//! first heard of, or one that is opened and closed for each line would never be. Who had to be sent
//! again waits longer each time: a file that main goes on rewriting costs a few uploads, not
//! hundreds.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::MOST_FILES;
use super::stamp::Writers;

/// How long a file must be quiet before it goes up. Programs that write a file in several openings
/// do so in milliseconds; what is not up yet when main ends is what its end waits for.
const QUIET: Duration = Duration::from_millis(300);

/// How long that may grow.
const LONGEST_QUIET: Duration = Duration::from_mins(10);

/// The longest time from the first word of a file to a look at it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The quiet that counts as closed where the kernel tells nobody who writes.
const UNTOLD: Duration = Duration::from_secs(2);

/// Time between two looks at a file that is being written.
const PAUSE: Duration = Duration::from_millis(500);

/// How long that may grow while the file does not.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What was seen of a file.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Bytes.
    pub size: u64,
    /// Time since it changed.
    pub age: Duration,
    /// Who writes.
    pub writers: Writers,
    /// Whether it was sent in just this state.
    pub is_sent: bool,
    /// Bytes of it that went up in pieces.
    pub in_pieces: u64,
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it is up.
    Nothing,
    /// Send the whole of it.
    Send,
    /// Send the pieces of it that are not likely to change any more.
    Grow,
    /// Look again later.
    Wait,
}

/// The files to look at.
#[derive(Debug, Default)]
pub struct Schedule {
    files: HashMap<Arc<Path>, Waiting>,
    queue: BTreeSet<(Instant, Arc<Path>)>,
    /// How often a file was sent that has been sent before.
    sent: HashMap<Arc<Path>, u32>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: Instant,
    /// The latest time to look at it.
    latest: Instant,
    /// How large it was when it was looked at.
    size: Option<u64>,
    pause: Duration,
}

impl Schedule {
    /// Something has happened to a file.
    pub fn touched(&mut self, path: &Path, now: Instant) {
        let quiet = self.quiet(path);
        let (path, waiting) = match self.files.get_key_value(path) {
            Some((path, waiting)) => (Arc::clone(path), *waiting),
            // As many as may go up early; more would be no more than memory.
            None if self.files.len() >= MOST_FILES => return,
            None => (
                Arc::from(path),
                Waiting {
                    due: now,
                    latest: now + quiet.max(PATIENCE),
                    size: None,
                    pause: PAUSE,
                },
            ),
        };
        let due = (now + quiet).min(waiting.latest);
        self.put(path, Waiting { due, ..waiting });
    }

    /// Looks at a file again at a given time, without a word of it.
    pub fn again_at(&mut self, path: &Path, due: Instant) {
        self.touched(path, due);
        if let Some((path, waiting)) = self.files.get_key_value(path) {
            let (path, waiting) = (Arc::clone(path), *waiting);
            self.put(path, Waiting { due, ..waiting });
        }
    }

    /// Looks again later at a file that was taken, with all that is known of it.
    pub fn put_back(&mut self, path: &Arc<Path>, Taken(waiting): Taken, due: Instant) {
        self.put(Arc::clone(path), Waiting { due, ..waiting });
    }

    /// When the next look is due.
    pub fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// A file to look at now. It is waited for no more, unless [`Self::step`] says so.
    pub fn take(&mut self, now: Instant) -> Option<(Arc<Path>, Taken)> {
        if self.next()? > now {
            return None;
        }
        let (_, path) = self.queue.pop_first()?;
        let waiting = self.files.remove(&path)?;
        Some((path, Taken(waiting)))
    }

    /// What to do with a file that was taken; one to wait for is waited for again.
    pub fn step(
        &mut self,
        path: &Arc<Path>,
        taken: Taken,
        seen: &Seen,
        piece: u64,
        now: Instant,
    ) -> Step {
        if seen.is_sent {
            return Step::Nothing;
        }
        let quiet = self.quiet(path);
        let is_settled = match seen.writers {
            Writers::None => seen.age >= quiet,
            Writers::Some => false,
            Writers::Unknown => seen.age >= quiet.max(UNTOLD),
        };
        if is_settled {
            return Step::Send;
        }
        let Taken(before) = taken;
        let changed = before.size != Some(seen.size);
        let grows = before.size.is_some_and(|size| size < seen.size);
        let pause = match (changed, seen.writers) {
            (true, _) => PAUSE,
            // It is closed, and only its quiet is waited for.
            (false, Writers::None) => quiet.min(LONGEST_PAUSE),
            (false, _) => (before.pause * 2).min(LONGEST_PAUSE),
        };
        let due = now + pause;
        let waiting = Waiting {
            due,
            latest: due + PATIENCE,
            size: Some(seen.size),
            pause,
        };
        self.put(Arc::clone(path), waiting);
        // What has grown once may rest with some of it not sent.
        let is_growing = grows || seen.in_pieces > 0;
        if is_growing && seen.size >= seen.in_pieces + 2 * piece {
            Step::Grow
        } else {
            Step::Wait
        }
    }

    /// A file was sent whole, or could not be: the next time it must be quiet for longer.
    pub fn sent(&mut self, path: &Arc<Path>) {
        *self.sent.entry(Arc::clone(path)).or_default() += 1;
    }

    fn quiet(&self, path: &Path) -> Duration {
        let sent = self.sent.get(path).copied().unwrap_or(0);
        (QUIET * 4_u32.pow(sent.min(8))).min(LONGEST_QUIET)
    }

    fn put(&mut self, path: Arc<Path>, waiting: Waiting) {
        let before = self.files.insert(Arc::clone(&path), waiting);
        if let Some(before) = before {
            self.queue.remove(&(before.due, Arc::clone(&path)));
        }
        self.queue.insert((waiting.due, path));
    }
}

/// What was known of a file that was waited for.
#[derive(Clone, Copy, Debug)]
pub struct Taken(Waiting);

#[cfg(test)]
mod tests;
