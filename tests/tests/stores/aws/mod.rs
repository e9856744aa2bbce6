//! Credentials for S3: each source, from the settings, the environment and profile
//! files to the signature that the store sees. All services are one loopback server.

mod refusals;
mod sources;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use copilot_tests::binary::{self, Ended};
use copilot_tests::recorder::{Asked, Recorder};

const LATER: &str = "2100-01-01T00:00:00Z";

/// A profile's keys.
const KEYS: &str = "aws_access_key_id = PROFILE\naws_secret_access_key = s3cret\n";

/// An answer of STS, of the container's endpoint, of the instance's metadata, with a key that tells
/// which.
fn credentials(asked: &Asked) -> (u16, String) {
    let line = asked.line();
    let json = |key: &str| {
        format!(
            "{{\"AccessKeyId\":\"{key}\",\"SecretAccessKey\":\"s3cret\",\"Token\":\"{key}-token\",\
             \"Expiration\":\"{LATER}\",\"Code\":\"Success\"}}"
        )
    };
    let xml = |action: &str, key: &str| {
        format!(
            "<{action}Response><{action}Result><Credentials><AccessKeyId>{key}</AccessKeyId>\
             <SecretAccessKey>s3cret</SecretAccessKey><SessionToken>{key}-token</SessionToken>\
             <Expiration>{LATER}</Expiration></Credentials></{action}Result></{action}Response>"
        )
    };
    let metadata = "/latest/meta-data/iam/security-credentials/";
    let is_web_identity = asked.0.contains("Action=AssumeRoleWithWebIdentity&");
    if is_web_identity && asked.0.contains("WebIdentityToken=jwt") {
        (200, xml("AssumeRoleWithWebIdentity", "WEB"))
    } else if asked.0.contains("Action=AssumeRole&") {
        (200, xml("AssumeRole", "ROLE"))
    } else if line == "GET /v1/credentials" {
        (200, json("CONTAINER"))
    } else if line == "PUT /latest/api/token" {
        (200, "session".to_owned())
    } else if line == format!("GET {metadata}") {
        (200, "of-node".to_owned())
    } else if line == format!("GET {metadata}of-node") {
        (200, json("INSTANCE"))
    } else {
        (404, String::new())
    }
}

fn command(services: &Recorder, home: &Path) -> Command {
    let mut command = binary::command();
    let endpoint = format!("endpoint=http://{}", services.host());
    command.env("HOME", home).args([
        "--storage.type=stow",
        "--storage.stow.kind=s3",
        "--storage.stow.config=auth_type=iam",
        "--storage.stow.config=region=eu-west-1",
        "--storage.stow.config",
        &endpoint,
    ]);
    command
}

/// Runs a download that finds nothing.
fn run(command: &mut Command) -> Ended {
    let place = tempfile::tempdir().unwrap();
    command.args(["--logger.level=5", "--storage.container=data"]);
    let ended = binary::fail_download(command, "s3://data/t", place.path());
    assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    ended
}

/// The key and the session token of the requests to the store, which are all signed alike.
fn signed(asked: &[Asked]) -> Vec<(String, Option<String>)> {
    let store = asked
        .iter()
        .filter(|asked| asked.line().contains(" /data/"));
    let mut seen: Vec<_> = store
        .map(|asked| {
            let authorization = asked.header("authorization").unwrap_or_default();
            let (_, key) = authorization.split_once("Credential=").unwrap_or_default();
            let (key, scope) = key.split_once('/').unwrap_or_default();
            assert!(scope.contains("/eu-west-1/s3/aws4_request"), "{asked:?}");
            let token = asked.header("x-amz-security-token");
            (key.to_owned(), token.map(str::to_owned))
        })
        .collect();
    seen.dedup();
    seen
}

#[test]
fn the_container_endpoint_gets_its_token() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("token");
    fs::write(&file, "of-file\n").unwrap();
    let file = file.display().to_string();
    let given = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "given");
    let of_file = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.as_str());
    for (variables, expected) in [
        (vec![], None),
        (vec![given], Some("given")),
        (vec![given, of_file], Some("of-file")),
    ] {
        let services = Recorder::start(credentials).unwrap();
        let full = format!("http://{}/v1/credentials", services.host());
        let mut command = command(&services, home.path());
        command
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", full)
            .envs(variables);
        let log = run(&mut command).stderr;
        let asked = services.asked();
        let question = asked.iter().find(|asked| asked.line().contains("/v1/"));
        assert_eq!(question.unwrap().header("authorization"), expected, "{log}");
    }
}

/// Pod Identity replaces its token, and the store may end a session at any time.
#[test]
fn expired_credentials_are_requested_again() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("token");
    fs::write(&file, "first").unwrap();
    let rotating = file.clone();
    let given = std::sync::Arc::new(AtomicUsize::new(0));
    let services = Recorder::start(move |asked| {
        if asked.line() == "GET /v1/credentials" {
            fs::write(&rotating, "second").unwrap();
            let number = given.fetch_add(1, Ordering::SeqCst);
            let body = format!(
                "{{\"AccessKeyId\":\"KEY{number}\",\"SecretAccessKey\":\"s3cret\",\
                 \"Token\":\"t\",\"Expiration\":\"{LATER}\"}}"
            );
            return (200, body);
        }
        if asked.0.contains("Credential=KEY0/") {
            let body = "<Error><Code>ExpiredToken</Code><Message>over</Message></Error>";
            return (400, body.to_owned());
        }
        (404, String::new())
    })
    .unwrap();
    let full = format!("http://{}/v1/credentials", services.host());
    let mut command = command(&services, home.path());
    command
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", full)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file);
    let ended = run(&mut command);
    let asked = services.asked();
    let keys: Vec<_> = signed(&asked).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["KEY0", "KEY1"], "{}", ended.stderr);
    let questions = asked.iter().filter(|asked| asked.line().contains("/v1/"));
    let tokens: Vec<_> = questions
        .map(|asked| asked.header("authorization"))
        .collect();
    assert_eq!(tokens, [Some("first"), Some("second")]);
    assert!(ended.message().contains("404"), "{}", ended.stderr);
}

/// Keys in the settings cannot become others: one attempt, and what to do.
#[test]
fn expired_keys_are_reported() {
    let home = tempfile::tempdir().unwrap();
    let services = Recorder::start(|_| {
        let body = "<Error><Code>ExpiredToken</Code><Message>over</Message></Error>";
        (400, body.to_owned())
    })
    .unwrap();
    let mut command = command(&services, home.path());
    command.args([
        "--storage.stow.config=auth_type=accesskey",
        "--storage.stow.config=access_key_id=ID",
        "--storage.stow.config=secret_key=s3cret",
        "--storage.stow.config=token=old",
    ]);
    let ended = run(&mut command);
    assert!(ended.message().contains("ExpiredToken"), "{}", ended.stderr);
    let asked = services.asked();
    let reads = asked
        .iter()
        .filter(|asked| asked.line().contains("inputs.pb"));
    assert_eq!(reads.count(), 1, "{asked:?}");
}
