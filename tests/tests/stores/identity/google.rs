//! Credentials for Google: each source, and the header that the store sees.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use copilot_tests::recorder::{Asked, Recorder};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};

use super::{TOKEN, all_carry, bearer, command, google, run, services};

/// A service account with a key of its own.
fn service_account() -> (String, KeyPair) {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let account = serde_json::json!({
        "type": "service_account", "client_email": "me@p.iam.gserviceaccount.com",
        "private_key_id": "k1", "private_key": key.serialize_pem(),
    });
    (account.to_string(), key)
}

/// What a signed token says.
fn claims(asked: &[Asked]) -> serde_json::Value {
    let found = asked.iter().find_map(|asked| asked.header("authorization"));
    let token = found.unwrap().strip_prefix("Bearer ").unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims = BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

#[test]
fn a_service_account_of_google_signs_for_itself() {
    let services = services();
    let (account, _) = service_account();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &account).unwrap();
    let scopes = "https://www.googleapis.com/auth/devstorage.read_write";
    let pairs = [("json", account.as_str()), ("scopes", scopes)];
    let inline = google(&services, &pairs);
    let mut named = google(&services, &[("scopes", scopes)]);
    named.env("GOOGLE_APPLICATION_CREDENTIALS", file.path());
    for mut command in [inline, named] {
        let (asked, log) = run(&mut command, &services, "gs://data/t");
        let claims = claims(&asked);
        assert_eq!(claims["iss"], "me@p.iam.gserviceaccount.com");
        assert_eq!(claims["scope"], scopes);
        assert!(log.contains("service account"), "{log}");
        assert!(!log.contains("PRIVATE"), "{log}");
    }
}

#[test]
fn a_user_of_google_is_renewed() {
    let services = services();
    let home = tempfile::tempdir().unwrap();
    let gcloud = home.path().join(".config/gcloud");
    std::fs::create_dir_all(&gcloud).unwrap();
    let user = serde_json::json!({
        "type": "authorized_user", "client_id": "i d", "client_secret": "c&s",
        "refresh_token": "r", "token_uri": format!("http://{}/token", services.host()),
    });
    let file = gcloud.join("application_default_credentials.json");
    std::fs::write(file, user.to_string()).unwrap();
    let mut command = google(&services, &[("json", "")]);
    let (asked, log) = run(command.env("HOME", home.path()), &services, "gs://data/t");
    all_carry(&asked, Some(&bearer()), " /data/t");
    let renewals = asked.iter().filter(|asked| asked.line() == "POST /token");
    let renewals: Vec<&Asked> = renewals.collect();
    assert_eq!(renewals.len(), 1, "{renewals:?}");
    let form = "client_id=i%20d&client_secret=c%26s&refresh_token=r&grant_type=refresh%5Ftoken";
    assert!(renewals[0].0.ends_with(form), "{renewals:?}");
    assert!(
        log.contains("authorized user") && !log.contains("c&s"),
        "{log}"
    );
}

/// By a file or a server of the machine, as ourselves or as a service account.
#[test]
fn google_accepts_a_token_from_an_external_account() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{"jwt": "e y"}"#).unwrap();
    for (by_file, impersonates) in [(true, false), (false, true)] {
        let services = Recorder::start(|asked| match asked.line() {
            "GET /subject" => (200, " e y\n".to_owned()),
            "POST /exchange" => (
                200,
                "{\"access_token\":\"exchanged\",\"expires_in\":3599}".to_owned(),
            ),
            "POST /impersonate" => (
                200,
                "{\"accessToken\":\"exchanged-2\",\"expireTime\":\"2100-01-01T00:00:00Z\"}"
                    .to_owned(),
            ),
            _ => (404, String::new()),
        })
        .unwrap();
        let at = |path: &str| format!("http://{}/{path}", services.host());
        let source = if by_file {
            serde_json::json!({"file": file.path(), "format":
                {"type": "json", "subject_token_field_name": "jwt"}})
        } else {
            serde_json::json!({"url": at("subject"), "headers": {"Metadata": "True"}})
        };
        let mut account = serde_json::json!({
            "type": "external_account", "audience": "//iam/pool", "token_url": at("exchange"),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "credential_source": source,
        });
        if impersonates {
            account["service_account_impersonation_url"] = at("impersonate").into();
        }
        let json = account.to_string();
        let mut command = google(&services, &[("json", json.as_str())]);
        let (asked, log) = run(&mut command, &services, "gs://data/t");
        let token = if impersonates {
            "exchanged-2"
        } else {
            "exchanged"
        };
        all_carry(&asked, Some(&format!("Bearer {token}")), " /data/t");
        let find = |line: &str| asked.iter().find(|asked| asked.line() == line);
        let exchange = find("POST /exchange").unwrap();
        assert!(exchange.0.contains("subject_token=e%20y"), "{exchange:?}");
        assert!(
            exchange.0.contains("audience=%2F%2Fiam%2Fpool"),
            "{exchange:?}"
        );
        let scope = if impersonates {
            "cloud%2Dplatform"
        } else {
            "devstorage"
        };
        assert!(exchange.0.contains(scope), "{exchange:?}");
        if let Some(subject) = find("GET /subject") {
            assert_eq!(subject.header("metadata"), Some("True"));
        }
        if impersonates {
            let question = find("POST /impersonate").unwrap();
            assert_eq!(question.header("authorization"), Some("Bearer exchanged"));
            assert!(
                question.0.contains("devstorage.full_control"),
                "{question:?}"
            );
        }
        assert!(log.contains("workload identity federation"), "{log}");
        assert!(!log.contains("exchanged"), "{log}");
    }
}

#[test]
fn the_metadata_server_of_google_is_asked() {
    let services = services();
    let mut command = google(&services, &[]);
    let command = command.env("GCE_METADATA_HOST", services.host());
    let (asked, log) = run(command, &services, "gs://data/t");
    all_carry(&asked, Some(&bearer()), " /data/t");
    let question = asked.iter().find(|asked| asked.line().contains("token"));
    let question = question.unwrap();
    let line = "GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=";
    assert!(question.line().starts_with(line), "{question:?}");
    assert_eq!(question.header("metadata-flavor"), Some("Google"));
    assert!(
        log.contains("metadata server") && !log.contains(TOKEN),
        "{log}"
    );
}

#[test]
fn an_emulator_of_google_gets_no_credentials() {
    let services = services();
    let mut command = command("google", &[]);
    let command = command.env("STORAGE_EMULATOR_HOST", services.host());
    let (asked, _) = run(command, &services, "gs://data/t");
    all_carry(&asked, None, " /data/t");
}

#[test]
fn invalid_credential_files() {
    let services = services();
    let (account, _) = service_account();
    let no_key = account.replace("PRIVATE KEY", "SECRET KEY");
    for (json, named) in [
        ("{", "not a credential file in JSON"),
        (r#"{"type": "external_account"}"#, "one of file and url"),
        (
            r#"{"type": "external_account", "credential_source": {"executable": {"command": "x"}}}"#,
            "executable is not supported",
        ),
        (
            r#"{"type": "external_account", "credential_source": {"environment_id": "aws1"}}"#,
            "environment_id (AWS) is not supported",
        ),
        (
            r#"{"type": "external_account", "audience": "a", "subject_token_type": "t",
                "token_url": "http://example.org/hidden", "credential_source": {"file": "/x"}}"#,
            "token_url is not https",
        ),
        (
            r#"{"type": "impersonated_service_account"}"#,
            "known are service_account",
        ),
        (r#"{"type": "service_account"}"#, "client_email"),
        (&no_key, "private_key"),
        (
            r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s",
                "refresh_token": "hidden", "token_uri": "http://example.org/"}"#,
            "token_uri is not https",
        ),
    ] {
        let mut command = google(&services, &[("json", json)]);
        let (asked, log) = run(&mut command, &services, "gs://data/t");
        assert!(log.contains(named), "{named}: {log}");
        assert!(asked.is_empty(), "{asked:?}");
        assert!(!log.contains("hidden"), "{log}");
    }
}
