//! The task's directories in a command: `/var/inputs` as the task names it becomes the directory on this machine.
//! Pure.

/// A directory's two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlaceName {
    /// As the command names it. Absolute, without a slash at its end.
    pub(super) named: String,
    /// As it is called here.
    pub(super) real: String,
}

/// The argument with each of these directories under its real name. Only whole paths and their beginnings count:
/// `/var/inputs` and `/var/inputs/x`, but neither `/var/inputs2` nor `/srv/var/inputs`.
pub(super) fn replace(argument: &str, places: &[PlaceName]) -> String {
    let mut replaced = String::with_capacity(argument.len());
    let mut rest = argument;
    let mut before = None;
    while let Some(next) = rest.chars().next() {
        let begins = !before.is_some_and(is_part_of_name);
        let found = places.iter().find(|place| {
            let after = rest.strip_prefix(place.named.as_str());
            begins && after.is_some_and(|after| !after.starts_with(is_part_of_name))
        });
        if let Some(place) = found {
            replaced.push_str(&place.real);
            rest = &rest[place.named.len()..];
            before = place.named.chars().next_back();
        } else {
            replaced.push(next);
            rest = &rest[next.len_utf8()..];
            before = Some(next);
        }
    }
    replaced
}

/// Whether a character goes on with a file's name, or leads to it.
fn is_part_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_paths_are_replaced() {
        let place = |named: &str, real: &str| PlaceName {
            named: named.to_owned(),
            real: real.to_owned(),
        };
        let places = [
            place("/var/inputs", "/w/inputs"),
            place("/var/outputs", "/w/outputs"),
        ];
        for (argument, expected) in [
            ("/var/inputs", "/w/inputs"),
            ("/var/inputs/x.csv", "/w/inputs/x.csv"),
            ("--out=/var/outputs", "--out=/w/outputs"),
            (
                "cat '/var/inputs/a' > /var/outputs/b",
                "cat '/w/inputs/a' > /w/outputs/b",
            ),
            ("/var/inputs:/var/outputs", "/w/inputs:/w/outputs"),
            ("\"$x\"/var/inputs", "\"$x\"/w/inputs"),
            (
                "/var/inputs2 /var/inputs.csv",
                "/var/inputs2 /var/inputs.csv",
            ),
            (
                "/srv/var/inputs ./var/inputs",
                "/srv/var/inputs ./var/inputs",
            ),
            ("é", "é"),
            ("", ""),
        ] {
            assert_eq!(replace(argument, &places), expected, "{argument}");
        }
    }
}
