//! Uploads: one file to one object.
//!
//! A small file goes in one request, a large one as a multipart upload (`multipart`), which may have
//! begun while the file still grew. An upload that does not complete is aborted, whatever ended it.
//! Never here: how many uploads run at once, or which files go where. Callers: the engine, and
//! `upload::eager` through [`FileUploads`].

mod digest;
mod multipart;
mod notes;
mod single;
mod source;

use std::time::Duration;

use tracing::warn;

pub use digest::Digests;
pub use multipart::MultipartUpload;
pub use notes::UploadNotes;
pub use single::FileUploads;
pub use source::OpenFile;

use super::copy::LocalFile;
use super::error::CopyError;
use super::memory::{MemoryBudget, TransferLimits};
use super::progress::Tally;
use super::stop::Stop;
use crate::store::Object;

/// Time to clean up after a failure or a stop: for the answer to one request.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// What an upload may use, and whether it keeps digests of what it sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileUpload<'a> {
    pub(super) limits: &'a TransferLimits,
    pub(super) budget: &'a MemoryBudget,
    pub(super) tally: &'a Tally,
    pub(super) stop: &'a Stop,
    pub(super) digests: bool,
}

impl FileUpload<'_> {
    /// Copies `from` to `object`; `resume` is a multipart upload to it that has begun.
    ///
    /// A begun upload that fits the file no more is aborted, and the file goes up anew. So it does where
    /// the store refuses the begun upload: stores drop unfinished uploads after some days.
    pub(super) async fn run(
        self,
        mut from: LocalFile,
        object: &Object,
        resume: Option<MultipartUpload>,
    ) -> Result<(), CopyError> {
        let receive = from.take_checksum_receiver();
        let file = match OpenFile::open(from) {
            Ok(file) => file,
            Err(error) => {
                if let Some(upload) = resume {
                    upload.abort().await;
                }
                return Err(error);
            }
        };
        let Some(receive) = receive else {
            self.resume_or_send(&file, object, resume).await?;
            return Ok(());
        };
        let by = Self {
            digests: true,
            ..self
        };
        let sent = by.resume_or_send(&file, object, resume).await?;
        let checksum = self.stop.race(sent.checksum(&file.file)).await?;
        match checksum.map_err(|error| file.unreadable(error))? {
            Some(checksum) => receive(checksum),
            None => return Err(CopyError::SourceRewritten { name: file.name }),
        }
        Ok(())
    }

    /// Completes the upload that has begun, or copies the file anew.
    async fn resume_or_send(
        self,
        file: &OpenFile,
        object: &Object,
        resume: Option<MultipartUpload>,
    ) -> Result<Digests, CopyError> {
        match resume {
            Some(upload) if upload.fits(file.size) => match upload.finish(self, file).await {
                Err(CopyError::Store(error)) => warn!(
                    file = file.name,
                    %error,
                    "the multipart upload that began while main ran cannot be completed: the file \
                     goes up anew"
                ),
                outcome => {
                    let sent = outcome?;
                    self.tally.finished();
                    return Ok(sent);
                }
            },
            Some(upload) => upload.abort().await,
            None => {}
        }
        self.send(file, object).await
    }

    /// Copies all of a file, and returns the digests of what was sent.
    async fn send(self, file: &OpenFile, object: &Object) -> Result<Digests, CopyError> {
        let digests = if file.size <= self.limits.part_size {
            self.tally.sized(file.size);
            self.stop.race(self.in_one_request(file, object)).await??
        } else {
            let upload = MultipartUpload::begin(self, file, object).await?;
            upload.finish(self, file).await?
        };
        self.tally.finished();
        Ok(digests)
    }

    async fn in_one_request(self, file: &OpenFile, object: &Object) -> Result<Digests, CopyError> {
        let data = file.read(self.budget, 0, file.size).await?;
        file.check()?;
        let length = data.len();
        let parts = (length > 0).then(|| self.digests.then(|| digest::of(&data)));
        let digests = Digests::new(file.size, self.limits.part_size, parts);
        object.put(data).await?;
        self.tally.moved(length);
        Ok(digests)
    }
}
