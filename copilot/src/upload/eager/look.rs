//! A look at the files that are due: where each would go, and whether it goes now.

use std::path::Path;
use std::sync::Arc;

use tokio::time::Instant;
use tracing::warn;

use super::places::Places;
use super::schedule::{Seen, Step};
use super::stamp::Look;
use super::{Eager, MOST_AT_ONCE, MOST_FILES, PLAN_PAUSE};
use crate::literal::output::data_so_far;
use crate::transfer::Gradual;
use crate::upload::view::OutputDirectory;

/// Looks before somebody else has their turn.
const LOOKS: usize = 64;

/// How many times as long as a plan took there is none.
const PLAN_SHARE: u32 = 20;

impl Eager {
    /// Looks at the files whose time it is.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        for _ in 0..LOOKS {
            let Some(source) = &self.source else {
                return;
            };
            if self.flight.len() >= MOST_AT_ONCE {
                return;
            }
            let directory = Arc::clone(&source.directory);
            let Some((path, taken)) = self.schedule.take(now) else {
                return;
            };
            let Some(key) = self.place(&path, now) else {
                continue;
            };
            if self.is_enough(&key) {
                continue;
            }
            if self.busy.contains(&*key) {
                self.schedule.put_back(&path, taken, now + PLAN_PAUSE);
                continue;
            }
            // What is not there any more, or not to be read, is the final plan's affair.
            let Ok(file) = directory.open_file(&path) else {
                continue;
            };
            let Ok(look) = Look::at(&file) else {
                continue;
            };
            let piece = self.engine.piece();
            let growing = self.early.growing().get(&key);
            let in_pieces = growing.map_or(0, Gradual::sent);
            let sent = self.early.sent(&key);
            let seen = Seen {
                size: look.stamp.size(),
                age: look.age,
                writers: look.writers,
                is_sent: sent.is_some_and(|sent| sent.stamp == look.stamp),
                in_pieces,
            };
            let step = self.schedule.step(&path, taken, &seen, piece, now);
            if matches!(step, Step::Nothing | Step::Wait) {
                continue;
            }
            if let Err(error) = self.depart(step, path, key, file, look, &directory) {
                return self.give_up(&error);
            }
        }
    }

    /// Whether a file waits for main's end, since enough others do not.
    fn is_enough(&mut self, key: &str) -> bool {
        let is_enough = self.early.len() >= MOST_FILES && !self.early.has_tried(key);
        if is_enough {
            self.say("most", || {
                warn!(
                    files = MOST_FILES,
                    "enough files went up while main runs: the rest waits for its end"
                );
            });
        }
        is_enough
    }

    /// The name that a file would have below the raw prefix. One that is not known to have any is
    /// planned for.
    fn place(&mut self, path: &Path, now: Instant) -> Option<Box<str>> {
        if self.places.find(path).is_none() {
            if now < self.next_plan {
                self.schedule.again_at(path, self.next_plan);
                return None;
            }
            self.plan(now);
        }
        Some(self.places.find(path)?.join("/").into())
    }

    /// Plans as if main had ended.
    fn plan(&mut self, now: Instant) {
        let Some(source) = &mut self.source else {
            return;
        };
        let began = Instant::now();
        let view = OutputDirectory::new(Arc::clone(&source.directory));
        let mut blobs = data_so_far(&self.declared, &view, self.options);
        blobs.truncate(MOST_FILES);
        let places = Places::of(blobs);
        let (mut files, trees) = places.new_since(&self.places);
        for tree in trees {
            files.extend(source.watch.add(&tree));
        }
        self.places = places;
        for file in &files {
            self.schedule.touched(file, now);
        }
        self.next_plan = Instant::now() + PLAN_PAUSE.max(began.elapsed() * PLAN_SHARE);
    }
}
