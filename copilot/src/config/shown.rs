//! The values of settings, for people: secrets are hidden. Caller: `resolve`.

use super::key::Key;
use super::layer::SettingValue;
use super::secret::{HIDDEN, is_secret};

/// The setting as it may be shown: its name, or for a map the name of each entry, with the value.
pub(super) fn shown(key: &Key, value: &SettingValue) -> Vec<(String, String)> {
    let one = |text: String| vec![(key.name.to_owned(), text)];
    match value {
        SettingValue::Text(text) => {
            // A user part of an address may hold a password.
            let is_hidden = key.secret || (text.contains("://") && text.contains('@'));
            one(if is_hidden { HIDDEN } else { text }.to_owned())
        }
        SettingValue::Boolean(value) => one(value.to_string()),
        SettingValue::Integer(value) => one(value.to_string()),
        SettingValue::Texts(texts) => one(texts.join(",")),
        SettingValue::Pairs(pairs) => entries(key.name, pairs.iter()),
        SettingValue::Schemes(schemes) => schemes
            .iter()
            .flat_map(|(scheme, settings)| {
                let name = format!("{}.{scheme}", key.name);
                let mut shown = vec![(format!("{name}.kind"), settings.kind.clone())];
                shown.extend(entries(&format!("{name}.config"), settings.config.iter()));
                shown
            })
            .collect(),
        SettingValue::Opaque => Vec::new(),
    }
}

fn entries<'a>(
    name: &str,
    pairs: impl Iterator<Item = (&'a String, &'a String)>,
) -> Vec<(String, String)> {
    let one = |(entry, value): (&String, &String)| {
        let shown = if is_secret(entry, value) {
            HIDDEN
        } else {
            value
        };
        (format!("{name}.{entry}"), shown.to_owned())
    };
    pairs.map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KeyKind;

    #[test]
    fn only_what_is_harmless_is_shown() {
        for (name, text, expected) in [
            (
                "storage.container",
                "data",
                &[("storage.container", "data")][..],
            ),
            (
                "storage.single-store",
                "true",
                &[("storage.single-store", "true")],
            ),
            (
                "storage.connection.secret-key",
                "hunter2",
                &[("storage.connection.secret-key", "(hidden)")],
            ),
            (
                "storage.connection.endpoint",
                "http://me:hunter2@host",
                &[("storage.connection.endpoint", "(hidden)")],
            ),
            (
                "storage.stow.config",
                "region=eu-1,secret_key=hunter2",
                &[
                    ("storage.stow.config.region", "eu-1"),
                    ("storage.stow.config.secret_key", "(hidden)"),
                ],
            ),
        ] {
            let key = Key::find(name).unwrap();
            assert_ne!(key.kind, KeyKind::Opaque);
            let value = SettingValue::read(key.kind, text).unwrap();
            let expected = expected
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            assert_eq!(shown(key, &value), expected.collect::<Vec<_>>(), "{name}");
        }
    }
}
