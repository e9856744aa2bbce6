//! How a run ended: the platform's error document, the message that Kubernetes shows for a failed
//! container, the timeline, and the documents of a run without Flyte ([`tree`]).
//!
//! One [`Failure`] becomes document and message, so they cannot disagree. What others wrote is shown with
//! escapes (`escape`). Bytes and text out; only the clock and the host's name come in.
//! Never here: writing them anywhere, or deciding what fails. The jobs make failures; `command` writes.

mod document;
mod escape;
mod failure;
mod message;
mod page;
mod phases;
mod timeline;
pub mod tree;
mod words;

pub use document::{Occurrence, document, document_names};
pub use escape::{EscapeForm, escaped};
pub use failure::{Failure, FailureOrigin, Recoverability};
pub use message::{bounded, last_words, one_line, termination_message};
pub use page::page;
pub use phases::{Phase, phases};
pub use timeline::Timeline;
