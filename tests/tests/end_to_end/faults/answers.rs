//! Answers that say that the server failed: whatever the status, and whatever was asked, the request is
//! sent again.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use copilot::transfer::{Copy, Stop};
use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::site::{Site, bytes, object, prefix, run, upload};

use super::MIB;

/// One kind of request, by its line.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Get,
    Put,
    Begin,
    Part,
    Complete,
    List,
    Delete,
}

const KINDS: [Kind; 7] = [
    Kind::Get,
    Kind::Put,
    Kind::Begin,
    Kind::Part,
    Kind::Complete,
    Kind::List,
    Kind::Delete,
];

impl Kind {
    fn is(self, seen: &Seen) -> bool {
        let line = &seen.line;
        match self {
            Self::Get => line.starts_with("GET /data/dir/x"),
            Self::Put => line.starts_with("PUT /data/small"),
            Self::Begin => line.starts_with("POST") && line.ends_with("?uploads="),
            Self::Part => line.contains("partNumber=2"),
            Self::Complete => line.starts_with("POST") && line.contains("uploadId="),
            Self::List => line.contains("list-type=2"),
            Self::Delete => line.starts_with("DELETE /data/stale"),
        }
    }
}

/// Reads, writes, lists and deletes, through a proxy that answers the first request of this kind like this.
async fn survives(site: &Site, kind: Kind, fault: Fault) {
    let case = format!("{kind:?}, {fault:?}");
    fs::create_dir_all(site.server.file("data", "dir")).unwrap();
    fs::write(site.server.file("data", "dir/x"), "content").unwrap();
    fs::write(site.server.file("data", "stale"), "").unwrap();
    let met = AtomicBool::new(false);
    let proxy = FaultProxy::start(site.server.address(), move |seen| {
        if kind.is(seen) && !met.swap(true, Ordering::Relaxed) {
            return fault.clone();
        }
        Fault::None
    })
    .unwrap();
    let engine = site.engine_through(&proxy.endpoint());
    let copies: Vec<Copy> = match kind {
        Kind::Get | Kind::List => vec![prefix("dir", &site.work("in"))],
        Kind::Put => vec![upload(&site.work("small"), "small")],
        Kind::Begin | Kind::Part | Kind::Complete => vec![upload(&site.work("large"), "large")],
        Kind::Delete => {
            let removed = engine
                .remove_stale(&[object("stale")], &Stop::default())
                .await;
            removed.unwrap_or_else(|error| panic!("{case}: {error}"));
            Vec::new()
        }
    };
    let done = run(&engine, copies).await;
    done.unwrap_or_else(|error| panic!("{case}: {error}"));
    let asked = proxy.seen().iter().filter(|seen| kind.is(seen)).count();
    assert_eq!(asked, 2, "{case}");
    for name in ["small", "large"] {
        let sent = fs::read(site.server.file("data", name));
        assert!(
            sent.is_err() || sent.unwrap() == fs::read(site.work(name)).unwrap(),
            "{case}"
        );
    }
}

fn site() -> Site {
    let site = Site::start().unwrap();
    fs::write(site.work("small"), "small").unwrap();
    fs::write(site.work("large"), bytes(9 * MIB, 3)).unwrap();
    site
}

#[tokio::test]
async fn any_failure_of_a_server_is_tried_again() {
    let site = site();
    for (index, status) in [
        408, 425, 429, 500, 502, 503, 504, 507, 520, 522, 524, 529, 530, 598,
    ]
    .into_iter()
    .enumerate()
    {
        // Each status with some kinds, each kind with some statuses.
        for kind in [KINDS[index % 7], KINDS[(index * 3 + 1) % 7]] {
            survives(&site, kind, Fault::Say(status, "<html>error</html>")).await;
        }
    }
    for kind in KINDS {
        survives(&site, kind, Fault::Say(520, "<html>error</html>")).await;
    }
}

/// A store that has sent the head of a success, and fails then.
#[tokio::test]
async fn a_failure_in_the_body_of_a_success_is_tried_again() {
    let site = site();
    for code in ["InternalError", "SlowDown", "NobodyKnowsThis"] {
        for kind in [Kind::Begin, Kind::Complete, Kind::List, Kind::Put] {
            survives(&site, kind, Fault::Refuse(200, code)).await;
        }
    }
}

#[tokio::test]
async fn what_a_server_does_not_implement_is_final() {
    let site = site();
    for status in [501, 505] {
        let proxy = FaultProxy::start(site.server.address(), move |_| Fault::Answer(status, ""));
        let proxy = proxy.unwrap();
        let engine = site.engine_through(&proxy.endpoint());
        let error = run(&engine, vec![upload(&site.work("small"), "small")]).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(&status.to_string()), "{error}");
        assert_eq!(proxy.seen().len(), 1, "{status}");
    }
}
