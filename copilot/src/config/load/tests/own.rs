//! The section `copilot`: our own settings.

use super::*;

fn own(place: &Place) -> Result<OwnSettings, ConfigError> {
    load_own(&SettingSources {
        flags: &place.flags,
        environment: &|name| place.environment.get(name).map(OsString::from),
        pattern: place.path("*").to_str(),
        default_files: &[],
    })
}

const FILE: &str = "\
copilot:
  watcher: [ebpf, pidfd]
  Ignore-Container: istio-proxy, vault
  strict: yes
  max-connections: 64
  termination-log: ''
  settle:
  poll-fast: 2ms
";

#[test]
fn variables_win_over_files_and_each_value_has_its_source() {
    let place = Place::new(&[("a.yaml", FILE)])
        .variable("COPILOT_POLL_FAST", "1ms")
        .variable("COPILOT.MAX-MEMORY", "16Mi")
        .variable("COPILOT_MAX_CONNECTIONS", "");
    let settings = own(&place).unwrap();
    let found: Vec<_> = settings
        .iter()
        .map(|setting| {
            let flag = setting.key.own_flag().unwrap();
            (flag, setting.texts().join("+"), setting.source.clone())
        })
        .collect();
    let variable = |name: &str| SettingSource::Environment(name.to_owned());
    let expected = [
        ("strict", "true", place.line("a.yaml", 4)),
        ("termination-log", "", place.line("a.yaml", 6)),
        ("max-memory", "16Mi", variable("COPILOT.MAX-MEMORY")),
        ("max-connections", "64", place.line("a.yaml", 5)),
        ("watcher", "ebpf+pidfd", place.line("a.yaml", 2)),
        (
            "ignore-container",
            "istio-proxy+vault",
            place.line("a.yaml", 3),
        ),
        ("poll-fast", "1ms", variable("COPILOT_POLL_FAST")),
    ];
    let expected = expected.map(|(flag, text, source)| (flag, text.to_owned(), source));
    assert_eq!(found, expected);
    // Loading all settings finds the same, for people; a flag wins.
    let place = place.flag("copilot.watcher", "proc");
    let settings = place.settings();
    assert_eq!(settings.warnings, []);
    for (name, value, source) in [
        ("copilot.watcher", "proc", SettingSource::Flag),
        (
            "copilot.ignore-container",
            "istio-proxy,vault",
            place.line("a.yaml", 3),
        ),
    ] {
        let shown = settings.shown().find(|setting| setting.name == name);
        let shown = shown.unwrap();
        assert_eq!((&*shown.value, shown.source), (value, source));
    }
    assert_eq!(settings.source("copilot.settle"), None);
}

#[test]
fn wrong_values_name_key_file_line_and_rule() {
    for (text, line, words) in [
        ("copilot: ebpf\n", 1, "copilot (from file"),
        ("copilot:\n  strict: maybe\n", 2, "a boolean must be"),
        (
            "copilot:\n  watcher: {a: b}\n",
            2,
            "it takes a single value, not a map",
        ),
        (
            "copilot:\n\n  ignore-container: [a, [b]]\n",
            3,
            "a text, or a list of texts",
        ),
        (
            "copilot: {settle: 1s,\n  ignore-container: 'a,,b'}\n",
            2,
            "a name in the list is empty",
        ),
        (
            "copilot: {max-memory: [1]}\n",
            1,
            "copilot.max-memory (from file",
        ),
    ] {
        let place = Place::new(&[("a.yaml", text)]);
        let message = own(&place).expect_err(text).to_string();
        assert!(message.contains(words), "{text}: {message}");
        let at = format!("a.yaml, line {line}): ");
        assert!(message.contains(&at), "{text}: {message}");
        assert_eq!(place.load().expect_err(text).to_string(), message);
    }
}

#[test]
fn unknown_keys_are_warned_of_like_others() {
    let text = "copilot:\n  watchers: proc\n  to-output-prefix: s3://b/o\n";
    let place = Place::new(&[("a.yaml", text)]);
    let file = place.path("a.yaml");
    let file = file.display();
    let warnings = place.settings().warnings;
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            format!("unknown key copilot.to-output-prefix in file {file}, line 3"),
            format!(
                "unknown key copilot.watchers in file {file}, line 2; did you mean copilot.watcher?"
            ),
        ]
    );
    assert!(warnings.iter().all(Warning::is_unknown));
    assert_eq!(own(&place).unwrap(), OwnSettings::default());
}
