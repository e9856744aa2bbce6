//! A source that cannot be used is named, and no secret with it.

use std::fs;

use copilot_tests::recorder::Recorder;

use super::{KEYS, command, credentials, run};

#[test]
fn unusable_settings_are_refused_with_their_name_and_without_requests() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    for (variables, config, named) in [
        (vec![], "", "AWS_EC2_METADATA_DISABLED"),
        (
            vec![("AWS_ACCESS_KEY_ID", "x")],
            "",
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            vec![("AWS_SECRET_ACCESS_KEY", "hidden")],
            "",
            "AWS_ACCESS_KEY_ID",
        ),
        (
            vec![("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")],
            "",
            "AWS_ROLE_ARN",
        ),
        (
            vec![("AWS_PROFILE", "none")],
            "",
            "AWS_PROFILE=\\\"none\\\"",
        ),
        (
            vec![],
            "[default]\ncredential_process = hidden\n",
            "credential_process is not supported",
        ),
        (
            vec![],
            "[default]\nsso_session = hidden\n",
            "single sign-on is not supported",
        ),
        (
            vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x")],
            "",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ),
    ] {
        fs::write(home.path().join(".aws/config"), config).unwrap();
        let services = Recorder::start(credentials).unwrap();
        let mut command = command(&services, home.path());
        let ended = run(command.envs(variables));
        let words = named.replace('\\', "");
        assert!(
            ended.message().contains(&words),
            "{named}: {}",
            ended.stderr
        );
        assert!(!ended.stderr.contains("hidden"), "{}", ended.stderr);
        assert!(services.asked().is_empty(), "{:?}", services.asked());
    }
}

/// A service that refuses is named, with what it said.
#[test]
fn a_role_that_is_not_granted_is_reported() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    let config = format!("[default]\nrole_arn = R\nsource_profile = default\n{KEYS}");
    fs::write(home.path().join(".aws/config"), config).unwrap();
    let services = Recorder::start(|_| {
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message>\
                    </Error></ErrorResponse>";
        (403, body.to_owned())
    })
    .unwrap();
    let sts = format!("http://{}", services.host());
    let mut command = command(&services, home.path());
    let ended = run(command.env("AWS_ENDPOINT_URL_STS", &sts));
    for part in ["role R", &sts, "AccessDenied: not you"] {
        assert!(ended.message().contains(part), "{part}: {}", ended.stderr);
    }
}
