//! How a run ended: the platform's error document, the message that Kubernetes shows for a failed
//! container, and the timeline.
//!
//! One [`Failure`] becomes document and message, so they cannot disagree. What others wrote is shown with
//! escapes (`escape`). Pure: bytes and text out.
//! Never here: writing them anywhere, or deciding what fails. The jobs make failures; `command` writes.

mod document;
mod escape;
mod failure;
mod message;
mod page;
mod phases;
mod timeline;
mod words;

pub use document::{Occurrence, document, document_names};
pub use escape::{EscapeForm, escaped};
pub use failure::{Failure, FailureOrigin, Recoverability};
pub use message::{bounded, last_words, one_line, termination_message};
pub use page::page;
pub use phases::{Phase, phases};
pub use timeline::Timeline;
