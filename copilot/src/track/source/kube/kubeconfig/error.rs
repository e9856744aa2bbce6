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
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not YAML as we read it.
    #[error("the kubeconfig {}, line {line}: {rule}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The rule that it breaks.
        rule: String,
    },
    /// Something else stands where we look for a field.
    #[error("the kubeconfig's {owner}: the field {field} must be {expected}")]
    Shape {
        /// What it belongs to.
        owner: String,
        /// The field.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
    /// No Base64.
    #[error("the kubeconfig's {owner}: the field {field} is not Base64")]
    Base64 {
        /// What it belongs to.
        owner: String,
        /// The field.
        field: &'static str,
        /// Why.
        #[source]
        source: base64::DecodeError,
    },
    /// A field that we do not do.
    #[error("the kubeconfig's {owner}: the field {field} is not supported: {advice}")]
    Refused {
        /// What it belongs to.
        owner: String,
        /// The field.
        field: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// Nothing is chosen.
    #[error("the kubeconfig has no current-context: choose one with --context")]
    NoContext,
    /// What was chosen is not there.
    #[error("the kubeconfig has no {0}")]
    Missing(String),
}
