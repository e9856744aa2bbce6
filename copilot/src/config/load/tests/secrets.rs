//! Each secret of each kind of store, by each way in: white space around it is left out with a warning, and what
//! it cannot hold is refused.

use super::*;
use crate::config::Warning;

/// Each secret, and the settings that hold it.
const SECRETS: [&str; 8] = [
    "access_key_id",
    "secret_key",
    "token",
    "key",
    "sas_token",
    "connection_string",
    "account",
    "json",
];

/// White space as it comes with a pasted secret.
const AROUND: [&str; 7] = ["\n", "\r\n", " ", "\t", "\u{a0}", "\u{feff}", " \n"];

/// How a secret can be given, and the key that it then has.
#[derive(Clone, Copy, Debug)]
enum Way {
    Flag,
    Variable,
    Yaml,
    Json,
    Scheme,
}

const WAYS: [Way; 5] = [Way::Flag, Way::Variable, Way::Yaml, Way::Json, Way::Scheme];

impl Way {
    fn load(self, name: &str, secret: &str) -> Result<Settings, ConfigError> {
        let quoted = serde_json::to_string(secret).unwrap();
        let pair = format!("{{\"{name}\": {quoted}}}");
        let stow = format!("{{\"storage\": {{\"stow\": {{\"config\": {pair}}}}}}}");
        let scheme = format!(
            "{{\"storage\": {{\"schemes\": {{\"s3\": {{\"kind\": \"s3\", \"config\": {pair}}}}}}}}}"
        );
        let csv = format!("\"{name}={}\"", secret.replace('"', "\"\""));
        match self {
            Self::Flag => Place::new(&[]).flag("storage.stow.config", &csv).load(),
            Self::Variable => {
                let mut place = Place::new(&[]);
                let leaked: &'static str = Box::leak(csv.into_boxed_str());
                place.environment.insert("STORAGE_STOW_CONFIG", leaked);
                place.load()
            }
            Self::Yaml => Place::new(&[("a.yaml", &stow)]).load(),
            Self::Json => Place::new(&[("a.json", &stow)]).load(),
            Self::Scheme => Place::new(&[("a.yaml", &scheme)]).load(),
        }
    }

    fn found(self, settings: &Settings, name: &str) -> Option<String> {
        let config = match self {
            Self::Scheme => &settings.storage.schemes.get("s3")?.config,
            _ => &settings.storage.stow_config,
        };
        config.get(name).cloned()
    }
}

/// The warnings of secrets that were trimmed.
fn trimmed(settings: &Settings) -> Vec<String> {
    let warnings = settings.warnings.iter();
    let trimmed = warnings.filter(|warning| matches!(warning, Warning::Trimmed { .. }));
    trimmed.map(Warning::to_string).collect()
}

#[test]
fn white_space_around_each_secret_is_left_out_by_each_way_in() {
    for way in WAYS {
        for name in SECRETS {
            for around in AROUND {
                let pasted = format!("{around}hunter2{around}");
                let settings = way.load(name, &pasted).unwrap();
                let case = format!("{way:?} {name} {around:?}");
                assert_eq!(
                    way.found(&settings, name).as_deref(),
                    Some("hunter2"),
                    "{case}"
                );
                let said = trimmed(&settings);
                let [said] = said.as_slice() else {
                    panic!("{case}: {said:?}");
                };
                assert!(said.contains(name) && said.contains("from "), "{said}");
                assert!(!said.contains("hunter2"), "{said}");
            }
            let settings = way.load(name, "hunter2").unwrap();
            assert!(trimmed(&settings).is_empty(), "{way:?} {name}");
        }
    }
}

#[test]
fn what_a_secret_cannot_hold_is_refused_by_each_way_in() {
    for way in WAYS {
        for name in SECRETS {
            for wrong in ["hun\nter2", "hun\rter2", "hun\u{7}ter2"] {
                let case = format!("{way:?} {name} {wrong:?}");
                match way.load(name, wrong) {
                    Ok(_) => assert_eq!(name, "json", "{case}"),
                    Err(error) => {
                        let said = error.to_string();
                        assert!(!said.contains("ter2"), "{said}");
                        assert!(said.contains(name), "{case}: {said}");
                    }
                }
            }
        }
        for name in ["access_key_id", "token", "key", "sas_token"] {
            for wrong in ["hunter\u{e9}", "hun ter2"] {
                assert!(way.load(name, wrong).is_err(), "{way:?} {name} {wrong:?}");
            }
        }
    }
}

/// The older settings, whose names differ.
#[test]
fn the_older_connection_settings_follow_the_same_rule() {
    for (name, variable, key) in [
        (
            "access-key",
            "STORAGE_CONNECTION_ACCESS_KEY",
            "access_key_id",
        ),
        ("secret-key", "STORAGE_CONNECTION_SECRET_KEY", "secret_key"),
    ] {
        let yaml = |value: &str| {
            let value = serde_json::to_string(value).unwrap();
            format!("{{\"storage\": {{\"connection\": {{\"{name}\": {value}}}}}}}")
        };
        let in_file = |value: &str| Place::new(&[("a.yaml", &yaml(value))]).load();
        let in_variable = |value: &'static str| Place::new(&[]).variable(variable, value).load();
        for settings in [
            in_file("hunter2\n").unwrap(),
            in_variable("hunter2\n").unwrap(),
        ] {
            assert_eq!(settings.storage.stow_config[key], "hunter2");
            let said = trimmed(&settings).concat();
            assert!(said.contains(name) && !said.contains("hunter2"), "{said}");
        }
        for error in [
            in_file("hun\nter2").unwrap_err(),
            in_variable("hun\nter2").unwrap_err(),
        ] {
            let said = error.to_string();
            assert!(
                said.contains("a line end") && !said.contains("ter2"),
                "{said}"
            );
        }
    }
}

/// Other settings stay as they are: a file's name may end in a blank, and an unknown key has no effect.
#[test]
fn other_settings_stay_as_they_are() {
    for (name, value) in [
        ("secret_key_path", "/a "),
        ("a_key_of_others", "one\ntwo\n"),
    ] {
        let settings = Way::Yaml.load(name, value).unwrap();
        assert_eq!(settings.storage.stow_config[name], value);
        assert!(trimmed(&settings).is_empty());
    }
}
