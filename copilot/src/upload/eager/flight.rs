//! Files on their way up, and how they landed.

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
use super::stamp::Look;
use super::{AFTER_FAILURE, Eager, MOST_GROWING};
use crate::store::Reference;
use crate::transfer::{CopyError, Digests, Engine, Gradual, Opened, Stop};
use crate::upload::directory::Directory;

/// Something on its way.
pub type Flight = BoxFuture<'static, Landed>;

/// How it went.
pub struct Landed {
    path: Arc<Path>,
    key: Box<str>,
    what: What,
}

enum What {
    /// A whole file.
    Whole(Result<Sent, CopyError>),
    /// Some pieces of one.
    Pieces(Result<Box<Gradual>, CopyError>),
}

/// What a flight needs.
struct Load {
    engine: Engine,
    from: Opened,
    to: Reference,
    stop: Stop,
    gradual: Option<Gradual>,
}

impl Eager {
    /// Sends a file, or pieces of it.
    ///
    /// # Errors
    /// That it cannot be noted.
    pub(super) fn depart(
        &mut self,
        step: Step,
        path: Arc<Path>,
        key: Box<str>,
        file: File,
        look: Look,
        directory: &Directory,
    ) -> io::Result<()> {
        let names: Vec<&str> = key.split('/').collect();
        let Ok(to) = self.raw.join(&names) else {
            // The final plan refuses it, with the reason.
            return Ok(());
        };
        let gradual = self.early.growing().remove(&key);
        let others = self.early.growing().len() + self.busy.len();
        if step == Step::Grow && gradual.is_none() && others >= MOST_GROWING {
            return Ok(());
        }
        self.early.trying(&key)?;
        let load = Load {
            engine: self.engine.clone(),
            from: Opened {
                name: directory.shown(&path),
                file,
                size: look.stamp.size(),
            },
            to,
            stop: Stop::new(self.cancel.clone(), None),
            gradual,
        };
        self.busy.insert(key.clone());
        let flight = if step == Step::Grow {
            async move {
                let what = What::Pieces(load.pieces().await.map(Box::new));
                Landed { path, key, what }
            }
            .boxed()
        } else {
            if let Some(reason) = look.doubt {
                self.say(reason, || {
                    info!(
                        file = directory.shown(&path),
                        reason, "such files are read again at main's end"
                    );
                });
            }
            let known = self.early.known(&key);
            async move {
                let sent = load.whole(known).await.map(|digests| Sent {
                    stamp: look.stamp,
                    proves: look.doubt.is_none(),
                    digests,
                });
                let what = What::Whole(sent);
                Landed { path, key, what }
            }
            .boxed()
        };
        self.flight.push(flight);
        Ok(())
    }

    /// Notes how something went.
    pub(super) fn landed(&mut self, landed: Landed) {
        let Landed { path, key, what } = landed;
        self.busy.remove(&key);
        let failed = match what {
            What::Whole(outcome) => {
                self.schedule.sent(&path);
                let (sent, failed) = match outcome {
                    Ok(sent) => (Some(sent), None),
                    Err(error) => (None, Some(error)),
                };
                debug!(key, whole = true, sent = sent.is_some(), "landed");
                self.early.landed(&key, sent);
                failed
            }
            What::Pieces(Ok(gradual)) => {
                debug!(key, bytes = gradual.sent(), "landed");
                self.early.growing().insert(key, *gradual);
                None
            }
            What::Pieces(Err(error)) => Some(error),
        };
        let Some(error) = failed else {
            return;
        };
        let now = Instant::now();
        self.schedule.touched(&path, now);
        match error {
            // Main is at it, or it is main's end.
            CopyError::SourceChanged { .. } | CopyError::Stopped(_) => {
                debug!(%error, "not sent yet");
            }
            error => {
                self.next_try = now + AFTER_FAILURE;
                self.say("failure", || {
                    warn!(%error, "an output did not go up while main runs: tried again, at its end at last");
                });
            }
        }
    }
}

impl Load {
    /// Sends all of the file, if it does not hold what is known to have been sent.
    async fn whole(self, known: Option<Digests>) -> Result<Digests, CopyError> {
        let Self {
            engine,
            from,
            to,
            stop,
            gradual,
        } = self;
        if let Some(known) = known
            && known.are_of(&from.file).await.unwrap_or(false)
        {
            if let Some(gradual) = gradual {
                engine.give_up(gradual).await;
            }
            return Ok(known);
        }
        match gradual {
            Some(gradual) if gradual.fits(from.size) => {
                let finished = engine.finish(gradual, &from, &stop).await;
                finished.map(|(digests, _)| digests)
            }
            Some(gradual) => {
                engine.give_up(gradual).await;
                engine.send(&from, &to, &stop).await
            }
            None => engine.send(&from, &to, &stop).await,
        }
    }

    /// Sends the pieces that are not likely to change: all whole ones but the last.
    async fn pieces(self) -> Result<Gradual, CopyError> {
        let Self {
            engine,
            from,
            to,
            stop,
            gradual,
        } = self;
        let mut gradual = match gradual {
            Some(gradual) if gradual.fits(from.size) => gradual,
            Some(gradual) => {
                // It has become shorter, or too long.
                engine.give_up(gradual).await;
                engine.begin(&to, &from, &stop).await?
            }
            None => engine.begin(&to, &from, &stop).await?,
        };
        let until = from.size.saturating_sub(engine.piece());
        match engine.send_until(&mut gradual, &from, until, &stop).await {
            Ok(()) => Ok(gradual),
            Err(error) => {
                engine.give_up(gradual).await;
                Err(error)
            }
        }
    }
}
