//! Errors name the object, the store, the cause and the solution.

#![cfg(test)]

use std::fs;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use copilot::store::{Environment, Network, Reference, StoreError, Stores};
use copilot::transfer::{Copy, CopyError, Engine, Stop, TransferLimits};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::{
    Site, bytes, download, engine, local_file, names, object, place, prefix, run,
};
use futures_util::stream::{self, StreamExt as _};
use tokio::net::TcpSocket;

/// A failure that needs no waiting is told within this time: far less than the two minutes for which the
/// program retries, and enough for a busy machine.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_is_missing_or_refused_is_named() {
    let site = Site::start().unwrap();
    fs::write(site.server.file("data", "x"), "x").unwrap();
    let read = async |engine: Engine, text: &str| {
        let from = Reference::parse(text).unwrap();
        let error = engine.read(&from, 100, &Stop::default()).await.unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert!(!error.to_string().contains("test-secret-key"), "{error}");
        match error {
            CopyError::Store(error) => error,
            other => panic!("{other}"),
        }
    };
    let missing = read(site.engine(), "s3://data/nothing").await;
    assert!(matches!(missing, StoreError::NotFound { .. }), "{missing}");
    assert!(
        missing.to_string().contains(&site.server.endpoint),
        "{missing}"
    );
    assert!(!missing.recoverable());

    let mut settings = site.settings();
    settings.multicontainer = true;
    let bucket = read(engine(settings), "s3://elsewhere/x").await;
    assert!(matches!(bucket, StoreError::NoContainer { .. }), "{bucket}");

    let wrong = site.settings_with(&[("secret_key", "not-it")]);
    let wrong = read(engine(wrong), "s3://data/x").await;
    assert!(
        matches!(wrong, StoreError::BadCredentials { .. }),
        "{wrong}"
    );
    assert!(!wrong.to_string().contains("not-it"), "{wrong}");
    let unknown = site.settings_with(&[("access_key_id", "who")]);
    let unknown = read(engine(unknown), "s3://data/x").await;
    assert!(
        matches!(unknown, StoreError::BadCredentials { .. }),
        "{unknown}"
    );
    assert!(unknown.to_string().contains("access_key_id"), "{unknown}");
}

#[tokio::test]
async fn a_missing_object_leaves_nothing_and_stops_the_rest() {
    let site = Site::start().unwrap();
    let to = site.work("in");
    let failed = run(&site.engine(), vec![download("nothing", &to.join("a/b"))]).await;
    let failed = failed.unwrap_err();
    assert_eq!((failed.failed, failed.stopped), (1, None));
    assert!(failed.to_string().contains("s3://data/nothing"), "{failed}");
    assert!(!to.exists());
}

#[tokio::test]
async fn uploads_to_a_missing_bucket_fail_and_make_none() {
    let site = Site::start().unwrap();
    let mut settings = site.settings();
    settings.container = "elsewhere".to_owned();
    let engine = engine(settings);
    for size in [10, (8 << 20) + 1] {
        fs::write(site.work("x"), bytes(size, 1)).unwrap();
        let to = Reference::parse("s3://elsewhere/x").unwrap();
        let from = local_file(site.work("x"));
        let failed = run(
            &engine,
            vec![Copy::Upload {
                from,
                to,
                resume: None,
            }],
        )
        .await
        .unwrap_err();
        assert!(failed.to_string().contains("s3://elsewhere/x"), "{failed}");
    }
    assert!(!site.server.file("elsewhere", "").exists());
}

#[tokio::test]
async fn max_download_is_kept_and_named() {
    let site = Site::start().unwrap();
    fs::write(site.server.file("data", "big"), bytes(3 << 20, 1)).unwrap();
    fs::create_dir(site.server.file("data", "dir")).unwrap();
    fs::write(site.server.file("data", "dir/big"), bytes(3 << 20, 1)).unwrap();
    let mut settings = site.settings();
    settings.max_download_mib = 2;
    let limited = engine(settings.clone());
    for copy in [
        download("big", &site.work("out/big")),
        prefix("dir", &site.work("dir")),
    ] {
        let failed = run(&limited, vec![copy]).await.unwrap_err().to_string();
        for part in ["3.000000 MiB", "2 MiB", "maxDownloadMBs", "big"] {
            assert!(failed.contains(part), "{failed}");
        }
    }
    assert!(!site.work("out").exists());
    settings.max_download_mib = 3;
    run(&engine(settings), vec![download("big", &site.work("big"))])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_file_where_a_directory_must_be_is_an_error() {
    let site = Site::start().unwrap();
    fs::write(site.server.file("data", "x"), "x").unwrap();
    fs::write(site.work("file"), "").unwrap();
    fs::create_dir(site.work("dir")).unwrap();
    for to in ["file/x", "dir"] {
        let failed = run(&site.engine(), vec![download("x", &site.work(to))]).await;
        let failed = failed.unwrap_err().to_string();
        assert!(failed.contains(to), "{failed}");
    }
    assert!(names(&site.work("dir")).is_empty());
    assert_eq!(names(&site.work("")), ["dir", "file"]);
}

/// With the default settings.
#[tokio::test]
async fn a_closed_port_is_reported_soon() {
    // Bound and not listening: nothing else can take the port.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    let site = Site::start().unwrap();
    let settings = site.settings_with(&[("endpoint", &endpoint)]);
    let stores = Stores::new(settings, Network::default(), Environment::default());
    let engine = Engine::new(stores.into(), TransferLimits::within(None));
    let begun = Instant::now();
    let error = run(&engine, vec![download("x", &site.work("in/x"))])
        .await
        .unwrap_err();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert!(error.store_error().unwrap().recoverable());
    let error = error.to_string();
    for part in ["s3://data/x", &endpoint, "Connection refused"] {
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_without_s3_is_reported() {
    let site = Site::start().unwrap();
    let proxy = FaultProxy::start(site.server.address(), |_| Fault::Answer(200, "")).unwrap();
    let engine = site.engine_through(&proxy.endpoint());
    let copy = Copy::DownloadPrefix {
        from: object("x"),
        to: place(&site.work("in")),
    };
    let error = run(&engine, vec![copy]).await.unwrap_err().to_string();
    assert!(error.contains("is the endpoint an S3 server?"), "{error}");
    let proxy = FaultProxy::start(site.server.address(), |_| {
        Fault::Answer(301, "x-amz-bucket-region: eu-west-1\r\n")
    })
    .unwrap();
    let error = run(
        &site.engine_through(&proxy.endpoint()),
        vec![download("x", &site.work("in/x"))],
    )
    .await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("region=eu-west-1"), "{error}");
}

#[tokio::test]
async fn the_first_failure_stops_the_rest() {
    let site = Site::start().unwrap();
    let copies = stream::iter(0..).map(|number: u64| Copy::Download {
        from: object(&format!("nothing/{number}")),
        to: place(&site.work(&number.to_string())),
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
            resume: None,
        };
        let error = run(&site.engine(), vec![copy])
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(name), "{error}");
    }
}

/// `iam` without a source of credentials does not wait for a metadata service.
#[tokio::test]
async fn missing_credentials_are_reported_soon() {
    let site = Site::start().unwrap();
    let mut settings = site.settings_with(&[("auth_type", "iam")]);
    settings.stow_config.remove("access_key_id");
    let error = run(
        &engine(settings.clone()),
        vec![download("x", &site.work("in/x"))],
    )
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
    let engine = Engine::new(stores.into(), TransferLimits::within(None));
    let begun = Instant::now();
    let error = run(&engine, vec![download("x", &site.work("in/x"))])
        .await
        .unwrap_err()
        .to_string();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert!(
        error.contains("no AWS credentials could be fetched"),
        "{error}"
    );
    assert!(error.contains("refused"), "{error}");
}
