//! What can go wrong with a store, by meaning.
//!
//! Each message names the object, the store, the cause in full and what to do about it. The cause
//! comes from the chain of sources, since the libraries below bury it; a secret never gets in,
//! since causes are made from answers and not from requests.

mod meaning;

use std::fmt;

use super::reference::{Reference, ReferenceError};

/// Where it happened: an object and the store that should have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The reference, fit for messages.
    pub object: String,
    /// The store's endpoint or directory.
    pub store: String,
    /// Whether it is a plain web address: the task's choice, not the platform's.
    pub is_web: bool,
    /// What says who we are to the store, for advice.
    pub identity: &'static str,
}

impl Place {
    /// The place of `reference` in `store`.
    #[must_use]
    pub fn new(reference: &Reference, store: impl Into<String>) -> Self {
        Self {
            object: reference.shown(),
            store: store.into(),
            is_web: matches!(reference.scheme(), "http" | "https"),
            identity: "the credentials in the reference",
        }
    }

    /// The same place, with what says who we are there.
    #[must_use]
    pub fn known_by(self, identity: &'static str) -> Self {
        Self { identity, ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (store {})", self.object, self.store)
    }
}

/// A store could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A text is no reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The settings do not describe a store.
    #[error("the store for {object} is not set up: {rule}. {remedy}")]
    Setting {
        /// The reference that needed the store.
        object: String,
        /// The rule that the settings break.
        rule: String,
        /// What to do.
        remedy: String,
    },
    /// We do not do that, by design or not yet.
    #[error("{object}: {what} is not supported. {instead}")]
    Unsupported {
        /// The reference.
        object: String,
        /// What was asked for.
        what: String,
        /// What to use in its place.
        instead: &'static str,
    },
    /// There is no such object.
    #[error(
        "{place} does not exist: {cause}. Check the reference, and that whatever should write it has run"
    )]
    NotFound {
        /// Where.
        place: Place,
        /// The cause in full.
        cause: String,
    },
    /// There is no such bucket or container.
    #[error(
        "{place}: the bucket or container does not exist: {cause}. Create it, or correct storage.container; it is never created from here"
    )]
    NoContainer {
        /// Where.
        place: Place,
        /// The cause in full.
        cause: String,
    },
    /// The credentials are good but do not suffice.
    #[error("{place}: access denied: {cause}. Grant these credentials access to this object{also}")]
    Denied {
        /// Where.
        place: Place,
        /// The cause in full.
        cause: String,
        /// What else may be the matter, for advice; empty, or it begins with a comma.
        also: &'static str,
    },
    /// The credentials are wrong, expired, or not to be had.
    #[error(
        "{place}: the credentials were not accepted: {cause}. Check {}", place.identity
    )]
    BadCredentials {
        /// Where.
        place: Place,
        /// The cause in full.
        cause: String,
        /// Whether new credentials may come by themselves.
        passing: bool,
    },
    /// The bucket lives elsewhere.
    #[error(
        "{place}: the bucket is in another region ({region}): {cause}. Set region={region} in storage.stow.config"
    )]
    WrongRegion {
        /// Where.
        place: Place,
        /// The region that the store named.
        region: String,
        /// The cause in full.
        cause: String,
    },
    /// No connection, or a connection that broke or stalled.
    #[error(
        "{place} cannot be reached: {cause}. Check the endpoint, and the network and proxies between"
    )]
    Unreachable {
        /// Where.
        place: Place,
        /// The cause in full.
        cause: String,
    },
    /// The store's certificate is not trusted, or TLS failed.
    #[error(
        "{place}: no trusted connection: {cause}. Name the store's certificate authority in SSL_CERT_FILE, or correct the endpoint"
    )]
    Untrusted {
        /// Where.
        place: Place,
        /// The cause in full.
        cause: String,
    },
    /// Something answers that does not speak as the store would.
    #[error(
        "{place}: this is no answer of such a store: {cause}. Check the endpoint, and the proxies between"
    )]
    Foreign {
        /// Where.
        place: Place,
        /// The cause in full.
        cause: String,
    },
    /// The store answers but cannot serve now.
    #[error("{place}: the store is busy or failing: {cause}. Try again later")]
    Busy {
        /// Where.
        place: Place,
        /// The cause in full.
        cause: String,
    },
    /// The object is larger than a read may be.
    #[error(
        "{place}: limit exceeded. {:.6} MiB > {} MiB. {remedy}",
        mebibytes(*size), mebibytes(*limit)
    )]
    TooLarge {
        /// Where.
        place: Place,
        /// The object's size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
        /// What raises the limit, or helps otherwise.
        remedy: &'static str,
    },
    /// The object is no longer the one whose reading began.
    #[error(
        "{place} changed while it was read. Let its writer finish first, or write to a new key"
    )]
    Changed {
        /// Where.
        place: Place,
    },
    /// Anything else that the store or the file system refused.
    #[error("{place}: {action} failed: {cause}")]
    Refused {
        /// Where.
        place: Place,
        /// What was being done.
        action: &'static str,
        /// The cause in full.
        cause: String,
    },
}

#[expect(
    clippy::cast_precision_loss,
    reason = "six decimals of a size in MiB for a person"
)]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

impl StoreError {
    /// Whether the same run may succeed later without anybody changing anything.
    #[must_use]
    pub fn recoverable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } | Self::Changed { .. } => true,
            Self::BadCredentials { passing, .. } => *passing,
            _ => false,
        }
    }

    /// Whether it can never pass by itself, whoever brought it about: the same run meets it again.
    ///
    /// Not so an object that is not there: whatever should write it may still run.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Setting { .. }
                | Self::Unsupported { .. }
                | Self::NoContainer { .. }
                | Self::TooLarge { .. }
        )
    }

    /// Whether it is the platform's affair and nothing that a task brought about: how the store is
    /// reached, who we are to it and what we may do there, whether it works.
    #[must_use]
    pub fn is_infrastructure(&self) -> bool {
        match self {
            Self::Denied { place, .. }
            | Self::BadCredentials { place, .. }
            | Self::WrongRegion { place, .. }
            | Self::Unreachable { place, .. }
            | Self::Untrusted { place, .. }
            | Self::Foreign { place, .. }
            | Self::Busy { place, .. } => !place.is_web,
            _ => false,
        }
    }

    /// Whether a body broke in a way that going on from the same byte may mend.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. })
    }
}
