//! What the platform finds in the store after a run: a complete error document, or only outputs; also
//! after an earlier run.

mod again;
mod committed;
mod stale;
mod unfinished;
mod words;
