//! Credentials for Azure: each source, and the header that the store sees.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use copilot_tests::recorder::Recorder;

use super::{TOKEN, all_carry, azure, bearer, run, services};

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

/// The store may end a token early: a new one then takes its place, once for all requests.
#[test]
fn a_token_of_azure_that_is_refused_is_renewed() {
    let given = Arc::new(AtomicUsize::new(0));
    let services = Recorder::start(move |asked| {
        if asked.line().contains("/metadata/identity/") {
            let number = given.fetch_add(1, Ordering::SeqCst);
            let body = format!(
                "{{\"access_token\":\"TOKEN{number}\",\"token_type\":\"Bearer\",\
                 \"expires_in\":\"3599\",\"expires_on\":\"4102444800\"}}"
            );
            return (200, body);
        }
        if asked.header("authorization") == Some("Bearer TOKEN0") {
            let code = "<Error><Code>InvalidAuthenticationInfo</Code></Error>";
            return (401, code.to_owned());
        }
        (404, String::new())
    })
    .unwrap();
    let host = format!("http://{}/", services.host());
    let mut command = azure(&services, &[]);
    command.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", &host);
    let (asked, log) = run(&mut command, &services, "abfs://data/t");
    let store = asked
        .iter()
        .filter(|asked| asked.line().contains("/me/data/t"));
    let mut tokens: Vec<_> = store.map(|asked| asked.header("authorization")).collect();
    tokens.dedup();
    let expected = ["TOKEN0", "TOKEN1"].map(|token| format!("Bearer {token}"));
    let expected = expected.each_ref().map(|token| Some(token.as_str()));
    assert_eq!(tokens, expected, "{log}");
    assert!(!log.contains("TOKEN"), "{log}");
}

/// The key in the settings stays the same: one attempt, and the store's reason.
#[test]
fn a_key_of_azure_that_is_refused_is_not_tried_again() {
    let services = Recorder::start(|_| (401, String::new())).unwrap();
    let mut command = azure(&services, &[("key", "AAAA")]);
    let (asked, log) = run(&mut command, &services, "abfs://data/t");
    let reads = asked
        .iter()
        .filter(|asked| asked.line().contains("inputs.pb"));
    assert_eq!(reads.count(), 1, "{log}");
}

#[test]
fn unsupported_azure_logins_are_refused_with_their_name() {
    for name in ["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME"] {
        let services = services();
        let mut command = azure(&services, &[]);
        command.envs([("AZURE_CLIENT_ID", "app"), ("AZURE_TENANT_ID", "org")]);
        let (asked, log) = run(command.env(name, "hidden"), &services, "abfs://data/t");
        assert!(log.contains(&format!("{name} is not supported")), "{log}");
        assert!(asked.is_empty() && !log.contains("hidden"), "{log}");
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
