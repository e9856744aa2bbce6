//! Uploads with a checksum, once a bucket has asked for one: buckets with Object Lock take no others. The
//! settings can ask for checksums from the start (`upload_checksum`), but few people know that they must.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Bucket, Library};
use crate::store::code::Meaning;
use crate::store::http::RequestFailure;

/// A second view of the same bucket, whose uploads carry checksums.
#[derive(Debug)]
pub(in crate::store) struct ChecksumUploads {
    library: Box<dyn Library>,
    /// Whether the bucket has asked for checksums.
    wanted: AtomicBool,
    /// Whether it knows `Content-MD5` only. The signer then adds that header.
    content_md5: Arc<AtomicBool>,
}

impl ChecksumUploads {
    /// Uploads by `library`; `content_md5` is shared with the signer.
    pub(in crate::store) fn new(library: Box<dyn Library>, content_md5: Arc<AtomicBool>) -> Self {
        Self {
            library,
            wanted: AtomicBool::new(false),
            content_md5,
        }
    }
}

impl Bucket {
    /// Whether uploads that begin now carry checksums because the bucket asked for them.
    pub(super) fn checks_uploads(&self) -> bool {
        let wanted = |uploads: &ChecksumUploads| uploads.wanted.load(Ordering::Relaxed);
        self.checksums.as_ref().is_some_and(wanted)
    }

    /// The library's view for uploads, with checksums or without.
    pub(super) fn uploads(&self, checked: bool) -> &dyn Library {
        match &self.checksums {
            Some(uploads) if checked => uploads.library.as_ref(),
            _ => self.store.as_ref(),
        }
    }

    /// Whether an upload that failed like this may succeed with a checksum. It had one if `checked`. From now
    /// on uploads to this bucket have one.
    pub(super) fn can_check(&self, error: &object_store::Error, checked: bool) -> bool {
        let (false, Some(uploads)) = (checked, &self.checksums) else {
            return false;
        };
        let reply = RequestFailure::within(error).and_then(|failure| failure.reply.as_deref());
        let Some(reply) = reply.filter(|reply| reply.meaning() == Some(Meaning::ChecksumWanted))
        else {
            return false;
        };
        let said = reply.message.as_deref().unwrap_or_default();
        if !said.to_ascii_lowercase().contains("x-amz-checksum") {
            uploads.content_md5.store(true, Ordering::Relaxed);
        }
        if !uploads.wanted.swap(true, Ordering::Relaxed) {
            tracing::info!(
                bucket = self.address,
                "the bucket asks for checksums, as with Object Lock: uploads to it carry them from now on; \
                 upload_checksum=sha256 in storage.stow.config sends them from the start"
            );
        }
        true
    }
}
