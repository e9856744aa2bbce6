//! Files in flight while main runs, and how their uploads ended.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::early::Sent;
use super::schedule::Step;
use super::stamp::FileState;
use super::{AFTER_FAILURE, Eager, MOST_GROWING};
use crate::beneath::GuardedDirectory;
use crate::store::Reference;
use crate::transfer::{CopyError, Digests, FileUploads, MultipartUpload, OpenFile, Stop};

/// An upload in flight.
pub type Flight = BoxFuture<'static, Landed>;

/// An upload that has ended.
pub struct Landed {
    path: Arc<Path>,
    key: Box<str>,
    sent: Outcome,
}

enum Outcome {
    /// Of a whole file.
    Whole(Result<Sent, CopyError>),
    /// Of some parts of a file that grows.
    Parts(Result<Box<MultipartUpload>, CopyError>),
}

/// A file to upload, or parts of it.
struct EarlyUpload {
    uploads: FileUploads,
    file: OpenFile,
    to: Reference,
    stop: Stop,
    begun: Option<MultipartUpload>,
}

impl Eager {
    /// Starts to send a file, or parts of it.
    ///
    /// # Errors
    /// That its name cannot be noted.
    pub(super) fn depart(
        &mut self,
        step: Step,
        path: Arc<Path>,
        key: Box<str>,
        file: File,
        state: FileState,
        directory: &GuardedDirectory,
    ) -> io::Result<()> {
        let names: Vec<&str> = key.split('/').collect();
        let Ok(to) = self.raw.join(&names) else {
            // The final plan refuses the name, and says why.
            return Ok(());
        };
        let begun = self.early.begun().remove(&key);
        let others = self.early.begun().len() + self.busy.len();
        if step == Step::Grow && begun.is_none() && others >= MOST_GROWING {
            return Ok(());
        }
        self.early.trying(&key)?;
        let upload = EarlyUpload {
            uploads: self.uploads.clone(),
            file: OpenFile {
                name: directory.shown(&path),
                file,
                size: state.stamp.size(),
                notes: self.early.notes(&key, true),
            },
            to,
            stop: Stop::new(self.cancel.clone(), None),
            begun,
        };
        self.busy.insert(key.clone());
        let flight = if step == Step::Grow {
            async move {
                let sent = Outcome::Parts(upload.parts().await.map(Box::new));
                Landed { path, key, sent }
            }
            .boxed()
        } else {
            if let Some(reason) = state.doubt {
                self.say(reason, || {
                    info!(
                        file = directory.shown(&path),
                        reason, "such files are read again at main's end"
                    );
                });
            }
            let known = self.early.known(&key);
            async move {
                let sent = upload.whole(known).await.map(|digests| Sent {
                    stamp: state.stamp,
                    proves: state.doubt.is_none(),
                    digests,
                });
                let sent = Outcome::Whole(sent);
                Landed { path, key, sent }
            }
            .boxed()
        };
        self.flight.push(flight);
        self.meter.get_or_insert_with(|| self.uploads.meter());
        Ok(())
    }

    /// Notes how an upload ended.
    pub(super) fn landed(&mut self, landed: Landed) {
        let Landed { path, key, sent } = landed;
        self.busy.remove(&key);
        if self.flight.is_empty() {
            self.meter = None;
        }
        let failed = match sent {
            Outcome::Whole(outcome) => {
                self.schedule.sent(&path);
                let (sent, failed) = match outcome {
                    Ok(sent) => (Some(sent), None),
                    Err(error) => (None, Some(error)),
                };
                debug!(key, whole = true, sent = sent.is_some(), "landed");
                self.early.landed(&key, sent);
                failed
            }
            Outcome::Parts(Ok(upload)) => {
                debug!(key, bytes = upload.sent(), "landed");
                self.early.begun().insert(key, *upload);
                None
            }
            Outcome::Parts(Err(error)) => Some(error),
        };
        let Some(error) = failed else {
            return;
        };
        let now = Instant::now();
        self.schedule.touched(&path, now);
        match error {
            // Main writes to the file, or main has ended.
            CopyError::SourceChanged { .. } | CopyError::Stopped(_) => {
                debug!(%error, "not sent yet");
            }
            error => {
                self.next_try = now + AFTER_FAILURE;
                self.say("failure", || {
                    warn!(
                        %error,
                        "an output did not go up while main runs: it is tried again, at the latest \
                         when main has ended"
                    );
                });
            }
        }
    }
}

impl EarlyUpload {
    /// Sends the whole file, unless it holds exactly what was sent before.
    async fn whole(mut self, known: Option<Digests>) -> Result<Digests, CopyError> {
        if let Some(known) = known
            && known.match_file(&self.file.file).await.unwrap_or(false)
        {
            if let Some(upload) = self.begun.take() {
                upload.abort().await;
            }
            return Ok(known);
        }
        let upload = match self.fitting().await {
            Some(upload) => upload,
            None if self.file.size > self.uploads.part_size() => self.begin().await?,
            None => {
                return self.uploads.send(&self.file, &self.to, &self.stop).await;
            }
        };
        self.uploads.finish(upload, &self.file, &self.stop).await
    }

    /// Sends the parts that will probably not change: all whole parts but the last.
    async fn parts(mut self) -> Result<MultipartUpload, CopyError> {
        let mut upload = match self.fitting().await {
            Some(upload) => upload,
            None => self.begin().await?,
        };
        let until = self.file.size.saturating_sub(self.uploads.part_size());
        let sent = self
            .uploads
            .send_until(&mut upload, &self.file, until, &self.stop)
            .await;
        match sent {
            Ok(()) => Ok(upload),
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    /// The upload that has begun, if it fits the file. The file may have become shorter, or too large.
    async fn fitting(&mut self) -> Option<MultipartUpload> {
        let upload = self.begun.take()?;
        if upload.fits(self.file.size) {
            return Some(upload);
        }
        upload.abort().await;
        None
    }

    async fn begin(&self) -> Result<MultipartUpload, CopyError> {
        self.uploads.begin(&self.file, &self.to, &self.stop).await
    }
}
