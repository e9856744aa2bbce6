//! Whether a reference that main left makes sense outside of the pod.

use thiserror::Error;

use crate::literal::Shown;
use crate::store::{Reference, ReferenceError, SCHEMES, StoreError, Stores};

/// Why a text is not a reference that others can follow.
#[derive(Debug, Error)]
pub(super) enum UnusableReference {
    /// It is not a reference.
    #[error(transparent)]
    Malformed(#[from] ReferenceError),
    /// It names a path outside of the local store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It names main's own memory, which nobody else can read.
    #[error("{} is in main's memory", Shown(shown))]
    InMemory { shown: String },
    /// It names no bucket, container or host.
    #[error("{} names no container", Shown(shown))]
    NoContainer { shown: String },
    /// The platform does not know its scheme.
    #[error("{} has an unknown scheme: use one of {}", Shown(shown), known())]
    UnknownScheme { shown: String },
}

/// Checks a reference: readers of URLs must be able to take it apart, its scheme must be one that the platform knows, and it must name a container.
/// Whether anything exists there is not checked, since perhaps only main has the right to look.
pub(super) fn check(text: &str, stores: &Stores) -> Result<(), UnusableReference> {
    let reference = Reference::parse_url(text)?;
    let shown = reference.shown();
    match reference.scheme() {
        // Outside of the pod only paths of the local store mean anything.
        "file" => {
            stores.open(&reference)?;
            Ok(())
        }
        "mem" => Err(UnusableReference::InMemory { shown }),
        scheme if SCHEMES.contains(&scheme) || ["http", "https"].contains(&scheme) => {
            if reference.container().is_empty() {
                return Err(UnusableReference::NoContainer { shown });
            }
            Ok(())
        }
        _ => Err(UnusableReference::UnknownScheme { shown }),
    }
}

/// The schemes to choose from.
fn known() -> String {
    let shared = SCHEMES.into_iter().filter(|scheme| *scheme != "mem");
    let schemes: Vec<&str> = shared.chain(["http", "https"]).collect();
    schemes.join(", ")
}
