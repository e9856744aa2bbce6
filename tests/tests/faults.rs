//! A network that fails: what can be mended is, what cannot is a clear error, and nothing is left.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use copilot::store::{Environment, Network, Reference, Stores};
use copilot::transfer::{Copy, Engine, Limits, Stop, Stopped, TransferError};
use copilot_tests::fault::{Fault, FaultProxy, Seen};
use copilot_tests::site::{Site, bytes, engine, local_file, object};
use futures_util::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

const MIB: usize = 1 << 20;

fn download(site: &Site) -> (PathBuf, Copy) {
    let to = site.work("in/x");
    let copy = Copy::Download {
        from: object("x"),
        to: to.clone(),
        size: None,
    };
    (to, copy)
}

fn upload(site: &Site, data: &[u8]) -> Copy {
    fs::write(site.work("there"), data).unwrap();
    Copy::Upload {
        from: local_file(site.work("there")),
        to: object("x"),
    }
}

async fn run(engine: &Engine, copy: Copy) -> Result<(), TransferError> {
    engine
        .run(stream::iter([copy]), &Stop::default())
        .await
        .map(|_| ())
}

fn entries(dir: &Path) -> usize {
    fs::read_dir(dir).map_or(0, Iterator::count)
}

/// Downloads an object of this size through a proxy that misbehaves.
async fn survives_down(
    size: usize,
    fault: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
) -> Vec<Seen> {
    let site = Site::start().unwrap();
    let data = bytes(size, 7);
    // Through the server, which then knows the object's ETag.
    run(&site.engine(), upload(&site, &data)).await.unwrap();
    let proxy = FaultProxy::start(site.server.address(), fault).unwrap();
    let (to, copy) = download(&site);
    let engine = site.impatient_engine_through(&proxy.endpoint());
    run(&engine, copy).await.unwrap();
    assert!(fs::read(&to).unwrap() == data);
    assert_eq!(entries(to.parent().unwrap()), 1);
    proxy.seen()
}

/// Uploads a file of this size through a proxy that misbehaves.
async fn survives_up(
    size: usize,
    fault: impl Fn(&Seen) -> Fault + Send + Sync + 'static,
) -> Vec<Seen> {
    let site = Site::start().unwrap();
    let data = bytes(size, 7);
    let proxy = FaultProxy::start(site.server.address(), fault).unwrap();
    run(
        &site.engine_through(&proxy.endpoint()),
        upload(&site, &data),
    )
    .await
    .unwrap();
    assert!(fs::read(site.server.file("data", "x")).unwrap() == data);
    assert!(site.server.unfinished_uploads().unwrap().is_empty());
    proxy.seen()
}

#[tokio::test]
async fn a_body_that_breaks_goes_on_from_there() {
    let seen = survives_down(MIB, |seen| match seen.index {
        0 => Fault::CutAfter(300_000),
        1 => Fault::CutAfter(200_000),
        _ => Fault::None,
    })
    .await;
    assert_eq!(seen.len(), 3);
    // The first answer's head is less than 1000 bytes; the rest of it arrived and is not sent again.
    let from = |seen: &Seen| {
        let head = seen.head.to_lowercase();
        let range = head.split("range: bytes=").nth(1).unwrap();
        range.split('-').next().unwrap().parse::<usize>().unwrap()
    };
    assert!(
        (299_000..300_000).contains(&from(&seen[1])),
        "{}",
        seen[1].head
    );
    assert!(
        (498_000..500_000).contains(&from(&seen[2])),
        "{}",
        seen[2].head
    );
    for resumed in &seen[1..] {
        assert!(
            resumed.head.to_lowercase().contains("if-match: "),
            "{}",
            resumed.head
        );
    }
}

#[tokio::test]
async fn every_range_of_a_large_object_may_break() {
    survives_down(40 * MIB, |seen| match seen.index % 3 {
        0 => Fault::CutAfter(3 * MIB),
        _ => Fault::None,
    })
    .await;
}

#[tokio::test]
async fn a_body_that_stalls_goes_on_elsewhere() {
    let seen = survives_down(MIB, |seen| match seen.index {
        0 => Fault::StallAfter(300_000),
        1 => Fault::StallAfter(0),
        _ => Fault::None,
    })
    .await;
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn refusals_that_pass_are_waited_out() {
    let begun = Instant::now();
    let seen = survives_down(1000, |seen| match seen.index {
        0 => Fault::Answer(503, "Retry-After: 1\r\n"),
        1 => Fault::Answer(429, ""),
        2 => Fault::Answer(500, ""),
        3 => Fault::Hangup,
        _ => Fault::None,
    })
    .await;
    assert_eq!(seen.len(), 5);
    assert!(begun.elapsed() >= Duration::from_secs(1), "Retry-After");
}

#[tokio::test]
async fn uploads_survive_what_passes() {
    survives_up(1000, |seen| match seen.index {
        0 => Fault::Answer(503, ""),
        1 => Fault::Hangup,
        // The object was written, the answer lost.
        2 => Fault::CutAfter(10),
        _ => Fault::None,
    })
    .await;
    survives_up(20 * MIB, |seen| match seen.index {
        1 | 2 => Fault::Answer(500, ""),
        3 => Fault::Hangup,
        _ => Fault::None,
    })
    .await;
}

/// The store put the object together, but we do not hear of it: the upload is gone when we ask again.
#[tokio::test]
async fn a_lost_answer_to_the_last_request_is_no_failure() {
    let lost = std::sync::atomic::AtomicBool::new(false);
    survives_up(20 * MIB, move |seen| {
        let completing = seen.line.starts_with("POST") && seen.line.contains("uploadId");
        if completing && !lost.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return Fault::CutAfter(10);
        }
        Fault::None
    })
    .await;
}

#[tokio::test]
async fn a_refusal_that_stays_is_an_error_that_counts() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |_| Fault::Answer(503, "")).unwrap();
    let (to, copy) = download(&site);
    let error = run(&site.engine_through(&proxy.endpoint()), copy)
        .await
        .unwrap_err();
    assert!(error.recoverable());
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
    let copy = upload(&site, &bytes(30 * MIB, 1));
    let error = run(&site.engine_through(&proxy.endpoint()), copy)
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

/// With the numbers that users get.
#[tokio::test]
async fn a_closed_port_is_told_soon() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let site = Site::start().unwrap();
    let settings = site.settings_with(&[("endpoint", &endpoint)]);
    let stores = Stores::new(settings, Network::default(), Environment::default());
    let engine = Engine::new(stores.into(), Limits::within(None));
    let begun = Instant::now();
    let error = run(&engine, download(&site).1).await.unwrap_err();
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    assert!(error.recoverable());
    let error = error.to_string();
    for part in ["s3://data/x", &endpoint, "Connection refused"] {
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_no_s3_is_told() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |_| Fault::Answer(200, "")).unwrap();
    let engine = site.engine_through(&proxy.endpoint());
    let copy = Copy::DownloadPrefix {
        from: object("x"),
        to: site.work("in"),
    };
    let error = run(&engine, copy).await.unwrap_err().to_string();
    assert!(error.contains("is the endpoint an S3 server?"), "{error}");
    let proxy = FaultProxy::start(site.server.address(), |_| {
        Fault::Answer(301, "x-amz-bucket-region: eu-west-1\r\n")
    })
    .unwrap();
    let error = run(&site.engine_through(&proxy.endpoint()), download(&site).1).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("region=eu-west-1"), "{error}");
}

#[tokio::test]
async fn an_object_that_changes_while_it_is_read_is_told() {
    let site = Site::start().unwrap();
    run(&site.engine(), upload(&site, &bytes(20 * MIB, 1)))
        .await
        .unwrap();
    let path = site.server.file("data", "x");
    let proxy = FaultProxy::start(site.server.address(), move |seen| {
        if seen.index == 1 {
            // As somebody else's upload would, with another ETag for the ranges to come.
            for entry in fs::read_dir(path.parent().unwrap().parent().unwrap()).unwrap() {
                let name = entry.unwrap().path();
                if name
                    .extension()
                    .is_some_and(|extension| extension == "json")
                {
                    fs::remove_file(name).unwrap();
                }
            }
            fs::write(&path, bytes(20 * MIB, 2)).unwrap();
        }
        Fault::None
    })
    .unwrap();
    let (to, copy) = download(&site);
    let error = run(&site.engine_through(&proxy.endpoint()), copy)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("changed while it was read"),
        "{error}"
    );
    assert_eq!(entries(to.parent().unwrap()), 0);
}

#[tokio::test]
async fn a_file_that_changes_while_it_goes_up_is_told() {
    for (before, after) in [(20 * MIB, 10 * MIB), (20 * MIB, 21 * MIB)] {
        let site = Site::start().unwrap();
        let copy = upload(&site, &bytes(before, 1));
        let file = site.work("there");
        let proxy = FaultProxy::start(site.server.address(), move |seen| {
            if seen.line.contains("uploads") {
                let file = fs::OpenOptions::new().write(true).open(&file).unwrap();
                file.set_len(after as u64).unwrap();
            }
            Fault::None
        })
        .unwrap();
        let error = run(&site.engine_through(&proxy.endpoint()), copy)
            .await
            .unwrap_err();
        let error = error.to_string();
        assert!(error.contains(&format!("{before} bytes")), "{error}");
        assert!(error.contains(&after.to_string()), "{error}");
        assert!(site.server.unfinished_uploads().unwrap().is_empty());
        assert!(!site.server.file("data", "x").exists());
    }
}

/// Stops a copy when the proxy has seen `requests` requests, of which the last one hangs.
async fn stopped_at(
    site: &Site,
    copy: Copy,
    requests: usize,
    stop: &Stop,
    token: &CancellationToken,
) {
    let token = token.clone();
    let proxy = FaultProxy::start(site.server.address(), move |seen| {
        if seen.line.starts_with("DELETE") || seen.index + 1 < requests {
            return Fault::None;
        }
        token.cancel();
        Fault::StallAfter(100)
    })
    .unwrap();
    let engine = site.engine_through(&proxy.endpoint());
    let begun = Instant::now();
    let error = engine.run(stream::iter([copy]), stop).await.unwrap_err();
    assert!(
        begun.elapsed() < Duration::from_millis(900),
        "{:?}",
        begun.elapsed()
    );
    assert!(error.stopped.is_some(), "{error}");
    assert!(error.failures.is_empty(), "{error}");
}

#[tokio::test]
async fn cancellation_leaves_nothing() {
    for requests in 1..=4 {
        let site = Site::start().unwrap();
        run(&site.engine(), upload(&site, &bytes(40 * MIB, 1)))
            .await
            .unwrap();
        let token = CancellationToken::new();
        let (to, copy) = download(&site);
        stopped_at(
            &site,
            copy,
            requests,
            &Stop::new(token.clone(), None),
            &token,
        )
        .await;
        assert_eq!(entries(to.parent().unwrap()), 0);
    }
    // From the second request on the upload has begun.
    for requests in 2..=5 {
        let site = Site::start().unwrap();
        let token = CancellationToken::new();
        let copy = upload(&site, &bytes(40 * MIB, 1));
        stopped_at(
            &site,
            copy,
            requests,
            &Stop::new(token.clone(), None),
            &token,
        )
        .await;
        assert!(
            site.server.unfinished_uploads().unwrap().is_empty(),
            "{requests}"
        );
        assert!(!site.server.file("data", "x").exists());
    }
}

#[tokio::test]
async fn the_deadline_reaches_a_listing_and_a_plan_that_waits() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |_| Fault::StallAfter(0)).unwrap();
    let engine = site.engine_through(&proxy.endpoint());
    let soon = || {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(200);
        Stop::new(CancellationToken::new(), Some(deadline))
    };
    let copy = Copy::DownloadPrefix {
        from: object("x"),
        to: site.work("in"),
    };
    let error = engine.run(stream::iter([copy]), &soon()).await.unwrap_err();
    assert_eq!(error.stopped, Some(Stopped::Deadline));
    assert!(error.to_string().contains("--timeout"), "{error}");

    let error = engine
        .run(stream::pending().boxed(), &soon())
        .await
        .unwrap_err();
    assert_eq!(error.stopped, Some(Stopped::Deadline));
    let error = engine.read(&object("x"), 10, &soon()).await.unwrap_err();
    assert!(error.to_string().contains("--timeout"), "{error}");
}

#[tokio::test]
async fn the_first_failure_stops_the_rest() {
    let site = Site::start().unwrap();
    let copies = stream::iter(0..).map(|number: u64| Copy::Download {
        from: object(&format!("nothing/{number}")),
        to: site.work(&number.to_string()),
        size: None,
    });
    let error = site
        .engine()
        .run(copies, &Stop::default())
        .await
        .unwrap_err();
    assert_eq!(error.stopped, None);
    assert!((1..=16).contains(&error.failed), "{error}");
    assert_eq!(error.failures.len() as u64, error.failed);
}

#[tokio::test]
async fn files_that_cannot_be_read_are_named() {
    let site = Site::start().unwrap();
    fs::create_dir(site.work("dir")).unwrap();
    for name in ["nothing", "dir"] {
        let copy = Copy::Upload {
            from: local_file(site.work(name)),
            to: object("x"),
        };
        let error = run(&site.engine(), copy).await.unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

/// `iam` with nothing to take credentials from does not hang on a metadata service.
#[tokio::test]
async fn no_credentials_are_told_soon() {
    let site = Site::start().unwrap();
    let mut settings = site.settings_with(&[("auth_type", "iam")]);
    settings.stow_config.remove("access_key_id");
    let error = run(&engine(settings.clone()), download(&site).1)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("AWS_EC2_METADATA_DISABLED"),
        "{error}"
    );

    let metadata = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
    let environment = [metadata].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let stores = Stores::new(
        settings,
        Network::default(),
        environment.into_iter().collect(),
    );
    let engine = Engine::new(stores.into(), Limits::within(None));
    let begun = Instant::now();
    let error = run(&engine, download(&site).1)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        error.contains("no AWS credentials could be fetched"),
        "{error}"
    );
    assert!(error.contains("refused"), "{error}");
}

/// Web inputs: the status counts, redirects are followed, a broken body is begun anew.
#[tokio::test]
async fn web_addresses_are_inputs_whose_status_counts() {
    let site = Site::start().unwrap();
    let web = FaultProxy::start(site.server.address(), |seen| match seen.line.as_str() {
        "GET /moved" => Fault::Answer(302, "Location: /empty?x=1\r\n"),
        "GET /empty?x=1" => Fault::Answer(200, ""),
        "GET /loop" => Fault::Answer(307, "Location: /loop\r\n"),
        "GET /away" => Fault::Answer(301, "Location: file:///etc/passwd\r\n"),
        "GET /403" => Fault::Answer(403, ""),
        _ => Fault::Answer(404, ""),
    })
    .unwrap();
    let engine = site.engine();
    let get = async |path: &str| {
        let copy = Copy::Download {
            from: Reference::parse(&format!("{}{path}", web.endpoint())).unwrap(),
            to: site.work("in/x"),
            size: None,
        };
        run(&engine, copy).await
    };
    get("/moved").await.unwrap();
    assert_eq!(fs::read(site.work("in/x")).unwrap(), b"");
    fs::remove_dir_all(site.work("in")).unwrap();
    for (path, told) in [
        ("/403", "403"),
        ("/nothing", "404"),
        ("/loop", "redirects"),
        ("/away", "neither http nor https"),
    ] {
        let error = get(path).await.unwrap_err().to_string();
        assert!(error.contains(told), "{path}: {error}");
    }
    assert!(!site.work("in").exists());
    let listing = Copy::DownloadPrefix {
        from: Reference::parse(&web.endpoint()).unwrap(),
        to: site.work("dir"),
    };
    let error = run(&engine, listing).await.unwrap_err().to_string();
    assert!(error.contains("listing a web address"), "{error}");
}
