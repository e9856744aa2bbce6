//! A look at the files that are due: where each of them goes, and whether it goes now.

use std::path::Path;
use std::sync::Arc;

use tokio::time::Instant;
use tracing::warn;

use super::places::Places;
use super::schedule::{Observed, Step};
use super::stamp::FileState;
use super::{Eager, MOST_AT_ONCE, PLAN_PAUSE};
use crate::literal::output::data_so_far;
use crate::transfer::MultipartUpload;
use crate::upload::view::OutputDirectory;

/// Files of one look: then other tasks get their turn.
const LOOKS: usize = 64;

/// The pause after a plan, as a multiple of the time that the plan took.
const PLAN_SHARE: u32 = 20;

impl Eager {
    /// Looks at the files that are due.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        for _ in 0..LOOKS {
            let Some(opened) = &self.opened else {
                return;
            };
            if self.flight.len() >= MOST_AT_ONCE {
                return;
            }
            let directory = Arc::clone(&opened.directory);
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
            // The final plan handles a file that is gone or that we may not read.
            let Ok(file) = directory.open_file(&path) else {
                continue;
            };
            let Ok(state) = FileState::from_file(&file) else {
                continue;
            };
            let part_size = self.uploads.part_size();
            let begun = self.early.begun().get(&key);
            let in_parts = begun.map_or(0, MultipartUpload::sent);
            let sent = self.early.sent(&key);
            let observed = Observed {
                size: state.stamp.size(),
                age: state.age,
                writers: state.writers,
                is_sent: sent.is_some_and(|sent| sent.stamp == state.stamp),
                in_parts,
            };
            let step = self.schedule.step(&path, taken, &observed, part_size, now);
            if matches!(step, Step::Nothing | Step::Wait) {
                continue;
            }
            if let Err(error) = self.depart(step, path, key, file, state, &directory) {
                return self.give_up(&error);
            }
        }
    }

    /// Whether a file waits for main's end because enough others went up.
    fn is_enough(&mut self, key: &str) -> bool {
        let is_enough = !self.early.has_room_for(key);
        if is_enough {
            let files = self.early.len();
            self.say("most", || {
                warn!(
                    files,
                    "enough files went up while main runs: the rest waits for main's end"
                );
            });
        }
        is_enough
    }

    /// The name of a file's object below the raw prefix. If it is not known, a plan finds it.
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
        let Some(opened) = &mut self.opened else {
            return;
        };
        let began = Instant::now();
        let view = OutputDirectory::new(Arc::clone(&opened.directory));
        let blobs = data_so_far(&self.declared, &view, self.options);
        let places = Places::from_blobs(blobs);
        let (mut files, trees) = places.new_since(&self.places);
        for tree in trees {
            files.extend(opened.watch.add(&tree));
        }
        self.places = places;
        for file in &files {
            self.schedule.touched(file, now);
        }
        self.next_plan = Instant::now() + PLAN_PAUSE.max(began.elapsed() * PLAN_SHARE);
    }
}
