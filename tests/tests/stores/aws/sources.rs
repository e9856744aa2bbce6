//! The chain: each source is taken where those before it are missing, and no other is asked.

use std::fs;

use copilot_tests::binary;
use copilot_tests::recorder::{Asked, Recorder};
use copilot_tests::site::Site;

use super::{KEYS, command, credentials, run, signed};

/// A source: what it is called in the log, its variables and files, whose key the store sees, and the
/// question that was asked for it.
struct Source {
    named: &'static str,
    variables: Vec<(&'static str, String)>,
    config: &'static str,
    key: &'static str,
    question: &'static str,
}

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
            "POST /",
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
            "POST /",
        ),
    ]
}

#[test]
fn every_source_reaches_the_store() {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    fs::create_dir(&aws).unwrap();
    let token_file = home.path().join("token").display().to_string();
    // As from `echo`.
    fs::write(&token_file, "jwt\n").unwrap();
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

/// A server that checks signatures takes those of each kind of source.
#[test]
fn signatures_are_right() {
    let site = Site::start().unwrap();
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    let (id, secret) = (&site.server.access_key, &site.server.secret_key);
    let (of_server, file) = (secret.clone(), home.path().join("secret"));
    fs::write(&file, format!("{secret}\n")).unwrap();
    let json = format!("{{\"AccessKeyId\":\"{id}\",\"SecretAccessKey\":\"{secret}\"}}");
    let container = Recorder::start(move |_| (200, json.clone())).unwrap();
    let profile = format!("[default]\naws_access_key_id={id}\naws_secret_access_key={secret}\n");
    let keys = [
        "auth_type=accesskey".to_owned(),
        format!("access_key_id={id}"),
        format!("secret_key_path={}", file.display()),
    ];
    let variables = [
        ("AWS_ACCESS_KEY_ID", id.clone()),
        ("AWS_SECRET_ACCESS_KEY", of_server),
    ];
    let full = format!("http://{}/", container.host());
    for (variables, profile, keys) in [
        (variables.to_vec(), "", &[][..]),
        (vec![], profile.as_str(), &[]),
        (vec![("AWS_CONTAINER_CREDENTIALS_FULL_URI", full)], "", &[]),
        (vec![], "", &keys),
    ] {
        fs::write(home.path().join(".aws/credentials"), profile).unwrap();
        let mut command = binary::command();
        command.env("HOME", home.path()).envs(variables.clone());
        let own = [
            "auth_type=iam".to_owned(),
            format!("endpoint={}", site.server.endpoint),
        ];
        for pair in own.iter().chain(keys) {
            command.args(["--storage.stow.config", pair]);
        }
        let ended = run(&mut command);
        let message = ended.message();
        assert!(message.contains("NoSuchKey"), "{variables:?}: {message}");
    }
}
