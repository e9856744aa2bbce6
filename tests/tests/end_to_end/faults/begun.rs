//! The answer to a request that begins an upload is lost: the store then has an upload whose id we do
//! not know. The server in this process cannot list such uploads, but `MinIO` can.

use std::sync::atomic::{AtomicBool, Ordering};

use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::minio::{MINIO, Minio};
use copilot_tests::requirement::Requirement;
use copilot_tests::site::{Site, bytes, engine, run};

use super::MIB;

fn begins(seen: &Seen) -> bool {
    seen.line.starts_with("POST") && seen.line.ends_with("?uploads=")
}

fn minio() -> Option<(Site, Minio)> {
    let here = Requirement::Emulator(MINIO).is_met();
    here.then(|| (Site::start().unwrap(), Minio::start().unwrap()))
}

fn engine_at(site: &Site, endpoint: &str) -> copilot::transfer::Engine {
    engine(site.settings_with(&[("endpoint", endpoint)]))
}

#[tokio::test]
async fn an_upload_that_began_twice_is_aborted_twice() {
    let Some((site, minio)) = minio() else { return };
    let lost = AtomicBool::new(false);
    let proxy = FaultProxy::start(minio.address(), move |seen| {
        if begins(seen) && !lost.swap(true, Ordering::Relaxed) {
            return Fault::CutAfter(10);
        }
        Fault::None
    })
    .unwrap();
    // An upload of another client, which began before our request. It must stay.
    minio.ask("POST", "data/x?uploads=", b"").unwrap();
    let theirs = minio.unfinished_uploads("x");
    assert_eq!(theirs.len(), 1);
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let data = bytes(20 * MIB, 3);
    let copy = site.upload_of(&data).unwrap();
    run(&engine_at(&site, &proxy.endpoint()), vec![copy])
        .await
        .unwrap();
    let begun = proxy.seen().iter().filter(|seen| begins(seen)).count();
    assert_eq!(begun, 2);
    assert!(minio.get("x").unwrap() == data);
    assert_eq!(minio.unfinished_uploads("x"), theirs);
}

/// All answers to the requests that begin an upload are lost.
#[tokio::test]
async fn an_upload_that_never_began_leaves_nothing() {
    let Some((site, minio)) = minio() else { return };
    let proxy = FaultProxy::start(minio.address(), |seen| {
        if begins(seen) {
            Fault::CutAfter(10)
        } else {
            Fault::None
        }
    })
    .unwrap();
    let copy = site.upload_of(&bytes(20 * MIB, 3)).unwrap();
    let error = run(&engine_at(&site, &proxy.endpoint()), vec![copy])
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("s3://data/x"), "{error}");
    let begun = proxy.seen().iter().filter(|seen| begins(seen)).count();
    assert_eq!(begun, 5, "{error}");
    assert_eq!(minio.unfinished_uploads("x"), [""; 0]);
    assert_eq!(minio.get("x"), None);
}
