//! `copilot template`: the `PodTemplate` with which Flyte gives Copilot what it needs, for one version of Flyte.
//!
//! [`FlyteVersion`] knows what each version merges, `manifest` writes the objects, `notes` the comments above them:
//! what they buy, and the settings beside them. Pure: a [`TemplateRequest`] becomes a text. Never here: flags,
//! printing, a cluster. Called by `cli`, which makes the request, and by `command`, which prints the text.

mod error;
mod manifest;
mod notes;
mod request;
mod version;

pub use error::TemplateError;
pub use request::{TemplateRequest, TemplateWatcher};
pub use version::FlyteVersion;

/// The whole text: comments, then the objects in YAML. Before Flyte 1.15.1, and where the image alone is enough,
/// there are comments only.
#[must_use]
pub fn text(request: &TemplateRequest) -> String {
    format!("{}{}", notes::text(request), manifest::text(request))
}

#[cfg(test)]
mod tests;
