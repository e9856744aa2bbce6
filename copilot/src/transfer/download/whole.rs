//! One object from its beginning to its end, in one stream.
//!
//! Where the stream breaks, the rest is asked for, if its version can be proven to be the same. Otherwise
//! the object is read anew, a limited number of times.

use super::resume::{Breaks, Drained, Sink, Source, is_interruption};
use crate::store::{Body, SameVersion, Version};
use crate::transfer::error::CopyError;

/// An object that is being read whole.
pub(in crate::transfer) struct WholeRead<'a, S> {
    source: Source<'a>,
    sink: &'a mut S,
    /// The version that is being read, and how far.
    version: Version,
    at: u64,
    /// Whether the next request may ask for the rest of this version.
    resumes: bool,
    /// Whether the server has sent a range that was not the rest of this version.
    misplaces: bool,
    /// Whether the last answer was of another version.
    differs: bool,
    /// How often the object was begun.
    begun: u32,
    breaks: Breaks,
    /// Why the last body was not enough.
    cause: Option<CopyError>,
    /// The length of the last reading whose end only the end of the connection marked.
    unmarked: Option<u64>,
}

/// What follows a body.
enum Step {
    /// Nothing: the object is complete.
    Complete,
    /// Another request at once.
    More,
    /// Another request after a pause: the body broke.
    Broke(CopyError),
}

impl<'a, S: Sink> WholeRead<'a, S> {
    /// An object of which nothing has been read. It was begun `begun` times before.
    pub(in crate::transfer) fn new(source: Source<'a>, sink: &'a mut S, begun: u32) -> Self {
        Self {
            source,
            sink,
            version: Version::default(),
            at: 0,
            resumes: false,
            misplaces: false,
            differs: false,
            begun,
            breaks: Breaks::new(0),
            cause: None,
            unmarked: None,
        }
    }

    /// Writes the object to the sink, and returns its size in bytes. `first` is its body from the first
    /// byte on, if it has been asked for already.
    ///
    /// # Errors
    /// Any of the store's and the sink's. If the object was begun too often: that it changes, or that its
    /// version is not known ([`CopyError::Unproven`], [`CopyError::Unmarked`]).
    pub(in crate::transfer) async fn copy(
        mut self,
        mut first: Option<Body>,
    ) -> Result<u64, CopyError> {
        loop {
            let opened = match first.take() {
                Some(body) => Ok(body),
                None => self.open().await,
            };
            let step = match opened {
                Ok(body) => self.read(body).await?,
                // `store` has sent this request several times already. But a server that broke a body
                // may be restarting.
                Err(error) if is_interruption(&error) && !self.breaks.is_unbroken() => {
                    Step::Broke(error)
                }
                Err(error) => return Err(error),
            };
            match step {
                Step::Complete => return Ok(self.at),
                Step::More => {}
                Step::Broke(error) => {
                    let paused = self.source.pause(&mut self.breaks, self.at, error).await;
                    self.cause = Some(paused?);
                }
            }
        }
    }

    /// The rest of the version that is being read; or the object from its first byte on.
    async fn open(&mut self) -> Result<Body, CopyError> {
        let object = self.source.object;
        if self.resumes && self.at > 0 {
            let body = object
                .get(Some(self.at..u64::MAX), Some(&self.version))
                .await?;
            if body.start == 0 || self.is_rest(&body) {
                return Ok(body);
            }
            self.differs = self.version.same_as(&body.version) == SameVersion::No;
            self.misplaces = !self.differs;
        }
        self.check_begun()?;
        Ok(object.get(None, None).await?)
    }

    /// Whether a body goes on where we are. It must say where it ends, and the object as well.
    fn is_rest(&self, body: &Body) -> bool {
        let ends = self.version.size().or(body.version.size());
        body.start == self.at
            && body.end.is_some()
            && ends.is_some()
            && self.version.same_as(&body.version) == SameVersion::Yes
    }

    /// Reads a body, and tells what follows.
    async fn read(&mut self, body: Body) -> Result<Step, CopyError> {
        if body.start == 0 {
            self.begin(&body)?;
        } else if self.version.size().is_none() {
            // The rest tells what the beginning did not.
            self.version = body.version.clone();
        }
        let (before, end) = (self.at, body.end);
        let ends_by_close = body.ends_by_close;
        match self.source.drain(body, &mut self.at, self.sink).await? {
            Drained::Broke(error) => return Ok(Step::Broke(error)),
            Drained::Void => {
                self.resumes = false;
                return Ok(Step::More);
            }
            Drained::Ended => {}
        }
        Ok(match self.version.size() {
            Some(size) if self.at == size => Step::Complete,
            Some(size) if self.at == before => Step::Broke(self.incomplete(size)),
            None if ends_by_close => self.confirm(),
            // The coding of the transfer marks the end of the object; a range does not.
            None if end.is_none() => Step::Complete,
            // The server may send less than it was asked for.
            Some(_) | None => Step::More,
        })
    }

    /// Notes that the object begins, or begins anew.
    fn begin(&mut self, body: &Body) -> Result<(), CopyError> {
        self.differs = self.version.same_as(&body.version) == SameVersion::No;
        self.check_begun()?;
        self.begun += 1;
        self.resumes = body.version.is_provable() && !self.misplaces;
        self.version = body.version.clone();
        if self.at > 0 {
            tracing::debug!(
                object = self.source.object.reference().shown(),
                differs = self.differs,
                begun = self.begun,
                "reading the object anew"
            );
            self.at = 0;
            self.breaks = Breaks::new(0);
        }
        self.sink.begin(self.version.size())
    }

    /// Refuses to begin once more than there are attempts.
    fn check_begun(&mut self) -> Result<(), CopyError> {
        if self.begun < self.source.retry.attempts.max(1) {
            return Ok(());
        }
        Err(match self.cause.take() {
            _ if self.differs => self.source.object.changed().into(),
            Some(error @ CopyError::Unmarked { .. }) => error,
            cause => self.source.unproven(self.begun, cause),
        })
    }

    /// Compares a reading without any mark of its end with the one before: a server that dies in the middle
    /// closes its connection as well.
    fn confirm(&mut self) -> Step {
        if self.unmarked == Some(self.at) {
            return Step::Complete;
        }
        let object = self.source.object.reference().shown();
        if self.unmarked.is_none() {
            tracing::warn!(
                object = %object,
                "the server says neither how long this is nor where it ends, so a cut answer looks like a \
                 whole one: it is read until two readings have one length"
            );
        }
        self.unmarked = Some(self.at);
        self.cause = Some(CopyError::Unmarked {
            object,
            times: self.begun,
            got: self.at,
        });
        self.resumes = false;
        Step::More
    }

    fn incomplete(&self, expected: u64) -> CopyError {
        CopyError::Incomplete {
            object: self.source.object.reference().shown(),
            got: self.at,
            expected,
        }
    }
}
