//! A failure, as the platform classifies it.

use std::borrow::Cow;
use std::fmt;

use crate::idl::{ContainerError, container_error, execution_error::ErrorKind};
use crate::store::StoreError;

/// Whether trying again may help (`ContainerError.Kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The platform may run the task again.
    Recoverable,
    /// It need not try.
    NonRecoverable,
}

/// Whose failure it is (`ExecutionError.ErrorKind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Not told: so the reference leaves it for transfers.
    Unknown,
    /// The user's program.
    User,
    /// The platform, the node, ourselves.
    System,
}

impl From<container_error::Kind> for Kind {
    fn from(kind: container_error::Kind) -> Self {
        match kind {
            container_error::Kind::Recoverable => Self::Recoverable,
            container_error::Kind::NonRecoverable => Self::NonRecoverable,
        }
    }
}

impl From<ErrorKind> for Origin {
    fn from(origin: ErrorKind) -> Self {
        match origin {
            ErrorKind::Unknown => Self::Unknown,
            ErrorKind::User => Self::User,
            ErrorKind::System => Self::System,
        }
    }
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A word for programs, such as `InputDownloadFailed`.
    pub code: Cow<'static, str>,
    /// All that a person needs: input, rule, way out.
    pub message: String,
    /// Whether trying again may help.
    pub kind: Kind,
    /// Whose failure it is.
    pub origin: Origin,
}

impl Failure {
    /// Inputs did not come down: code, kind and origin are the reference's (spec §3.9).
    pub fn of_download(cause: impl fmt::Display) -> Self {
        Self::of_transfer("InputDownloadFailed", cause)
    }

    /// Outputs did not go up: likewise (spec §4.1).
    pub fn of_upload(cause: impl fmt::Display) -> Self {
        Self::of_transfer("OutputUploadFailed", cause)
    }

    /// What an error document says.
    #[must_use]
    pub fn of_document(error: ContainerError) -> Self {
        Self {
            kind: error.kind().into(),
            origin: error.origin().into(),
            code: error.code.into(),
            message: error.message,
        }
    }

    fn of_transfer(code: &'static str, cause: impl fmt::Display) -> Self {
        Self {
            code: code.into(),
            message: cause.to_string(),
            kind: Kind::Recoverable,
            origin: Origin::Unknown,
        }
    }

    /// The same, where the store alone is to blame: kind and origin are then known. Of what may as well
    /// be the task's own doing only the kind is, where no try can succeed: a bucket that is not there,
    /// say. All else (an object that is not there, say) stays as the reference has it.
    #[must_use]
    pub fn caused_by(self, store: Option<&StoreError>) -> Self {
        match store {
            Some(error) if error.is_infrastructure() => Self {
                kind: if error.recoverable() {
                    Kind::Recoverable
                } else {
                    Kind::NonRecoverable
                },
                origin: Origin::System,
                ..self
            },
            Some(error) if error.is_lasting() => Self {
                kind: Kind::NonRecoverable,
                ..self
            },
            _ => self,
        }
    }
}
