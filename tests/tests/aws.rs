//! Who we are to S3: each source of AWS credentials, from the settings, the environment and profile
//! files to the signature that the store sees. All services are one loopback server.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use copilot_tests::binary::{self, Ended};
use copilot_tests::recorder::{Asked, Recorder};

const LATER: &str = "2100-01-01T00:00:00Z";

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
    if line.contains("Action=AssumeRoleWithWebIdentity") {
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
    let to = place.path().display().to_string();
    let ended = binary::run(command.args([
        "--logger.level=5",
        "--storage.container=data",
        "download",
        "--from-remote",
        "s3://data/t/inputs.pb",
        "--to-output-prefix",
        "s3://data/t/out",
        "--to-local-dir",
        &to,
    ]));
    assert_ne!(ended.code(), 0);
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

/// A source: what it is called in the log, its variables and files, whose key the store sees, and the
/// question that was asked for it.
struct Source {
    named: &'static str,
    variables: Vec<(&'static str, String)>,
    config: &'static str,
    key: &'static str,
    question: &'static str,
}

const KEYS: &str = "aws_access_key_id = PROFILE\naws_secret_access_key = s3cret\n";

fn sources(host: &str, token_file: &str) -> Vec<Source> {
    let own = |name, value: &str| (name, value.to_owned());
    let keys = [
        own("AWS_ACCESS_KEY_ID", "VARIABLE"),
        own("AWS_SECRET_ACCESS_KEY", "s3cret"),
    ];
    let web = [
        own("AWS_WEB_IDENTITY_TOKEN_FILE", token_file),
        own("AWS_ROLE_ARN", "arn:aws:iam::1:role/web"),
    ];
    let full = format!("http://{host}/v1/credentials");
    let container = [own("AWS_CONTAINER_CREDENTIALS_FULL_URI", &full)];
    let instance = [
        own("AWS_EC2_METADATA_DISABLED", "false"),
        own(
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            &format!("http://{host}/"),
        ),
    ];
    let role = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nexternal_id = e/1\n";
    let of_profile = |more: &[(&'static str, String)]| [&[own("AWS_PROFILE", "p")], more].concat();
    let source = |named, variables: Vec<(&'static str, String)>, config, key, question| Source {
        named,
        variables,
        config,
        key,
        question,
    };
    let all = [&web[..], &container, &instance].concat();
    vec![
        // In this order, so each hides those that follow.
        source(
            "AWS_ACCESS_KEY_ID",
            [&keys[..], &all].concat(),
            KEYS,
            "VARIABLE",
            "",
        ),
        source(
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            all.clone(),
            KEYS,
            "WEB",
            "POST /?Action=AssumeRoleWithWebIdentity",
        ),
        source(
            "profile",
            [&container[..], &instance].concat(),
            KEYS,
            "PROFILE",
            "",
        ),
        source(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            [&container[..], &instance].concat(),
            "",
            "CONTAINER",
            "GET /v1/credentials",
        ),
        source(
            "metadata service",
            instance.to_vec(),
            "",
            "INSTANCE",
            "PUT /latest/api/token",
        ),
        // Roles on top of each.
        source("profile", of_profile(&[]), role, "ROLE", "POST /"),
        source(
            "profile",
            of_profile(&container),
            "[profile p]\nrole_arn = R\ncredential_source = EcsContainer\n",
            "ROLE",
            "GET /v1/credentials",
        ),
        source(
            "profile",
            of_profile(&instance),
            "[profile p]\nrole_arn = R\ncredential_source = Ec2InstanceMetadata\n",
            "ROLE",
            "PUT /latest/api/token",
        ),
        source(
            "profile",
            of_profile(&[]),
            "[profile p]\nrole_arn = R\nweb_identity_token_file = TOKEN_FILE\n",
            "WEB",
            "POST /?Action=AssumeRoleWithWebIdentity",
        ),
    ]
}

#[test]
fn every_source_reaches_the_store() {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    fs::create_dir(&aws).unwrap();
    let token_file = home.path().join("token").display().to_string();
    fs::write(&token_file, "jwt").unwrap();
    let services = Recorder::start(credentials).unwrap();
    let known = sources(&services.host(), &token_file).len();
    for index in 0..known {
        let services = Recorder::start(credentials).unwrap();
        let source = sources(&services.host(), &token_file).swap_remove(index);
        let default = if source.config == KEYS { KEYS } else { "" };
        let mut config = format!("[default]\n{default}");
        if source.config != KEYS {
            config.push_str(&source.config.replace("TOKEN_FILE", &token_file));
        }
        if source.config.contains("external_id") {
            config = format!("{config}source_profile = base\n[profile base]\n{KEYS}");
        }
        fs::write(aws.join("config"), config).unwrap();
        let mut command = command(&services, home.path());
        command
            .env(
                "AWS_ENDPOINT_URL_STS",
                format!("http://{}", services.host()),
            )
            .envs(source.variables);
        let log = run(&mut command).stderr;
        let asked = services.asked();
        let token = match source.key {
            "VARIABLE" | "PROFILE" => None,
            key => Some(format!("{key}-token")),
        };
        let expected = (source.key.to_owned(), token);
        assert_eq!(signed(&asked), [expected], "{index}: {log}");
        let question = |asked: &Asked| asked.line().starts_with(source.question);
        assert!(asked.iter().any(question), "{index}: {asked:?}");
        assert!(log.contains(source.named), "{index}: {log}");
        assert!(!log.contains(&format!("{}-token", source.key)), "{log}");
        if source.config.contains("external_id") {
            let role = asked.iter().find(|asked| asked.line() == "POST /").unwrap();
            let signature = role.header("authorization").unwrap();
            assert!(signature.contains("Credential=PROFILE/"), "{role:?}");
            assert!(signature.contains("/eu-west-1/sts/"), "{role:?}");
            let form = "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=copilot&ExternalId=e%2F1";
            assert!(role.0.ends_with(form), "{role:?}");
        }
    }
}

#[test]
fn the_containers_endpoint_knows_us_by_its_token() {
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
fn what_is_over_is_asked_for_anew() {
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
fn keys_that_are_over_are_told() {
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

#[test]
fn what_cannot_be_used_is_refused_by_name_and_nobody_is_asked() {
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
fn a_role_that_is_not_granted_is_told() {
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
