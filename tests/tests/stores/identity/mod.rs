//! Credentials for Google's store and Azure's: each source, from the settings and the
//! environment to the header that the store sees. All services are one loopback server.

mod azure;
mod google;

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use copilot_tests::binary;
use copilot_tests::recorder::{Asked, Recorder};

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
    command.args(["--logger.level=5", "--storage.container=data"]);
    let ended = binary::fail_download(command, from, place.path());
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
    assert!(log.contains("key: it is not base64"), "{log}");
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
