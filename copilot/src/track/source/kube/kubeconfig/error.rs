//! Why a kubeconfig cannot be used.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a kubeconfig cannot be used.
#[derive(Debug, Error)]
pub enum KubeconfigError {
    /// The file cannot be read.
    #[error("the kubeconfig {}: it cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the read.
        #[source]
        source: io::Error,
    },
    /// The file is not YAML, or uses a part of YAML that we do not read.
    #[error("the kubeconfig {}, line {line}: {rule}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The rule that it breaks.
        rule: String,
    },
    /// A field has another type than we expect.
    #[error("the kubeconfig's {owner}: the field {field} must be {expected}")]
    Shape {
        /// The entry of the field.
        owner: String,
        /// The field.
        field: String,
        /// The type that it must have.
        expected: &'static str,
    },
    /// A field is not Base64.
    #[error("the kubeconfig's {owner}: the field {field} is not Base64")]
    Base64 {
        /// The entry of the field.
        owner: String,
        /// The field.
        field: &'static str,
        /// The error of the decoder.
        #[source]
        source: base64::DecodeError,
    },
    /// A field that we do not support.
    #[error("the kubeconfig's {owner}: the field {field} is not supported: {advice}")]
    Refused {
        /// The entry of the field.
        owner: String,
        /// The field.
        field: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// Neither the file nor a flag chooses a context.
    #[error("the kubeconfig has no current-context: choose one with --context")]
    NoContext,
    /// The chosen context or cluster does not exist.
    #[error("the kubeconfig has no {0}")]
    Missing(String),
}
