//! What the platform finds in the store after a run: an error document that says everything, or
//! outputs and nothing beside them; also when an earlier run has been there.

mod again;
mod stale;
mod words;
