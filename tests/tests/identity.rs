//! Who we are to Google's store and Azure's: each source of credentials, from the settings and the
//! environment to the header that the store sees. All services are one loopback server.

#![cfg(test)]

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use copilot_tests::binary;
use copilot_tests::recorder::{Asked, Recorder};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};

/// What the services give.
const TOKEN: &str = "a-token";

/// Answers for tokens and for nothing else.
fn services() -> Recorder {
    Recorder::start(|asked| {
        let line = asked.line();
        // Azure's metadata service writes its numbers as texts.
        let quote = if line.contains("/metadata/identity/") {
            "\""
        } else {
            ""
        };
        let later = "4102444800";
        if line.contains("token") {
            let body = format!(
                "{{\"access_token\":\"{TOKEN}\",\"token_type\":\"Bearer\",\
                 \"expires_in\":{quote}3599{quote},\"expires_on\":{quote}{later}{quote}}}"
            );
            (200, body)
        } else {
            (404, String::new())
        }
    })
    .unwrap()
}

/// Runs a download that finds nothing; gives what the services were asked, and the log.
fn run(command: &mut Command, services: &Recorder, from: &str) -> (Vec<Asked>, String) {
    let place = tempfile::tempdir().unwrap();
    let to = place.path().display().to_string();
    let ended = binary::run(command.args([
        "--logger.level=5",
        "--storage.container=data",
        "download",
        "--from-remote",
        &format!("{from}/inputs.pb"),
        "--to-output-prefix",
        &format!("{from}/out"),
        "--to-local-dir",
        &to,
    ]));
    assert_ne!(ended.code(), 0);
    (services.asked(), ended.stderr)
}

fn google(services: &Recorder, pairs: &[(&str, &str)]) -> Command {
    let endpoint = format!("http://{}", services.host());
    command(
        "google",
        &[&[("endpoint", endpoint.as_str())], pairs].concat(),
    )
}

fn azure(services: &Recorder, pairs: &[(&str, &str)]) -> Command {
    let endpoint = format!("http://{}/me", services.host());
    let own = [("endpoint", endpoint.as_str()), ("account", "me")];
    command("azure", &[&own, pairs].concat())
}

fn command(kind: &str, pairs: &[(&str, &str)]) -> Command {
    let mut command = binary::command();
    command.args([
        "--storage.type=stow",
        &format!("--storage.stow.kind={kind}"),
    ]);
    for (key, value) in pairs {
        let pair = format!("{key}={value}");
        // The flag's own syntax: several `=` make it a line of comma-separated values.
        let pair = match pair.matches('=').count() {
            1 => pair,
            _ => format!("\"{}\"", pair.replace('"', "\"\"")),
        };
        command.args(["--storage.stow.config", &pair]);
    }
    command
}

/// The requests to the store, each of which must carry this.
fn all_carry(asked: &[Asked], authorization: Option<&str>, path: &str) {
    let store: Vec<&Asked> = asked
        .iter()
        .filter(|asked| asked.line().contains(path))
        .collect();
    assert!(!store.is_empty(), "{asked:?}");
    for asked in store {
        assert_eq!(asked.header("authorization"), authorization, "{asked:?}");
    }
}

fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

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
fn google_takes_somebody_elses_token() {
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
fn an_emulator_of_google_sees_nobody() {
    let services = services();
    let mut command = command("google", &[]);
    let command = command.env("STORAGE_EMULATOR_HOST", services.host());
    let (asked, _) = run(command, &services, "gs://data/t");
    all_carry(&asked, None, " /data/t");
}

#[test]
fn credential_files_that_are_none() {
    let services = services();
    let (account, _) = service_account();
    let no_key = account.replace("PRIVATE KEY", "SECRET KEY");
    for (json, named) in [
        ("{", "no credential file in JSON"),
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

#[test]
fn identities_of_azure() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "federated").unwrap();
    let token = token.path().display().to_string();
    let client = [("AZURE_CLIENT_ID", "app"), ("AZURE_TENANT_ID", "org")];
    let secret = [&client[..], &[("AZURE_CLIENT_SECRET", "s3cret")]].concat();
    let workload = [&client[..], &[("AZURE_FEDERATED_TOKEN_FILE", &token)]].concat();
    for (variables, kind, line, body) in [
        (
            secret,
            "client_secret",
            "POST /org/oauth2/v2.0/token",
            "client_secret=s3cret",
        ),
        (
            workload,
            "workload_identity",
            "POST /org/oauth2/v2.0/token",
            "client_assertion=federated",
        ),
        (
            client.to_vec(),
            "managed_identity",
            "GET /metadata/identity/oauth2/token?",
            "client_id=app",
        ),
    ] {
        let services = services();
        let host = format!("http://{}/", services.host());
        let mut command = azure(&services, &[]);
        command
            .envs(variables)
            .env("AZURE_AUTHORITY_HOST", &host)
            .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", &host);
        let (asked, log) = run(&mut command, &services, "abfs://data/t");
        all_carry(&asked, Some(&bearer()), "/me/data/t");
        let question = asked.iter().find(|asked| asked.line().contains("token"));
        let question = question.unwrap();
        assert!(question.line().starts_with(line), "{question:?}");
        assert!(question.0.contains(body), "{question:?}");
        assert!(log.contains(kind), "{log}");
        assert!(!log.contains("s3cret") && !log.contains(TOKEN), "{log}");
    }
}

#[test]
fn a_shared_access_signature_of_azure_goes_along() {
    let services = services();
    let mut command = azure(&services, &[("sas_token", "?sv=2024-01-01&sig=a%2Bb%3D")]);
    let (asked, log) = run(&mut command, &services, "abfs://data/t");
    all_carry(&asked, None, "/me/data/t");
    for asked in &asked {
        assert!(asked.line().contains("sig=a%2Bb%3D"), "{asked:?}");
    }
    assert!(log.contains("shared access signature"), "{log}");
    assert!(!log.contains("sig=") && !log.contains("a%2Bb"), "{log}");
}

/// The keys that a platform passes for its store, in a file as a chart writes it.
#[test]
fn files_of_the_chart_reach_the_store() {
    let services = services();
    let place = tempfile::tempdir().unwrap();
    let file = |text: String| {
        let path = place.path().join("storage.yaml");
        std::fs::write(&path, text).unwrap();
        let mut command = binary::command();
        command.args(["--config", &path.display().to_string()]);
        command
    };
    let azure = format!(
        "storage:\n  type: stow\n  stow:\n    kind: azure\n    config:\n      account: me\n      \
         key: {}\n      configDomainSuffix: core.windows.net\n      configUploadConcurrency: 4\n      \
         endpoint: http://{}/me\n",
        BASE64_URL_SAFE_NO_PAD.encode("four times three"),
        services.host()
    );
    // Not what base64 looks like: refused by name.
    let (_, log) = run(&mut file(azure.clone()), &services, "abfs://data/t");
    assert!(log.contains("key: it is no base64"), "{log}");
    let azure = azure.replace("key: ", "key: AAAA #");
    let (asked, _) = run(&mut file(azure), &services, "abfs://data/t");
    let signed = asked[0].header("authorization").unwrap();
    assert!(signed.starts_with("SharedKey me:"), "{signed}");

    let google = format!(
        "storage:\n  type: stow\n  stow:\n    kind: google\n    config:\n      json: \"\"\n      \
         project_id: p\n      scopes: https://www.googleapis.com/auth/cloud-platform\n      \
         endpoint: http://{}\n",
        services.host()
    );
    let mut command = file(google);
    let command = command.env("GCE_METADATA_HOST", services.host());
    let (asked, _) = run(command, &services, "gs://data/t");
    all_carry(&asked, Some(&bearer()), " /data/t");
    let question = asked.iter().find(|asked| asked.line().contains("scopes="));
    assert!(question.unwrap().line().contains("cloud%2Dplatform"));
}

/// A page of Azure's that names the next one.
#[test]
fn pages_of_azure_are_followed() {
    let page = |name: &str, marker: &str| {
        format!(
            "<EnumerationResults><Blobs><Blob><Name>t/p/{name}</Name><Properties>\
             <Content-Length>0</Content-Length></Properties></Blob></Blobs>\
             <NextMarker>{marker}</NextMarker></EnumerationResults>"
        )
    };
    let services = Recorder::start(move |asked| match asked.line() {
        line if line.contains("comp=list") && line.contains("marker=n%261") => (200, page("b", "")),
        line if line.contains("comp=list") => (200, page("a", "n&amp;1")),
        _ => (404, String::new()),
    })
    .unwrap();
    let listed = list(&services, Path::new("t/p"));
    assert_eq!(listed, ["t/p/a", "t/p/b"]);
}

fn list(services: &Recorder, prefix: &Path) -> Vec<String> {
    use copilot::config::StorageSettings;
    use copilot::store::{Network, Reference, Stores};
    let endpoint = format!("http://{}/me", services.host());
    let pairs = [("account", "me"), ("key", "AAAA"), ("endpoint", &endpoint)];
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let settings = StorageSettings {
        store_type: "stow".to_owned(),
        stow_kind: "azure".to_owned(),
        stow_config: pairs.into(),
        container: "data".to_owned(),
        ..StorageSettings::default()
    };
    let environment = copilot_tests::site::closed_environment();
    let stores = Stores::new(settings, Network::default(), environment);
    let reference = Reference::parse(&format!("abfs://data/{}", prefix.display())).unwrap();
    let mut listing = stores.open(&reference).unwrap().list().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let mut keys = Vec::new();
        while let Some(page) = listing.next_page().await.unwrap() {
            keys.extend(page.into_iter().map(|entry| entry.key));
        }
        keys
    })
}
