//! Values whose meaning depends on more than their text.

use super::*;

#[test]
fn levels_are_numbers_or_names_and_none_vanishes() {
    for (text, level, warns) in [
        ("2", LogLevel::Error, false),
        ("Warning", LogLevel::Warn, false),
        ("debug", LogLevel::Debug, false),
        ("trace", LogLevel::Debug, false),
        ("9", LogLevel::Debug, true),
    ] {
        let settings = Place::new(&[(
            "a.yaml",
            "storage: {container: c}
",
        )])
        .variable("LOGGER_LEVEL", text)
        .settings();
        assert_eq!(settings.logger.level, level, "{text}");
        let said: Vec<String> = settings.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(!said.is_empty(), warns, "{said:?}");
        assert!(
            said.iter().all(|said| said.contains("logger.level 9")),
            "{said:?}"
        );
    }
}

#[test]
fn the_type_local_alone_is_the_kind_local() {
    for (flags, kind) in [
        (&[("storage.type", "local")][..], "local"),
        (
            &[("storage.type", "local"), ("storage.stow.kind", "s3")],
            "s3",
        ),
        (&[("storage.type", "minio")], "s3"),
        (&[], "s3"),
    ] {
        let place = flags.iter().fold(Place::new(&[]), |place, (key, value)| {
            place.flag(key, value)
        });
        assert_eq!(place.settings().storage.stow_kind, kind, "{flags:?}");
    }
}
