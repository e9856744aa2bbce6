use std::fs;

use super::{Profile, find};
use crate::store::environment::Environment;
use crate::store::error::SettingError;

/// What a profile is, in a word.
fn shown(profile: &Profile) -> String {
    match profile {
        Profile::Keys(keys) => format!("{} {:?}", keys.key_id, keys.token),
        Profile::Variables => "variables".to_owned(),
        Profile::Container => "container".to_owned(),
        Profile::Instance => "instance".to_owned(),
        Profile::WebIdentity {
            token_file, arn, ..
        } => format!("{arn} by {token_file}"),
        Profile::Role {
            arn,
            session,
            external_id,
            seconds,
            region,
            source,
        } => format!(
            "{arn} {session:?} {external_id:?} {seconds} {region:?} by {}",
            shown(source)
        ),
    }
}

fn found(
    config: &str,
    credentials: &str,
    variables: &[(&str, &str)],
) -> Result<Option<String>, SettingError> {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    fs::create_dir(&aws).unwrap();
    fs::write(aws.join("config"), config).unwrap();
    fs::write(aws.join("credentials"), credentials).unwrap();
    let home = home.path().display().to_string();
    let own = [("HOME", home.as_str())];
    let variables = variables.iter().chain(&own);
    let environment: Environment = variables
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Ok(find(&environment)?.map(|(name, profile)| format!("{name}: {}", shown(&profile))))
}

const MINE: &str = "[default]\naws_access_key_id = id\naws_secret_access_key = s3cret\n";

#[test]
fn what_profiles_say() {
    let other = &[("AWS_PROFILE", "other")][..];
    for (config, credentials, variables, expected) in [
        ("", "", &[][..], None),
        ("[default]\nregion = r\n", "", &[], None),
        ("", MINE, &[], Some("default: id None")),
        (MINE, "", &[], Some("default: id None")),
        // Of what stands in both, `credentials` counts.
        (
            "[default]\naws_access_key_id = x\naws_session_token = t\n",
            MINE,
            &[],
            Some("default: id Some(\"t\")"),
        ),
        (
            "[profile other]\nrole_arn = R\nsource_profile = default\nregion = r\n\
             external_id = e\nduration_seconds = 900\nrole_session_name = n\n",
            MINE,
            other,
            Some("other: R Some(\"n\") Some(\"e\") 900 Some(\"r\") by id None"),
        ),
        // Its own keys, and then a role.
        (
            "[profile other]\nrole_arn = R\nsource_profile = other\n",
            "[other]\naws_access_key_id = own\naws_secret_access_key = s3cret\n",
            other,
            Some("other: R None None 3600 None by own None"),
        ),
        (
            "[profile other]\nrole_arn = R\nsource_profile = b\n[profile b]\nrole_arn = S\n\
             credential_source = Ec2InstanceMetadata\n",
            "",
            other,
            Some("other: R None None 3600 None by S None None 3600 None by instance"),
        ),
        (
            "[profile other]\nrole_arn = R\ncredential_source = Environment\n",
            "",
            other,
            Some("other: R None None 3600 None by variables"),
        ),
        (
            "[profile other]\nrole_arn = R\nweb_identity_token_file = /t\n",
            MINE,
            other,
            Some("other: R by /t"),
        ),
        ("[profile \"other\"]\nregion = r\n", MINE, other, None),
    ] {
        let found = found(config, credentials, variables).unwrap();
        assert_eq!(found.as_deref(), expected, "{config}{credentials}");
    }
}

#[test]
fn what_profiles_cannot_be() {
    let role = |rest: &str| format!("[default]\nrole_arn = R\n{rest}\n");
    for (config, named) in [
        (
            "[default]\ncredential_process = /bin/hidden\n".to_owned(),
            "credential_process is not",
        ),
        (
            "[default]\nsso_session = hidden\n".to_owned(),
            "sso_session: single sign-on",
        ),
        (
            "[default]\naws_access_key_id = hidden\n".to_owned(),
            "belong together",
        ),
        (role(""), "goes with one of"),
        (role("source_profile = none"), "source_profile=none"),
        (role("source_profile = default"), "holds no credentials"),
        (role("credential_source = Sun"), "\"Sun\""),
        (
            role("source_profile = a\ncredential_source = Environment"),
            "goes with one of",
        ),
        (
            role("mfa_serial = hidden\nsource_profile = a"),
            "mfa_serial",
        ),
        (
            role("duration_seconds = long\ncredential_source = Environment"),
            "duration_seconds",
        ),
        (
            role("source_profile = b\n[profile b]\nrole_arn = S\nsource_profile = default"),
            "its own source_profile",
        ),
        ("hidden".to_owned(), "line 1"),
    ] {
        let error = found(&config, "", &[]).unwrap_err().to_string();
        assert!(error.contains(named), "{config}: {error}");
        assert!(!error.contains("hidden"), "{error}");
    }
    let missing = found(MINE, "", &[("AWS_PROFILE", "p")])
        .unwrap_err()
        .to_string();
    assert!(missing.contains("[\"default\"]"), "{missing}");
    // A file that is named and not there is passed over.
    let none = found("", MINE, &[("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")]);
    assert_eq!(none.unwrap(), None);
}

#[test]
fn a_file_whose_lines_are_all_indented_is_read_and_its_secrets_are_trimmed() {
    let indented = "\u{feff}  [default]\r\n  aws_access_key_id = id\u{feff}\r\n  \
                    aws_secret_access_key = s3cret\u{a0}\r\n\r\n  aws_session_token: t\r\n";
    assert_eq!(
        found("", indented, &[]).unwrap().as_deref(),
        Some("default: id Some(\"t\")")
    );
    for (line, named) in [
        (
            "aws_secret_access_key = s3c\n  ret",
            "aws_secret_access_key",
        ),
        (
            "aws_secret_access_key = s3c\u{7}ret",
            "aws_secret_access_key",
        ),
        (
            "aws_secret_access_key = s3cret\naws_session_token = a b",
            "aws_session_token",
        ),
    ] {
        let text = format!("[default]\naws_access_key_id = id\n{line}\n");
        let error = found("", &text, &[]).unwrap_err().to_string();
        assert!(error.contains(named) && !error.contains("s3c"), "{error}");
    }
}
