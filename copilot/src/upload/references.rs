//! Whether a text that main has left is a reference that others can follow.

use crate::literal::Shown;
use crate::store::{Reference, SCHEMES, Stores};

/// What is wrong with a reference, if anything is: it must be of a scheme that the platform knows
/// and name a container. Whether anything lies there is not asked, for the rights to look may be
/// main's alone.
pub(super) fn check(text: &str, stores: &Stores) -> Result<(), String> {
    let reference = Reference::parse(text).map_err(|error| error.to_string())?;
    let shown = reference.shown();
    match reference.scheme() {
        // Of all paths only those of the local store mean anything outside of the pod.
        "file" => stores
            .open(&reference)
            .map(|_| ())
            .map_err(|error| error.to_string()),
        // Main's own memory, to which nobody else has a way.
        "mem" => Err(format!("{} lies in memory", Shown(&shown))),
        "http" | "https" => container(&reference),
        known if SCHEMES.contains(&known) => container(&reference),
        _ => Err(format!(
            "{} is no reference of a known scheme: use one of {}",
            Shown(&shown),
            known()
        )),
    }
}

/// The schemes to choose from.
fn known() -> String {
    let shared = SCHEMES.into_iter().filter(|scheme| *scheme != "mem");
    let schemes: Vec<&str> = shared.chain(["http", "https"]).collect();
    schemes.join(", ")
}

fn container(reference: &Reference) -> Result<(), String> {
    if reference.container().is_empty() {
        return Err(format!("{} names no container", Shown(&reference.shown())));
    }
    Ok(())
}
