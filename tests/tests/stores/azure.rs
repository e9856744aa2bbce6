//! Tasks whose data is in Azure Blob Storage, against Microsoft's own emulator.

#![cfg(test)]

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::config::StorageSettings;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{LiteralMap, Message as _, primitive};
use copilot::store::{Network, Reference, SameVersion, Stores, Version};
use copilot_tests::binary::{self, Ended};
use copilot_tests::emulator::{ACCOUNT, ACCOUNT_KEY, AZURITE};
use copilot_tests::requirement::Requirement;
use copilot_tests::site::{bytes, closed_environment};
use copilot_tests::stores::{Azure, Store as _};
use copilot_tests::task::{blob, files};

/// Several ranges, or blocks.
const LARGE: usize = 20 << 20;

/// The program with the account's key, and some settings besides.
fn copilot(store: &Azure, more: &[(&str, &str)]) -> Command {
    let mut command = store.command();
    for (key, value) in more {
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

fn put_inputs(store: &Azure, container: &str) {
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
    store.put("task/inputs.pb", &inputs.encode_to_vec());
    store.put("task/in/large", &bytes(LARGE, 1));
    store.put("task/in/empty", b"");
    for name in ["one", "sub/two", "100% odd#", "é+"] {
        store.put(&format!("task/in/dir/{name}"), name.as_bytes());
    }
    store.put("task/in/dir2/sibling", b"not beneath it");
}

#[test]
fn inputs_come_down() {
    if !Requirement::Emulator(AZURITE).is_met() {
        return;
    }
    let store = Azure::start();
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
        assert_eq!(found["dir/é+"], "é+".as_bytes());
        assert_eq!(found["empty"], b"");
    }
}

#[test]
fn what_is_wrong_is_named() {
    if !Requirement::Emulator(AZURITE).is_met() {
        return;
    }
    let store = Azure::start();
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
        (&[("key", "@")], "data", "key: it is not base64"),
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

/// The version of a blob that changed is another one, also where the size is the same.
#[test]
fn a_blob_that_changed_is_not_read_on() {
    if !Requirement::Emulator(AZURITE).is_met() {
        return;
    }
    let store = Azure::start();
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
    store.put("x", b"the first version");
    let read = |range, version: Option<&Version>| {
        let body = runtime.block_on(object.get(Some(range), version));
        body.unwrap().version
    };
    let first = read(0..4, None);
    assert_eq!(first.size(), Some(17));
    assert_eq!(first.same_as(&read(4..8, Some(&first))), SameVersion::Yes);
    store.put("x", b"the other version");
    assert_eq!(first.same_as(&read(8..12, Some(&first))), SameVersion::No);
}
