//! Tasks whose data is in Azure Blob Storage, against Microsoft's own emulator.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::config::StorageSettings;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{LiteralMap, Message as _, decode_literal_map, primitive};
use copilot::store::{Network, Reference, StoreError, Stores};
use copilot_tests::binary::{self, Ended};
use copilot_tests::emulator::{ACCOUNT, ACCOUNT_KEY, AZURITE, Emulator};
use copilot_tests::requirement::Requirement;
use copilot_tests::site::{bytes, closed_environment};
use copilot_tests::task::{blob, blob_type, files, interface};
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpRequest, HttpRequestBody};

/// Several ranges, or blocks.
const LARGE: usize = 20 << 20;

/// The store with the container `data`.
fn store() -> Emulator {
    let store = Emulator::azurite().unwrap();
    assert_eq!(ask(&store, "PUT", "data?restype=container", b"").0, 201);
    store
}

/// A request of the account's owner, signed by the library alone.
fn ask(store: &Emulator, method: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let path = format!("/{ACCOUNT}/{target}");
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = method.parse().unwrap();
    let uri = format!("http://{}{path}", store.address());
    *request.uri_mut() = uri.parse().unwrap();
    let headers = request.headers_mut();
    headers.insert("content-length", body.len().to_string().parse().unwrap());
    headers.insert("x-ms-blob-type", "BlockBlob".parse().unwrap());
    let key = AzureCredential::AccessKey(AzureAccessKey::try_new(ACCOUNT_KEY).unwrap());
    let authorizer = AzureAuthorizer::new(&key, ACCOUNT);
    authorizer.try_authorize(&mut request).unwrap();
    request.headers_mut().remove("content-length");
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| format!("\n{name}: {}", value.to_str().unwrap()));
    let head = format!("{method} {path}{}", headers.collect::<String>());
    store.ask(&head, body).unwrap()
}

fn put(store: &Emulator, key: &str, content: &[u8]) {
    let (status, body) = ask(store, "PUT", &format!("data/{key}"), content);
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
}

fn get(store: &Emulator, key: &str) -> Option<Vec<u8>> {
    let (status, body) = ask(store, "GET", &format!("data/{key}"), b"");
    (status == 200).then_some(body)
}

/// The program with the account's key, and some settings besides.
fn copilot(store: &Emulator, more: &[(&str, &str)]) -> Command {
    let mut command = binary::command();
    command.args([
        "--storage.limits.maxDownloadMBs=0",
        "--storage.container=data",
        "--storage.type=stow",
        "--storage.stow.kind=azure",
    ]);
    let endpoint = format!("http://{}/{ACCOUNT}", store.address());
    let pairs = [
        ("account", ACCOUNT),
        ("key", ACCOUNT_KEY),
        ("endpoint", &endpoint),
    ];
    for (key, value) in pairs.iter().chain(more) {
        command.args(["--storage.stow.config", &format!("{key}={value}")]);
    }
    command
}

fn download(command: &mut Command, container: &str, to: &Path) -> Ended {
    let to = to.display().to_string();
    let inputs = format!("abfs://{container}/task/inputs.pb");
    let outputs = format!("abfs://{container}/task/out");
    binary::run(command.args([
        "download",
        "--from-remote",
        &inputs,
        "--to-output-prefix",
        &outputs,
        "--to-local-dir",
        &to,
    ]))
}

fn put_inputs(store: &Emulator, container: &str) {
    let text = primitive::Value::StringValue("value".to_owned());
    let at = |key: &str| format!("abfs://{container}/task/in/{key}");
    let literals = [
        ("text", text.into()),
        ("dir", blob(&at("dir"), Multipart)),
        ("large", blob(&at("large"), Single)),
        ("empty", blob(&at("empty"), Single)),
    ];
    let literals = literals.map(|(name, literal)| (name.to_owned(), literal));
    let inputs = LiteralMap {
        literals: literals.into(),
    };
    put(store, "task/inputs.pb", &inputs.encode_to_vec());
    put(store, "task/in/large", &bytes(LARGE, 1));
    put(store, "task/in/empty", b"");
    for name in ["one", "sub/two", "100%25%20odd%23", "%C3%A9+"] {
        put(store, &format!("task/in/dir/{name}"), name.as_bytes());
    }
    put(store, "task/in/dir2/sibling", b"not beneath it");
}

#[test]
fn inputs_come_down() {
    if !Requirement::Emulator(AZURITE).is_met() {
        return;
    }
    let store = store();
    // With the account in the reference and without.
    let long = format!("data@{ACCOUNT}.dfs.core.windows.net");
    for container in ["data", &long] {
        put_inputs(&store, container);
        let place = tempfile::tempdir().unwrap();
        let ended = download(&mut copilot(&store, &[]), container, place.path());
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let found = files(place.path());
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        let expected = [
            "dir/100% odd#",
            "dir/one",
            "dir/sub/two",
            "dir/é+",
            "empty",
            "inputs.json",
            "inputs.pb",
            "large",
            "text",
        ];
        assert_eq!(names, expected);
        assert!(found["large"] == bytes(LARGE, 1));
        assert_eq!(found["dir/é+"], b"%C3%A9+");
        assert_eq!(found["empty"], b"");
    }
}

#[test]
fn outputs_go_up() {
    if !Requirement::Emulator(AZURITE).is_met() {
        return;
    }
    let store = store();
    let place = tempfile::tempdir().unwrap();
    let outputs = place.path();
    fs::create_dir(outputs.join("dir")).unwrap();
    fs::write(outputs.join("large"), bytes(LARGE, 2)).unwrap();
    fs::write(outputs.join("dir/100% odd"), "odd").unwrap();
    // An error document of an earlier run, which must go.
    put(&store, "task/out/errors.pb", b"stale");

    let declared = interface([("large", blob_type(Single)), ("dir", blob_type(Multipart))]);
    let declared = BASE64_STANDARD.encode(declared.encode_to_vec());
    let mut command = copilot(&store, &[]);
    command
        .args(["sidecar", "--to-raw-output", "abfs://data/task/raw"])
        .args(["--to-output-prefix", "abfs://data/task/out"])
        .args(["--from-local-dir", &outputs.display().to_string()])
        .args(["--interface", &declared, "--watcher=noop"]);
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);

    assert!(get(&store, "task/raw/large").unwrap() == bytes(LARGE, 2));
    assert_eq!(get(&store, "task/raw/dir/100%25%20odd").unwrap(), b"odd");
    assert_eq!(get(&store, "task/out/errors.pb"), None);
    let committed = get(&store, "task/out/outputs.pb").unwrap();
    let committed = decode_literal_map(committed.as_slice()).unwrap();
    let large = format!("{:?}", committed.literals["large"]);
    assert!(large.contains("\"abfs://data/task/raw/large\""), "{large}");
}

#[test]
fn what_is_wrong_is_named() {
    if !Requirement::Emulator(AZURITE).is_met() {
        return;
    }
    let store = store();
    let other = format!("data@other{ACCOUNT}.dfs.core.windows.net");
    let key = BASE64_STANDARD.encode("another key");
    for (settings, container, named) in [
        (&[][..], "data", "task/inputs.pb (store http://"),
        (
            &[("key", key.as_str())],
            "data",
            "Server failed to authenticate",
        ),
        (
            &[("key", "")],
            "data",
            "no Azure credentials could be fetched",
        ),
        (&[("key", "@")], "data", "key: it is no base64"),
        (&[], &other, "the reference names the account"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let ended = download(&mut copilot(&store, settings), container, place.path());
        assert_ne!(ended.code(), 0, "{named}");
        let message = ended.message();
        assert!(message.contains(named), "{named}: {message}");
        assert!(!ended.stderr.contains(ACCOUNT_KEY), "{}", ended.stderr);
    }
    let mut command = copilot(&store, &[]);
    command.arg("--storage.enable-multicontainer");
    let place = tempfile::tempdir().unwrap();
    let ended = download(&mut command, "nowhere", place.path());
    let message = ended.message();
    assert!(message.contains("container does not exist"), "{message}");
}

/// Only one version of a blob is read, and its emulator says so itself.
#[test]
fn a_blob_that_changed_is_not_read_on() {
    if !Requirement::Emulator(AZURITE).is_met() {
        return;
    }
    let store = store();
    let endpoint = format!("http://{}/{ACCOUNT}", store.address());
    let pairs = [
        ("account", ACCOUNT),
        ("key", ACCOUNT_KEY),
        ("endpoint", &endpoint),
    ];
    let settings = StorageSettings {
        store_type: "stow".to_owned(),
        stow_kind: "azure".to_owned(),
        stow_config: pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        container: "data".to_owned(),
        ..StorageSettings::default()
    };
    let stores = Stores::new(settings, Network::default(), closed_environment());
    let reference = Reference::parse("abfs://data/x").unwrap();
    let object = stores.open(&reference).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    put(&store, "x", b"the first version");
    let read = runtime.block_on(object.get(Some(0..4), None)).unwrap();
    assert_eq!(read.size, Some(17));
    let etag = read.etag.clone();
    drop(read);
    assert!(
        runtime
            .block_on(object.get(Some(4..8), etag.as_deref()))
            .is_ok()
    );
    put(&store, "x", b"the other version");
    let read = runtime.block_on(object.get(Some(8..12), etag.as_deref()));
    assert!(matches!(read, Err(StoreError::Changed { .. })));
}
