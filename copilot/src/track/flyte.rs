//! How Flyte names its own containers in a pod. Pure text. Callers: `identify` and `place`.

/// The prefix of Flyte's own containers, unless the platform chooses another one (`co-pilot.name`).
pub(super) const DEFAULT_PREFIX: &str = "flyte-copilot-";

/// What follows the prefix in the name of our init container, which ends before main begins unless it streams.
pub(super) const DOWNLOADER: &str = "downloader";

/// What follows the prefix: also the uploader's name, and its name in versions before 2024-12.
const ROLES: [&str; 3] = [DOWNLOADER, "uploader", "sidecar"];

/// The prefix that Flyte has given to one of its own containers: `my-pilot-` of `my-pilot-uploader`. None for
/// another name.
pub(super) fn prefix(name: &str) -> Option<&str> {
    let prefix = ROLES.iter().find_map(|role| name.strip_suffix(role))?;
    (prefix.len() > 1 && prefix.ends_with('-')).then_some(prefix)
}

/// Whether Flyte has given this name to a downloader.
pub(super) fn is_downloader(name: &str) -> bool {
    name.ends_with(DOWNLOADER) && prefix(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_what_stands_before_the_role() {
        for (name, expected) in [
            ("flyte-copilot-uploader", Some(DEFAULT_PREFIX)),
            ("flyte-copilot-sidecar", Some(DEFAULT_PREFIX)),
            ("my-pilot-downloader", Some("my-pilot-")),
            ("uploader", None),
            ("-uploader", None),
            ("myuploader", None),
            ("my-uploader-2", None),
            ("main", None),
        ] {
            assert_eq!(prefix(name), expected, "{name}");
        }
    }

    #[test]
    fn a_downloader_has_a_prefix_too() {
        assert!(is_downloader("my-pilot-downloader"));
        for name in ["downloader", "my-pilot-uploader", "my-downloader-2"] {
            assert!(!is_downloader(name), "{name}");
        }
    }
}
