//! What can go wrong with a store, by meaning.
//!
//! Each message names the object, the store, the full cause and what to do about it. `meaning` turns
//! what a request or the library reports into a [`StoreError`], `file` what a file system reports; `setting`
//! is about settings that cannot be used, `absence` about objects that may have another key. Causes come from
//! answers and not from requests, so they hold no secret.
//! Never here: retries. Callers: all of `store`, and everything that reports a failure.

mod absence;
mod cause;
mod file;
mod meaning;
mod setting;
mod words;

use std::fmt;

use super::reference::{Reference, ReferenceError};
pub use cause::Cause;
pub use setting::SettingError;
use words::{elsewhere, mebibytes, skew};

/// A service that stores objects, for messages.
#[derive(Debug, PartialEq, Eq)]
pub struct StoreService {
    /// Its name, such as `S3`.
    pub name: &'static str,
    /// The settings that hold our credentials for it.
    pub identity: &'static str,
}

/// Where something happened: an object, and the store that should have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The reference, fit for messages.
    pub object: String,
    /// The store's endpoint or directory.
    pub store: String,
    /// The service that the store is part of.
    pub service: &'static StoreService,
    /// Whether it is a plain web address, which the task chose and not the platform.
    pub is_web: bool,
}

impl Location {
    /// The location of `reference` in `store`, which is part of a service.
    #[must_use]
    pub fn new(
        reference: &Reference,
        store: impl Into<String>,
        service: &'static StoreService,
    ) -> Self {
        Self {
            object: reference.shown(),
            store: store.into(),
            service,
            is_web: matches!(reference.scheme(), "http" | "https"),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (store {})", self.object, self.store)
    }
}

/// A store could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A text is not a reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The settings do not describe a store that we can use.
    #[error("the store for {object} is not set up: {rule}. {remedy}")]
    Setting {
        /// The reference that needed the store.
        object: String,
        /// The rule that the settings break.
        #[source]
        rule: SettingError,
        /// What to do.
        remedy: String,
    },
    /// Copilot does not do that, by design or not yet.
    #[error("{object}: {what} is not supported. {instead}")]
    Unsupported {
        /// The reference.
        object: String,
        /// What was asked for.
        what: String,
        /// What to use in its place.
        instead: &'static str,
    },
    /// The object does not exist.
    #[error(
        "{location} does not exist: {cause}. Check the reference, and that the task that writes it has run"
    )]
    NotFound {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// The bucket or container does not exist.
    #[error(
        "{location}: the bucket or container does not exist: {cause}. Create it, or correct storage.container; Copilot never creates one"
    )]
    NoContainer {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// We may not do this: the store accepts the credentials and does not allow it, or the mode of a file.
    #[error("{location}: access denied: {cause}. {advice}")]
    Denied {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
        /// What to do.
        advice: String,
    },
    /// The credentials are wrong or expired, or could not be fetched.
    #[error(
        "{location}: the credentials were not accepted: {cause}. Check {}{}{advice}",
        location.service.identity, if advice.is_empty() { "" } else { ". " }
    )]
    BadCredentials {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
        /// What else to do; may be empty.
        advice: &'static str,
        /// Whether new credentials may come without anybody's help.
        passing: bool,
    },
    /// The clocks of this machine and the store differ too much for a signature.
    #[error(
        "{location}: the clocks of this machine and of the store differ too much: {cause}. {}. Set the node's clock by NTP, or run the task on another node",
        skew(*.ahead)
    )]
    Clock {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
        /// Seconds by which our clock is ahead of the store's, if it said its time.
        ahead: Option<i64>,
    },
    /// A multipart upload, or a part of it, is not in the store any more.
    #[error(
        "{location}: the store does not have the multipart upload any more: {cause}. Copilot begins such an upload anew, once. Look for what removes unfinished uploads: a lifecycle rule, or another client"
    )]
    UploadLost {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// The store takes no upload to this bucket without a checksum (Object Lock).
    #[error(
        "{location}: the bucket takes no upload without a checksum, as with Object Lock: {cause}. Set upload_checksum=sha256 in storage.stow.config"
    )]
    ChecksumWanted {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// The store sends us to another address, whose region it does not name.
    #[error("{location}: the bucket is at another address: {cause}. {}", elsewhere(address.as_deref()))]
    Elsewhere {
        /// The object and its store.
        location: Location,
        /// Where it sends us, if it says so.
        address: Option<String>,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// The object or the store is in a state that prevents this.
    #[error("{location}: {what}: {cause}. {advice}")]
    State {
        /// The object and its store.
        location: Location,
        /// The state.
        what: &'static str,
        /// The full cause.
        #[source]
        cause: Cause,
        /// What to do.
        advice: &'static str,
        /// Whether it may end although nobody changes anything.
        passes: bool,
        /// Whether the platform has to change it, and not the task.
        of_platform: bool,
    },
    /// The bucket is in another region.
    #[error(
        "{location}: the bucket is in another region ({region}): {cause}. Set region={region} in storage.stow.config"
    )]
    WrongRegion {
        /// The object and its store.
        location: Location,
        /// The region that the store named.
        region: String,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// No connection, or a connection that broke or stalled.
    #[error(
        "{location} cannot be reached: {cause}. Check the endpoint, and the network and proxies between"
    )]
    Unreachable {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// The store's certificate is not trusted, or TLS failed.
    #[error(
        "{location}: no trusted connection: {cause}. Name the store's certificate authority in SSL_CERT_FILE, or correct the endpoint"
    )]
    Untrusted {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// Something answers that is not the store.
    #[error(
        "{location}: the server does not answer as {} does: {cause}. Check the endpoint, and the proxies between",
        location.service.name
    )]
    Foreign {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// The store answers but cannot serve now.
    #[error("{location}: the store is busy or failing: {cause}. Try again later")]
    Busy {
        /// The object and its store.
        location: Location,
        /// The full cause.
        #[source]
        cause: Cause,
    },
    /// The object is larger than a read may be.
    #[error(
        "{location}: limit exceeded. {:.6} MiB > {} MiB. {remedy}",
        mebibytes(*size), mebibytes(*limit)
    )]
    TooLarge {
        /// The object and its store.
        location: Location,
        /// The object's size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
        /// What raises the limit, or helps otherwise.
        remedy: &'static str,
    },
    /// The object changed after its reading began.
    #[error(
        "{location} changed while it was read. Let its writer finish first, or write to a new key"
    )]
    Changed {
        /// The object and its store.
        location: Location,
    },
    /// Anything else that the store or the file system refused.
    #[error("{location}: {action} failed: {cause}")]
    Refused {
        /// The object and its store.
        location: Location,
        /// What was being done.
        action: &'static str,
        /// The full cause.
        #[source]
        cause: Cause,
    },
}

impl StoreError {
    /// Whether the same run may succeed later although nobody changes anything.
    #[must_use]
    pub fn recoverable(&self) -> bool {
        match self {
            // The next run may be on a node whose clock is right.
            Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::Changed { .. }
            | Self::Clock { .. }
            | Self::UploadLost { .. } => true,
            Self::BadCredentials { passing, .. } => *passing,
            Self::State { passes, .. } => *passes,
            _ => false,
        }
    }

    /// Whether the same run fails again until somebody changes something.
    ///
    /// A missing object does not count: the task that writes it may still run.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Setting { .. }
            | Self::Unsupported { .. }
            | Self::NoContainer { .. }
            | Self::TooLarge { .. } => true,
            Self::State { passes, .. } => !passes,
            _ => false,
        }
    }

    /// Whether the platform has to mend it, and not the task: how the store is reached, our
    /// credentials and what they allow, whether the store works.
    #[must_use]
    pub fn is_infrastructure(&self) -> bool {
        match self {
            Self::Denied { location, .. }
            | Self::BadCredentials { location, .. }
            | Self::WrongRegion { location, .. }
            | Self::Elsewhere { location, .. }
            | Self::Clock { location, .. }
            | Self::ChecksumWanted { location, .. }
            | Self::Unreachable { location, .. }
            | Self::Untrusted { location, .. }
            | Self::Foreign { location, .. }
            | Self::Busy { location, .. } => !location.is_web,
            Self::State {
                location,
                of_platform,
                ..
            } => *of_platform && !location.is_web,
            _ => false,
        }
    }

    /// Whether an upload in parts may succeed if it begins anew.
    #[must_use]
    pub fn wants_new_upload(&self) -> bool {
        matches!(self, Self::UploadLost { .. } | Self::ChecksumWanted { .. })
    }

    /// Whether a body that broke may go on from the same byte.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. })
    }
}
