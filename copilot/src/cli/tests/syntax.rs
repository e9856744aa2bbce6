//! How flags are written (spec §1.6).

use std::collections::BTreeMap;

use super::{download, outputs, run, sidecar};
use crate::command::Invocation;
use crate::config::SettingValue;
use crate::literal::render::MetadataFormat;

#[test]
fn a_value_stands_in_five_ways() {
    for form in [
        &["--to-local-dir", "/x"][..],
        &["--to-local-dir=/x"],
        &["-o", "/x"],
        &["-o/x"],
        &["-o=/x"],
    ] {
        let (_, request) = download(form).unwrap();
        assert_eq!(request.to_local_dir.to_str(), Some("/x"), "{form:?}");
    }
}

#[test]
fn the_last_one_wins_and_a_value_may_begin_with_a_dash() {
    let (_, request) = download(&["-f", "one", "--from-remote", "--two"]).unwrap();
    assert_eq!(request.from_remote, "--two");
    let (_, request) = download(&["--from-remote", "--", "--format=YAML"]).unwrap();
    assert_eq!(request.from_remote, "--");
    assert_eq!(request.format, MetadataFormat::Yaml);
    let (_, request) = download(&["--to-local-dir", "-x"]).unwrap();
    assert_eq!(request.to_local_dir.to_str(), Some("-x"));
}

#[test]
fn two_dashes_end_the_flags_and_words_are_passed_over() {
    let (_, request) =
        download(&["extra", "--format", "YAML", "--", "--format", "X", "--nope"]).unwrap();
    assert_eq!(request.format, MetadataFormat::Yaml);
}

#[test]
fn no_abbreviation_of_a_flag_is_taken() {
    let message = download(&["--form", "YAML"]).unwrap_err().to_string();
    assert!(message.starts_with("unknown flag --form;"), "{message}");
}

#[test]
fn booleans() {
    let flag = "--storage.enable-multicontainer";
    for (arguments, expected) in [
        (&[flag.to_owned()][..], true),
        (&[format!("{flag}=false")], false),
        (&[format!("{flag}=F")], false),
        (&[format!("{flag}=1")], true),
        // The word after it is not its value; one that denies it is refused.
        (&[flag.to_owned(), "true".to_owned()], true),
        (&[flag.to_owned(), format!("{flag}=0")], false),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (global, _) = download(&arguments).unwrap();
        let value = global.settings.get("storage.enable-multicontainer");
        assert_eq!(
            value,
            Some(&SettingValue::Boolean(expected)),
            "{arguments:?}"
        );
    }
    for text in ["yes", "", "tRUE"] {
        let message = download(&[&format!("{flag}={text}")])
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&format!("invalid value {text:?} for {flag}")),
            "{message}"
        );
    }
    assert!(download(&["-s=false"]).is_ok());
    assert!(download(&["-sn", "ns"]).is_ok());
}

#[test]
fn a_word_that_denies_a_flag_is_refused_and_no_other() {
    for word in ["false", "F", "0", "no", "Off"] {
        for flag in [
            "--storage.enable-multicontainer",
            "--exit-zero-on-error",
            "-s",
            "--strict",
        ] {
            let message = download(&[flag, word]).unwrap_err().to_string();
            assert!(
                message.contains(&format!("write {flag}={word}")),
                "{message}"
            );
        }
    }
    for arguments in [
        &["--to-local-dir", "false"][..],
        &["-o", "0", "--exit-zero-on-error"],
        &["false"],
        &["--exit-zero-on-error=true", "false"],
        &["--exit-zero-on-error", "--", "false"],
        &["--exit-zero-on-error", "extra"],
    ] {
        assert!(download(arguments).is_ok(), "{arguments:?}");
    }
    let (global, _) = download(&["extra", "--strict=false", "secret_key=hunter2"]).unwrap();
    assert_eq!(global.stray_words, ["extra", "secret_key=…"]);
}

#[test]
fn common_flags_stand_on_either_side_of_the_command() {
    let arguments = [
        "--storage.stow.config",
        "a=1",
        "--storage.container=one",
        "-f",
        "r",
        "download",
        "-o",
        "/in",
        "--storage.stow.config",
        "b=2",
        "--to-output-prefix",
        "p",
        "--storage.container",
        "two",
    ];
    let Ok(Invocation::Download(global, request)) = run(&arguments) else {
        panic!()
    };
    assert_eq!(request.from_remote, "r");
    assert_eq!(
        global.settings.get("storage.container"),
        Some(&SettingValue::Text("two".into()))
    );
    let pairs =
        BTreeMap::from([("a", "1"), ("b", "2")].map(|(key, value)| (key.into(), value.into())));
    assert_eq!(
        global.settings.get("storage.stow.config"),
        Some(&SettingValue::Pairs(pairs.into()))
    );
}

#[test]
fn interfaces_are_standard_base64_with_padding() {
    for text in ["EgkKBwoBbxICCgA=", " EgkKBwoBbx\r\nICCgA=\n"] {
        assert_eq!(
            outputs(*sidecar(&["-i", text]).unwrap().1).interface.len(),
            11,
            "{text:?}"
        );
    }
    for text in ["_-8=", "EgA", "Eg A="] {
        let message = sidecar(&["-i", text]).unwrap_err().to_string();
        assert!(
            message.contains("--interface: it is not standard base64"),
            "{message}"
        );
    }
    let long = "!".repeat(100_000);
    assert!(sidecar(&["-i", &long]).unwrap_err().to_string().len() < 300);
}
