//! The request of `copilot template`, as the flags give it.

use super::{FlyteVersion, TemplateError};

/// Which template to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateRequest {
    /// `--flyte`: the version of Flyte.
    pub version: FlyteVersion,
    /// `--prefix`: how the names of Flyte's containers begin, with the last `-`.
    pub prefix: String,
    /// `--watcher`: what the sidecar should be able to use. Empty for `signal`, which needs nothing.
    pub watchers: Vec<TemplateWatcher>,
    /// `--streaming`: main starts before its data is complete.
    pub streams: bool,
    /// `--image`: the image of Copilot, for the platform's settings.
    pub image: String,
}

/// A watcher that needs something of the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateWatcher {
    /// Capabilities.
    Ebpf,
    /// Shared pids.
    Pidfd,
    /// Rights at Kubernetes' API.
    KubeApi,
}

impl TemplateWatcher {
    /// Its name, as `--watcher` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ebpf => "ebpf",
            Self::Pidfd => "pidfd",
            Self::KubeApi => "kube-api",
        }
    }
}

impl TemplateRequest {
    /// The prefix that Flyte uses by default.
    pub const PREFIX: &'static str = "flyte-copilot-";

    /// What stands for an image that is not named.
    pub const IMAGE: &'static str = "COPILOT-IMAGE";

    /// A template for a version, as without flags: the best watcher that the version allows.
    #[must_use]
    pub fn of(version: FlyteVersion) -> Self {
        Self {
            version,
            prefix: Self::PREFIX.to_owned(),
            watchers: match version {
                FlyteVersion::Before1_15_1 => vec![TemplateWatcher::Pidfd],
                _ => vec![TemplateWatcher::Ebpf],
            },
            streams: false,
            image: Self::IMAGE.to_owned(),
        }
    }

    /// Whether it asks for this watcher.
    #[must_use]
    pub fn uses(&self, watcher: TemplateWatcher) -> bool {
        self.watchers.contains(&watcher)
    }

    /// Whether there is something to merge. Without it the image alone is enough.
    pub(super) fn has_template(&self) -> bool {
        let needs_merging = |watcher: &TemplateWatcher| match watcher {
            TemplateWatcher::Pidfd => !self.version.shares_pids(),
            TemplateWatcher::Ebpf | TemplateWatcher::KubeApi => true,
        };
        self.streams || self.watchers.iter().any(needs_merging)
    }

    /// Checks what the flags say together.
    ///
    /// # Errors
    /// A text has the wrong form, or the version cannot do what is asked for.
    pub fn check(&self) -> Result<(), TemplateError> {
        if !is_prefix(&self.prefix) {
            return Err(TemplateError::Prefix(shortened(&self.prefix)));
        }
        let is_ill = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`');
        if self.image.is_empty() || self.image.len() > 512 || self.image.contains(is_ill) {
            return Err(TemplateError::Image(shortened(&self.image)));
        }
        if self.version.shares_pids() && self.watchers.is_empty() {
            return Err(TemplateError::NoSigterm);
        }
        if self.version == FlyteVersion::Before1_15_1 {
            let other = |watcher: &&TemplateWatcher| **watcher != TemplateWatcher::Pidfd;
            if let Some(other) = self.watchers.iter().find(other) {
                return Err(TemplateError::ReachesMain(other.name()));
            }
        }
        if self.streams && !self.version.has_native_uploader() {
            return Err(TemplateError::NoStreaming);
        }
        Ok(())
    }
}

/// Whether a text can begin the names of containers: a label of DNS (RFC 1123) has at most 63 characters, and the
/// longest role is `downloader`.
fn is_prefix(text: &str) -> bool {
    let is_of_a_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (2..=53).contains(&text.len())
        && text.chars().all(is_of_a_label)
        && !text.starts_with('-')
        && text.ends_with('-')
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
