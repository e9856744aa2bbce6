//! The versions of Flyte, by what they merge from a `PodTemplate` into Copilot's containers. `tests/fixtures/flyte` has
//! pods that Flyte's own pod builder made (1.10.6, 1.16.8, 2.0.43), also from such templates.

use super::TemplateError;

/// A version of Flyte, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlyteVersion {
    /// Before 1.15.1: only `default` is merged, into every container. Pids are shared.
    Before1_15_1,
    /// 1.15.1 to 1.15.3: containers are merged by name. The uploader is an ordinary one. Pids are shared.
    V1_15,
    /// 1.16 and newer: init containers are merged by name, too. The uploader is a native sidecar. Pids are not shared.
    V1_16,
    /// 2: the same, but a template without `default-init` is changed by each pod.
    V2,
}

impl FlyteVersion {
    /// Reads a version such as `1.16`, `v1.15.2` or `2`. What stands behind `-` or `+` does not matter.
    ///
    /// # Errors
    /// It is not a version, or this text says too little, or it is too new.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let wrong = || TemplateError::NotAVersion(text.chars().take(40).collect());
        let bare = text.strip_prefix('v').unwrap_or(text);
        let release = bare.split(['-', '+']).next().unwrap_or(bare);
        let numbers = release.split('.').map(|part| {
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| is_number)
        });
        let numbers: Option<Vec<u32>> = numbers.collect();
        match numbers.ok_or_else(wrong)?.as_slice() {
            [1] => Err(TemplateError::NoMinor),
            [0, ..] | [1, 0..15, ..] | [1, 15, 0, ..] => Ok(Self::Before1_15_1),
            [1, 15, ..] => Ok(Self::V1_15),
            [1, ..] => Ok(Self::V1_16),
            [2, ..] => Ok(Self::V2),
            _ => Err(TemplateError::TooNew(release.to_owned())),
        }
    }

    /// The version as the flag takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Before1_15_1 => "1.14",
            Self::V1_15 => "1.15",
            Self::V1_16 => "1.16",
            Self::V2 => "2",
        }
    }

    /// Whether the uploader is a native sidecar: an init container that starts before main, and gets SIGTERM after it.
    pub(super) fn has_native_uploader(self) -> bool {
        matches!(self, Self::V1_16 | Self::V2)
    }

    /// Whether Flyte sets `shareProcessNamespace`.
    pub(super) fn shares_pids(self) -> bool {
        !self.has_native_uploader()
    }
}
