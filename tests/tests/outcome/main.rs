//! What the platform finds in the store after a run: an error document that says everything, or
//! outputs and nothing beside them; also when an earlier run has been there.

#[cfg(test)]
mod again;
#[cfg(test)]
mod stale;
#[cfg(test)]
mod words;
