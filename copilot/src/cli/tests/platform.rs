//! The argument vectors that platforms of all examined revisions pass (spec §2.2), through flags
//! and settings.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{INTERFACE, outputs, run};
use crate::command::{Global, Invocation};
use crate::config::{SettingSources, Settings, load};
use crate::literal::input::Layout;
use crate::literal::render::MetadataFormat;

const DOWNLOAD: &[&str] = &[
    "download",
    "--from-remote",
    "s3://b/m/inputs.pb",
    "--to-output-prefix",
    "s3://b/m/out",
    "--to-local-dir",
    "/var/flyte/inputs",
    "--format",
    "YAML",
];

fn command(more: &[&'static str]) -> Vec<&'static str> {
    let common = [
        "--storage.limits.maxDownloadMBs=0",
        "--logger.level=4",
        "--storage.container=b",
    ];
    [&common, more].concat()
}

fn settings(global: &Global) -> Settings {
    load(&SettingSources {
        flags: &global.settings,
        environment: &|_| None,
        pattern: global.config.as_deref(),
        default_files: &[],
    })
    .unwrap()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn head_passes_stow_keys() {
    let root = command(&[
        "--storage.enable-multicontainer",
        "--storage.type=stow",
        "--storage.stow.config",
        "auth_type=accesskey",
        "--storage.stow.config",
        "access_key_id=k",
        "--storage.stow.config",
        "secret_key=abc==",
        "--storage.stow.config",
        "endpoint=http://minio:9000",
        "--storage.stow.config",
        "disable_ssl=true",
        "--storage.stow.kind=s3",
    ]);
    let rest = [
        "--file-input-layout",
        "NAMED_DIR",
        "--input-interface",
        "CgA=",
    ];
    let Ok(Invocation::Download(global, request)) = run(&[&root, DOWNLOAD, &rest].concat()) else {
        panic!()
    };
    assert_eq!(request.from_remote, "s3://b/m/inputs.pb");
    assert_eq!(request.to_local_dir.to_str(), Some("/var/flyte/inputs"));
    assert_eq!(
        (request.format, request.layout),
        (MetadataFormat::Yaml, Layout::NamedDir)
    );
    let storage = settings(&global).storage;
    assert!(storage.multicontainer);
    assert_eq!(storage.max_download_mib, 0);
    assert_eq!(
        (storage.store_type.as_str(), storage.container.as_str()),
        ("stow", "b")
    );
    assert_eq!(
        storage.stow_config,
        pairs(&[
            ("access_key_id", "k"),
            ("auth_type", "accesskey"),
            ("disable_ssl", "true"),
            ("endpoint", "http://minio:9000"),
            ("secret_key", "abc=="),
        ])
    );
}

#[test]
fn head_passes_a_secret_as_a_pattern_of_files() {
    let directory = tempfile::tempdir().unwrap();
    // As Kubernetes lays a projected volume: the name is a link into a hidden directory.
    let data = directory.path().join("..2026_08_01");
    std::fs::create_dir(&data).unwrap();
    let text = "storage:\n  type: stow\n  container: c\n  stow:\n    kind: s3\n    config:\n      \
                auth_type: accesskey\n      access_key_id: k\n      secret_key: s\n      disable_ssl: true\n";
    std::fs::write(data.join("copilot-storage-config.yaml"), text).unwrap();
    std::os::unix::fs::symlink(&data, directory.path().join("..data")).unwrap();
    let name = "copilot-storage-config.yaml";
    std::os::unix::fs::symlink(format!("..data/{name}"), directory.path().join(name)).unwrap();
    let pattern = format!("{}/*.yaml", directory.path().display());
    let root = ["--storage.type=stow", "--config", &pattern];
    let Ok(Invocation::Download(global, _)) = run(&[&root, DOWNLOAD].concat()) else {
        panic!()
    };
    let settings = settings(&global);
    assert_eq!(settings.files.len(), 1);
    assert_eq!(settings.storage.container, "c");
    assert_eq!(settings.storage.stow_config["disable_ssl"], "true");
}

#[test]
fn the_maintenance_branch_passes_a_connection() {
    let root = command(&[
        "--storage.type=s3",
        "--storage.connection.secret-key=s",
        "--storage.connection.access-key=k",
        "--storage.connection.auth-type=accesskey",
        "--storage.connection.region=us-east-1",
        "--storage.connection.endpoint=http://minio:9000",
    ]);
    let rest = ["--input-interface", "CgA="];
    let Ok(Invocation::Download(global, request)) = run(&[&root, DOWNLOAD, &rest].concat()) else {
        panic!()
    };
    assert_eq!(request.layout, Layout::Direct);
    let settings = settings(&global);
    assert_eq!(settings.storage.stow_kind, "s3");
    assert_eq!(
        settings.storage.stow_config,
        pairs(&[
            ("access_key_id", "k"),
            ("auth_type", "accesskey"),
            ("endpoint", "http://minio:9000"),
            ("region", "us-east-1"),
            ("secret_key", "s"),
        ])
    );
    assert_eq!(settings.warnings, []);
}

#[test]
fn uploaders_pass_one_timeout_or_the_other() {
    for (flag, text, seconds) in [
        ("--timeout", "1h0m0s", 3600),
        ("--start-timeout", "1m40s", 100),
    ] {
        let arguments = [
            "--storage.type=stow",
            "sidecar",
            flag,
            text,
            "--to-raw-output",
            "s3://b/raw",
            "--to-output-prefix",
            "s3://b/out",
            "--from-local-dir",
            "/var/flyte/outputs",
            "--interface",
            INTERFACE,
        ];
        let Ok(Invocation::Sidecar(_, request)) = run(&arguments) else {
            panic!("{flag}")
        };
        assert_eq!(request.timeout, Some(Duration::from_secs(seconds)));
        let upload = outputs(*request);
        assert_eq!(upload.to_raw_output.as_deref(), Some("s3://b/raw"));
        assert_eq!(upload.from_local_dir.to_str(), Some("/var/flyte/outputs"));
    }
}

#[test]
fn the_first_release_passed_a_doubly_starred_pattern() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("config-data");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(below.join("a.yaml"), "storage: {container: c}\n").unwrap();
    let pattern = format!("{}/config**/*", directory.path().display());
    let Ok(Invocation::Download(global, _)) = run(&[&["--config", &pattern], DOWNLOAD].concat())
    else {
        panic!()
    };
    assert_eq!(settings(&global).storage.container, "c");
}

#[test]
fn lists_with_a_comma_at_the_end_stay_an_error_as_in_the_reference() {
    let message = run(&[&["--storage.stow.config=a=1,b=2,"], DOWNLOAD].concat())
        .unwrap_err()
        .to_string();
    assert!(message.contains("remove the comma"), "{message}");
    let message = run(&[&["--storage.stow.config a=1,"], DOWNLOAD].concat())
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("unknown flag"), "{message}");
}
