//! The version of the running kernel. Callers: whatever depends on it.

use std::sync::LazyLock;

/// Whether the running kernel has at least this version (major, minor).
#[must_use]
pub fn is_at_least(version: (u32, u32)) -> bool {
    static RUNNING: LazyLock<(u32, u32)> = LazyLock::new(|| {
        let name = rustix::system::uname();
        version_of(&name.release().to_string_lossy())
    });
    *RUNNING >= version
}

/// The version at the beginning of a release's name.
fn version_of(release: &str) -> (u32, u32) {
    let mut numbers = release
        .split(|letter: char| !letter.is_ascii_digit())
        .map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_distributions_begin_with_the_version() {
        for (release, version) in [
            ("6.15.0", (6, 15)),
            ("7.0.0-rc1+", (7, 0)),
            ("5.10.0-34-cloud-amd64", (5, 10)),
            ("5.14.0-503.el9.x86_64", (5, 14)),
            ("", (0, 0)),
        ] {
            assert_eq!(version_of(release), version, "{release}");
        }
    }
}
