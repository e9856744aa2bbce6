//! A store that restarts while we use it.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use copilot::idl::blob_type::BlobDimensionality::Multipart;
use copilot_tests::binary;
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::{Site, bytes, download, run};
use copilot_tests::task::{Task, blob, blob_type, interface};

use super::MIB;

/// Longer than a host that never answered is waited for.
const AWAY: Duration = Duration::from_secs(4);

/// Goes away once, at the request of this number.
fn restarting(upstream: std::net::SocketAddr, at: usize) -> FaultProxy {
    let gone = AtomicBool::new(false);
    let choose = move |seen: &copilot_tests::fault::Seen| {
        if seen.index >= at && !gone.swap(true, Ordering::Relaxed) {
            return Fault::Away(AWAY);
        }
        Fault::None
    };
    FaultProxy::start(upstream, choose).unwrap()
}

/// Down and up, with the program's own limits.
#[test]
fn a_store_that_restarts_is_waited_for() {
    let task = Task::start().unwrap();
    for name in 0..20 {
        task.put(&format!("task/in/dir/{name}"), bytes(1000, name));
    }
    task.put_inputs([("dir", blob("s3://data/task/in/dir", Multipart))]);
    let proxy = restarting(task.site.server.address(), 5);
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let mut command = task.download();
    let ended = binary::run(command.args(["--storage.stow.config", &endpoint]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let away = |seen: &copilot_tests::fault::Seen| matches!(seen.fault, Fault::Away(_));
    assert!(proxy.seen().iter().any(away));

    task.write_output("o/large", bytes(20 * MIB, 1));
    task.write_output("o/small", "small");
    let proxy = restarting(task.site.server.address(), 3);
    let endpoint = format!("endpoint={}", proxy.endpoint());
    let mut command = task.sidecar(&interface([("o", blob_type(Multipart))]));
    let ended = binary::run(command.args(["--storage.stow.config", &endpoint]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(proxy.seen().iter().any(away));
    assert!(task.outputs().is_some());
}

/// The same in the middle of bodies.
#[tokio::test]
async fn a_body_that_breaks_with_its_server_is_resumed() {
    let site = Site::start().unwrap();
    let data = bytes(40 * MIB, 7);
    run(&site.engine(), vec![site.upload_of(&data).unwrap()])
        .await
        .unwrap();
    let proxy = restarting(site.server.address(), 2);
    let engine = site.persistent_engine_through(&proxy.endpoint());
    let to = site.work("in/x");
    run(&engine, vec![download("x", &to)]).await.unwrap();
    assert!(fs::read(&to).unwrap() == data);
}
