//! How a run ended, for everybody who asks: the platform's error document, the message that
//! Kubernetes shows of a failed container, the timeline.
//!
//! One [`Failure`] becomes all of them, so they cannot disagree. Pure: bytes and text out. Writing
//! them to where they belong is the edge's (`command`). Never here: what may fail, and why.

mod document;
mod failure;
mod message;
mod timeline;

pub use document::{Occurrence, document, document_names};
pub use failure::{Failure, Kind, Origin};
pub use message::{bounded, last_words, termination_message};
pub use timeline::Timeline;
