//! Our own settings: the section `copilot` of files, and the variables `COPILOT_…`. Each is a flag of ours under
//! another name, so `cli` reads its value by the rules of that flag.

use std::collections::BTreeMap;

use super::key::Key;
use super::layer::SettingValue;
use super::source::SettingSource;

/// Our own settings that files and environment give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnSettings(pub(super) Vec<OwnSetting>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSetting {
    /// The setting.
    pub key: &'static Key,
    /// Its value, as texts that the flag takes.
    pub value: SettingValue,
    /// Where it was found.
    pub source: SettingSource,
}

impl OwnSettings {
    /// All of them, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &OwnSetting> {
        self.0.iter()
    }
}

impl OwnSetting {
    /// The value as the flag takes it: one text, or several for a list.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        match &self.value {
            SettingValue::Text(text) => vec![text.clone()],
            SettingValue::Boolean(value) => vec![value.to_string()],
            SettingValue::Integer(value) => vec![value.to_string()],
            SettingValue::Texts(texts) => texts.clone(),
            // No flag of ours takes one.
            SettingValue::Pairs(_) | SettingValue::Schemes(_) | SettingValue::Opaque => Vec::new(),
        }
    }
}

/// The flags of ours that a file or a variable sets, and where their values stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagSources(BTreeMap<&'static str, SettingSource>);

impl FlagSources {
    /// Notes that a setting gives the flag of its name.
    pub fn note(&mut self, setting: &OwnSetting) {
        if let Some(flag) = setting.key.own_flag() {
            self.0.insert(flag, setting.source.clone());
        }
    }

    /// A message about flags, with key and source in the place of each flag that a file or a variable sets.
    #[must_use]
    pub fn named(&self, message: &str) -> String {
        let mut named = String::with_capacity(message.len());
        let mut rest = message;
        while let Some(at) = rest.find("--") {
            let (before, flag) = rest.split_at(at);
            let is_of_flag = |letter: char| letter.is_ascii_lowercase() || letter == '-';
            let end = flag.find(|letter| !is_of_flag(letter));
            let (flag, after) = flag.split_at(end.unwrap_or(flag.len()));
            named.push_str(before);
            match self.0.get(&flag[2..]) {
                Some(source) => {
                    named.extend(["copilot.", &flag[2..], " (from ", &source.to_string(), ")"]);
                }
                None => named.push_str(flag),
            }
            rest = after;
        }
        named.push_str(rest);
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_source_of_a_flag() {
        let mut sources = FlagSources::default();
        sources.note(&OwnSetting {
            key: Key::find("copilot.exit-code").unwrap(),
            value: SettingValue::Text("7".to_owned()),
            source: SettingSource::Environment("COPILOT_EXIT_CODE".to_owned()),
        });
        let own = "copilot.exit-code (from environment variable COPILOT_EXIT_CODE)";
        for (message, expected) in [
            ("--exit-code \"7\" is", format!("{own} \"7\" is")),
            ("give --exit-code", format!("give {own}")),
            (
                "--exit-codes, --exit-, -- and --exit-code=",
                format!("--exit-codes, --exit-, -- and {own}="),
            ),
            ("é--", "é--".to_owned()),
            ("---exit-code", "---exit-code".to_owned()),
        ] {
            assert_eq!(sources.named(message), expected);
        }
    }
}
