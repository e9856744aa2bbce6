//! Notes of multipart uploads that have begun and not ended, kept by the caller.
//!
//! A process that is killed cannot abort its uploads, and a store keeps their parts for ever. With the notes
//! its next life can.

use std::fmt;

use crate::transfer::error::CopyError;

/// Notes about the multipart uploads to one object. They outlive the process.
pub trait UploadNotes: fmt::Debug + Send + Sync {
    /// An upload is about to begin. The store may begin it although its answer is never read.
    ///
    /// # Errors
    /// That it cannot be noted, and so must not begin.
    fn begins(&self) -> Result<(), CopyError>;

    /// An upload has begun, and the store knows it by this id.
    ///
    /// # Errors
    /// That it cannot be noted, and so must not go on.
    fn begun(&self, id: &str) -> Result<(), CopyError>;

    /// The upload is complete or aborted, or it did not begin. `id` is the store's, if it has ids.
    fn ended(&self, id: Option<&str>);
}
