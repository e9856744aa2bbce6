//! The local kind of store, with the same engine.

#![cfg(test)]

use std::fs;
use std::path::Path;

use copilot::config::StorageSettings;
use copilot::store::Reference;
use copilot::transfer::{Copy, Stop};
use copilot_tests::binary;
use copilot_tests::site::{bytes, engine, local_file, place};
use futures_util::stream;

fn settings(path: &Path) -> StorageSettings {
    StorageSettings {
        store_type: "local".to_owned(),
        stow_config: [("path".to_owned(), path.display().to_string())].into(),
        container: "data".to_owned(),
        ..StorageSettings::default()
    }
}

#[tokio::test]
async fn files_round_trip() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("store/data")).unwrap();
    let engine = engine(settings(&dir.path().join("store")));
    let reference = |text: &str| Reference::parse(text).unwrap();
    let base = reference("file://data/some prefix");
    let stop = Stop::default();

    let names = ["a", "dir/b", "x#12", "100%", "a\nb", "large", ".hidden"];
    let size = |name: &str| {
        if name == "large" {
            20 << 20
        } else {
            name.len()
        }
    };
    let mut copies = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let path = dir.path().join(index.to_string());
        fs::write(&path, bytes(size(name), index as u64)).unwrap();
        copies.push(Copy::Upload {
            from: local_file(path),
            to: base.join(&[name]).unwrap(),
            resume: None,
        });
    }
    engine.run(stream::iter(copies), &stop).await.unwrap();
    assert!(dir.path().join("store/data/some prefix/dir/b").is_file());

    let copy = Copy::DownloadPrefix {
        from: base.clone(),
        to: place(&dir.path().join("back")),
    };
    let done = engine.run(stream::iter([copy]), &stop).await.unwrap();
    assert_eq!(done.objects, names.len() as u64);
    for (index, name) in names.iter().enumerate() {
        let back = fs::read(dir.path().join("back").join(name)).unwrap();
        assert!(back == bytes(size(name), index as u64), "{name}");
    }
    // The store contains nothing unfinished.
    assert_eq!(
        fs::read_dir(dir.path().join("store/data/some prefix"))
            .unwrap()
            .count(),
        names.len()
    );

    // The same object by its absolute path.
    let absolute = dir.path().join("store/data/some prefix/a");
    let absolute = reference(&format!("file://{}", absolute.display()));
    assert_eq!(engine.read(&absolute, 10, &stop).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_missing_container_is_named_and_not_created() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(settings(dir.path()));
    let reference = Reference::parse("file://data/x").unwrap();
    let stop = Stop::default();
    let error = engine
        .write(&reference, "x".into(), &stop)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("file://data/x") && error.contains("never creates one"),
        "{error}"
    );
    assert!(!dir.path().join("data").exists());

    fs::create_dir(dir.path().join("data")).unwrap();
    fs::create_dir(dir.path().join("data/x")).unwrap();
    for text in [
        "file://data/nothing",
        "file://data/x",
        "file://data/x/../../secret",
    ] {
        let error = engine
            .read(&Reference::parse(text).unwrap(), 10, &stop)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }
    let copy = Copy::DownloadPrefix {
        from: Reference::parse("file://data/none").unwrap(),
        to: place(&dir.path().join("in")),
    };
    let done = engine.run(stream::iter([copy]), &stop).await.unwrap();
    assert_eq!(done.empty_prefixes.len(), 1);
}

/// The store in memory, which lives as long as the process: an engine can read what it has written.
#[tokio::test]
async fn memory_holds_what_a_process_writes() {
    let dir = tempfile::tempdir().unwrap();
    let memory = engine(StorageSettings {
        store_type: "mem".to_owned(),
        ..StorageSettings::default()
    });
    let base = Reference::parse("mem://anywhere/some prefix").unwrap();
    let stop = Stop::default();
    let names = ["a", "dir/b", "x#12", "100%", "large", "empty"];
    let content = |name: &str| match name {
        "large" => bytes(20 << 20, 1),
        "empty" => Vec::new(),
        name => name.as_bytes().to_vec(),
    };
    let copies = names.map(|name| {
        let path = dir.path().join(name.replace('/', "-"));
        fs::write(&path, content(name)).unwrap();
        Copy::Upload {
            from: local_file(path),
            to: base.join(&[name]).unwrap(),
            resume: None,
        }
    });
    memory.run(stream::iter(copies), &stop).await.unwrap();
    let copy = Copy::DownloadPrefix {
        from: base.clone(),
        to: place(&dir.path().join("back")),
    };
    let done = memory.run(stream::iter([copy]), &stop).await.unwrap();
    assert_eq!(done.objects, names.len() as u64);
    for name in names {
        let back = fs::read(dir.path().join("back").join(name)).unwrap();
        assert!(back == content(name), "{name}");
    }
    let gone = base.join(&["a"]).unwrap();
    memory
        .remove_stale(std::slice::from_ref(&gone), &stop)
        .await
        .unwrap();
    let error = memory.read(&gone, 10, &stop).await.unwrap_err().to_string();
    for part in ["mem://anywhere/some prefix/a", "does not exist"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

/// A run of the program cannot read what another one wrote there, and both say so.
#[test]
fn the_program_warns_of_a_store_that_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = binary::command();
    command.args(["--storage.type=mem", "download"]);
    command.args(["--from-remote", "mem://data/inputs.pb"]);
    command.args(["--to-output-prefix", "mem://data/out"]);
    let ended = binary::run(command.arg("--to-local-dir").arg(dir.path().join("in")));
    assert_eq!(ended.code(), 1, "{}", ended.stderr);
    let message = ended.message();
    assert!(message.contains("mem://data/inputs.pb"), "{message}");
    assert!(
        message.contains("this process wrote no object"),
        "{message}"
    );
    let warned = ended.stderr.contains("its objects end with it");
    assert!(warned, "{}", ended.stderr);
}
