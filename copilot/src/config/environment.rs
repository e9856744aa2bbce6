//! Names of settings in the environment (spec §1.7): the key in upper case with its dots kept,
//! as in the reference (`STORAGE.STOW.KIND`). Shells cannot set such a name, so `_` may stand for a
//! dot as well, and for a `-`.

use super::key::Key;

/// The names under which the environment may set `key`. The first name that is set wins.
pub(super) fn names(key: &Key) -> Vec<String> {
    let dotted = key.name.to_ascii_uppercase();
    let mut names = vec![
        dotted.clone(),
        dotted.replace('-', "_"),
        dotted.replace('.', "_"),
        dotted.replace(['.', '-'], "_"),
    ];
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_dashes_have_two_spellings_each() {
        assert_eq!(
            names(Key::find("storage.enable-multicontainer").unwrap()),
            [
                "STORAGE.ENABLE-MULTICONTAINER",
                "STORAGE.ENABLE_MULTICONTAINER",
                "STORAGE_ENABLE-MULTICONTAINER",
                "STORAGE_ENABLE_MULTICONTAINER",
            ]
        );
        assert_eq!(
            names(Key::find("logger.level").unwrap()),
            ["LOGGER.LEVEL", "LOGGER_LEVEL"]
        );
    }
}
