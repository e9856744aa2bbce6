//! A failure in the platform's classes.

use std::borrow::Cow;
use std::fmt;

use super::escape::{EscapeForm, escaped};
use crate::idl::{ContainerError, container_error, execution_error::ErrorKind};
use crate::store::StoreError;

/// Whether trying again may help (`ContainerError.Kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recoverability {
    /// The platform may run the task again.
    Recoverable,
    /// Another run cannot help.
    NonRecoverable,
}

/// Who caused the failure (`ExecutionError.ErrorKind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureOrigin {
    /// Unknown: what the reference reports for transfers.
    Unknown,
    /// The user's program.
    User,
    /// The platform, the node, or we.
    System,
}

impl From<container_error::Kind> for Recoverability {
    fn from(kind: container_error::Kind) -> Self {
        match kind {
            container_error::Kind::Recoverable => Self::Recoverable,
            container_error::Kind::NonRecoverable => Self::NonRecoverable,
        }
    }
}

impl From<ErrorKind> for FailureOrigin {
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
    /// The error code, such as `InputDownloadFailed`.
    pub code: Cow<'static, str>,
    /// What a person needs: the input, the rule, and what to do. In one line, with escapes, unless main itself
    /// wrote it.
    pub message: String,
    /// Whether trying again may help.
    pub kind: Recoverability,
    /// Who caused it.
    pub origin: FailureOrigin,
}

impl Failure {
    /// A failed download. Code, kind and origin are the reference's (spec §3.9).
    pub fn from_download(cause: impl fmt::Display) -> Self {
        Self::from_transfer("InputDownloadFailed", cause)
    }

    /// A failed upload. Code, kind and origin are the reference's (spec §4.1).
    pub fn from_upload(cause: impl fmt::Display) -> Self {
        Self::from_transfer("OutputUploadFailed", cause)
    }

    /// The failure that an error document reports.
    #[must_use]
    pub fn from_document(error: ContainerError) -> Self {
        Self {
            kind: error.kind().into(),
            origin: error.origin().into(),
            code: error.code.into(),
            message: error.message,
        }
    }

    fn from_transfer(code: &'static str, cause: impl fmt::Display) -> Self {
        Self {
            code: code.into(),
            message: escaped(&cause.to_string(), EscapeForm::Plain).into_owned(),
            kind: Recoverability::Recoverable,
            origin: FailureOrigin::Unknown,
        }
    }

    /// The same failure, which another run repeats.
    #[must_use]
    pub fn lasting(self) -> Self {
        Self {
            kind: Recoverability::NonRecoverable,
            ..self
        }
    }

    /// The same failure, which the user's program has caused.
    #[must_use]
    pub fn of_user(self) -> Self {
        Self {
            origin: FailureOrigin::User,
            ..self
        }
    }

    /// Refines the classes by the store's error. If only the infrastructure can be the cause, kind and
    /// origin are known. If the task may be the cause, only the kind is known, and only if no retry can
    /// succeed (a bucket that does not exist). Else (an object that does not exist) the classes stay the
    /// reference's.
    #[must_use]
    pub fn caused_by(self, store: Option<&StoreError>) -> Self {
        match store {
            Some(error) if error.is_infrastructure() => Self {
                kind: if error.recoverable() {
                    Recoverability::Recoverable
                } else {
                    Recoverability::NonRecoverable
                },
                origin: FailureOrigin::System,
                ..self
            },
            Some(error) if error.is_lasting() => Self {
                kind: Recoverability::NonRecoverable,
                ..self
            },
            _ => self,
        }
    }
}
