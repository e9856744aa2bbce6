//! Permanent faults: a clear error, and nothing incomplete.

use std::fs;
use std::path::Path;

use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::{Site, bytes, download, names, run};

use super::MIB;

#[tokio::test]
async fn a_permanent_refusal_is_an_error_with_the_number_of_tries() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |_| Fault::Answer(503, "")).unwrap();
    let to = site.work("in/x");
    let copy = download("x", &to);
    let error = run(&site.engine_through(&proxy.endpoint()), vec![copy])
        .await
        .unwrap_err();
    assert!(error.store_error().unwrap().recoverable());
    let error = error.to_string();
    for part in ["s3://data/x", &proxy.endpoint(), "503", "5 attempts"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(proxy.seen().len(), 5);
    assert!(!to.parent().unwrap().exists());
}

#[tokio::test]
async fn a_broken_upload_is_aborted() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |seen| {
        if seen.line.contains("partNumber=3") {
            Fault::Answer(500, "")
        } else {
            Fault::None
        }
    })
    .unwrap();
    let copy = site.upload_of(&bytes(30 * MIB, 1)).unwrap();
    let error = run(&site.engine_through(&proxy.endpoint()), vec![copy])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("500"), "{error}");
    assert!(
        proxy
            .seen()
            .iter()
            .any(|seen| seen.line.starts_with("DELETE"))
    );
    assert!(site.server.unfinished_uploads().unwrap().is_empty());
    assert!(!site.server.file("data", "x").exists());
}

/// It changes once: it is read anew. It never rests: an error says so.
#[tokio::test]
async fn an_object_that_changes_is_read_anew_or_refused() {
    for changes in [1, usize::MAX] {
        let site = Site::start().unwrap();
        run(
            &site.engine(),
            vec![site.upload_of(&bytes(20 * MIB, 1)).unwrap()],
        )
        .await
        .unwrap();
        let path = site.server.file("data", "x");
        let proxy = FaultProxy::start(site.server.address(), move |seen| {
            if (1..=changes).contains(&seen.index) {
                replace(&path, &bytes(20 * MIB, seen.index as u64 + 1));
            }
            match seen.index {
                1.. if changes > 1 => Fault::CutAfter(2 * MIB),
                _ => Fault::None,
            }
        })
        .unwrap();
        let to = site.work("in/x");
        let copy = download("x", &to);
        let read = run(&site.engine_through(&proxy.endpoint()), vec![copy]).await;
        if changes == 1 {
            read.unwrap();
            assert!(fs::read(&to).unwrap() == bytes(20 * MIB, 2));
            continue;
        }
        let error = read.unwrap_err().to_string();
        assert!(error.contains("changed while it was read"), "{error}");
        assert_eq!(names(to.parent().unwrap()).len(), 0);
    }
}

/// Writes an object as an upload by another client would: it then has another `ETag`.
fn replace(path: &Path, data: &[u8]) {
    for entry in fs::read_dir(path.parent().unwrap().parent().unwrap()).unwrap() {
        let name = entry.unwrap().path();
        if name.extension().is_some_and(|ending| ending == "json") {
            // Another request may have removed it.
            let _ = fs::remove_file(name);
        }
    }
    fs::write(path, data).unwrap();
}

#[tokio::test]
async fn a_file_that_changes_during_its_upload_is_an_error() {
    for (before, after) in [(20 * MIB, 10 * MIB), (20 * MIB, 21 * MIB)] {
        let site = Site::start().unwrap();
        let copy = site.upload_of(&bytes(before, 1)).unwrap();
        let file = site.work("there");
        let proxy = FaultProxy::start(site.server.address(), move |seen| {
            if seen.line.contains("uploads") {
                let file = fs::OpenOptions::new().write(true).open(&file).unwrap();
                file.set_len(after as u64).unwrap();
            }
            Fault::None
        })
        .unwrap();
        let error = run(&site.engine_through(&proxy.endpoint()), vec![copy])
            .await
            .unwrap_err();
        let error = error.to_string();
        assert!(error.contains(&format!("{before} bytes")), "{error}");
        assert!(error.contains(&after.to_string()), "{error}");
        assert!(site.server.unfinished_uploads().unwrap().is_empty());
        assert!(!site.server.file("data", "x").exists());
    }
}
