//! A directory that we share with main, from the start of the run to its end.
//!
//! Main may own the directory above it, and put something else in its place: a link to our own files, another
//! volume. So the descriptor of the start is what we use. If the path names something else later, that is
//! refused, with one exception: main may remove its directory and make it anew. The new one must be a real
//! directory on the same mount, beneath the same directory, and made since we began. A directory that main moves
//! there is older, and may hold what is not main's. (A file system that does not keep the time of birth
//! cannot tell.)

use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::Errno;
use thiserror::Error;

use super::anchor::Anchor;
use super::beginning::{Beginning, Born};
use super::guarded::GuardedDirectory;
use super::identity::Identity;
use super::place::Place;
use super::resolve::{self, Links};

/// Why a shared directory cannot be used.
#[derive(Debug, Error)]
pub enum SharedError {
    /// It cannot be opened or made.
    #[error("{0}")]
    Open(#[from] io::Error),
    /// Something else is in its place.
    #[error(
        "{0}. Others can change what this path names, so only a real directory is used that was there when we \
         started, or that was made there since. Leave it where it is, and change only what is in it"
    )]
    Replaced(&'static str),
}

/// A directory that we share with main. It may not exist yet.
#[derive(Debug)]
pub struct SharedDirectory {
    /// Absolute, as the user gave it.
    path: PathBuf,
    began: Beginning,
    /// The deepest directory above it; or why there is not even that.
    above: Result<Anchor, Errno>,
    /// The directory, if it existed at the start.
    start: Option<(Identity, Arc<GuardedDirectory>)>,
}

impl SharedDirectory {
    /// Takes hold of the directory at this path. What is wrong with it, [`open`](Self::open) says.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| Path::new("/").join(path));
        let above = path.parent().filter(|_| path.file_name().is_some());
        let name = path.file_name().unwrap_or_default();
        let above = Anchor::walk(above.unwrap_or(&path)).map(|anchor| Anchor {
            rest: anchor.rest.join(name),
            ..anchor
        });
        let mut shared = Self {
            path,
            began: Beginning::now(),
            above,
            start: None,
        };
        shared.start = shared.find().ok();
        shared
    }

    /// Its absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the start, if its path still names it; or the one that main has made since.
    ///
    /// # Errors
    /// That it does not exist or cannot be opened, or that something else is in its place.
    pub fn open(&self) -> Result<Arc<GuardedDirectory>, SharedError> {
        let above = self.checked_above()?;
        let (identity, found) = self.find()?;
        let expected = match &self.start {
            Some((start, directory)) if start.is(&identity) => return Ok(Arc::clone(directory)),
            Some((start, _)) => start,
            None => &above.identity,
        };
        if !identity.is_on_mount_of(expected) {
            return Err(SharedError::Replaced("it is on another mount"));
        }
        match identity.born().map(|born| self.began.born(born)) {
            Some(Born::Before) => Err(SharedError::Replaced(
                "it is a directory that existed before, and was moved there",
            )),
            Some(Born::Unknown) => Err(SharedError::Replaced(
                "the clock of this node was set back since we started, so the time of its birth does not show \
                 whether it existed before",
            )),
            Some(Born::Since) | None => Ok(found),
        }
    }

    /// The same; makes the directory if it is missing.
    ///
    /// # Errors
    /// That it cannot be opened or made, or that something else is in its place.
    pub fn make(&self) -> Result<Arc<GuardedDirectory>, SharedError> {
        match self.open() {
            Err(SharedError::Open(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(SharedError::Open(error)) if error.kind() == io::ErrorKind::NotADirectory => {
                let is_its_own = self.checked_above()?.rest.components().count() == 1;
                let cause = if is_its_own {
                    Errno::EXIST.into()
                } else {
                    error
                };
                return Err(SharedError::Open(cause));
            }
            opened => return opened,
        }
        let above = self.checked_above()?;
        let made = resolve::make(above.descriptor.as_fd(), &above.rest)?;
        Ok(Arc::new(GuardedDirectory::held(made, self.path.clone())))
    }

    /// Where it is, without links; `None` if it does not exist, or without `/proc`.
    #[must_use]
    pub fn real_path(&self) -> Option<PathBuf> {
        self.open().ok()?.real_path()
    }

    /// A file in the directory, which is made if it is missing.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub fn place(&self, name: impl Into<PathBuf>) -> Result<Place, SharedError> {
        Ok(Place::new(&self.make()?, name))
    }

    /// The directory above, if its path still names it.
    fn checked_above(&self) -> Result<&Anchor, SharedError> {
        let above = self
            .above
            .as_ref()
            .map_err(|error| io::Error::from(*error))?;
        let now = Anchor::walk(&above.path).map_err(io::Error::from)?;
        if now.rest.as_os_str().is_empty() && now.identity.is(&above.identity) {
            return Ok(above);
        }
        Err(SharedError::Replaced(
            "a directory above it is not the one that was there when we started",
        ))
    }

    /// What is at the path now, beneath the directory above.
    fn find(&self) -> Result<(Identity, Arc<GuardedDirectory>), SharedError> {
        let above = self
            .above
            .as_ref()
            .map_err(|error| io::Error::from(*error))?;
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let found = resolve::open(above.descriptor.as_fd(), &above.rest, flags, Links::Refused)
            .map_err(|error| match error.raw_os_error() {
                None => SharedError::Replaced("a link is in its place"),
                Some(_) => error.into(),
            })?;
        let identity = Identity::of(found.as_fd()).map_err(io::Error::from)?;
        let directory = GuardedDirectory::held(found, self.path.clone());
        Ok((identity, Arc::new(directory)))
    }
}

#[cfg(test)]
mod tests;
