//! Transfers against a real S3 server: what goes up comes down, whatever its size and name.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use copilot::store::{Reference, StoreError};
use copilot::transfer::{Copy, CopyError, Engine, Stop, Summary, TransferError};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::{Site, bytes, engine, local_file, object};
use futures_util::stream;

const PART: usize = 8 << 20;

async fn run(engine: &Engine, copies: Vec<Copy>) -> Result<Summary, TransferError> {
    engine.run(stream::iter(copies), &Stop::default()).await
}

fn download(key: &str, to: &Path) -> Copy {
    Copy::Download {
        from: object(key),
        to: to.to_owned(),
        size: None,
    }
}

fn prefix(key: &str, to: &Path) -> Copy {
    Copy::DownloadPrefix {
        from: object(key),
        to: to.to_owned(),
    }
}

fn upload(path: &Path, key: &str) -> Copy {
    Copy::Upload {
        from: local_file(path.to_owned()),
        to: object(key),
    }
}

/// The names in a directory, hidden ones included.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn every_size_round_trips() {
    let site = Site::start().unwrap();
    let engine = site.engine();
    for size in [0, 1, PART - 1, PART, PART + 1, 40 << 20] {
        let data = bytes(size, size as u64);
        let (there, back) = (site.work("there"), site.work("back"));
        fs::write(&there, &data).unwrap();
        let up = run(&engine, vec![upload(&there, "some/object")])
            .await
            .unwrap();
        assert_eq!((up.objects, up.bytes), (1, size as u64));
        assert!(
            fs::read(site.server.file("data", "some/object")).unwrap() == data,
            "{size}"
        );

        let down = run(&engine, vec![download("some/object", &back)])
            .await
            .unwrap();
        assert_eq!((down.objects, down.bytes), (1, size as u64));
        assert_eq!(down.first_byte.is_some(), size > 0);
        assert!(fs::read(&back).unwrap() == data, "{size}");
        fs::remove_file(back).unwrap();
    }
    assert!(site.server.unfinished_uploads().unwrap().is_empty());
}

#[tokio::test]
async fn many_small_files_round_trip() {
    let site = Site::start().unwrap();
    let engine = site.engine();
    fs::create_dir(site.work("there")).unwrap();
    let mut copies = Vec::new();
    for index in 0..500_usize {
        let path = site.work(&format!("there/{index}"));
        fs::write(&path, bytes(index * 7, index as u64)).unwrap();
        copies.push(upload(&path, &format!("tree/{}/{index}", index % 10)));
    }
    let up = run(&engine, copies).await.unwrap();
    assert_eq!(up.objects, 500);

    let down = run(&engine, vec![prefix("tree", &site.work("back"))])
        .await
        .unwrap();
    assert_eq!((down.objects, down.bytes), (500, up.bytes));
    for index in 0..500_usize {
        let back = fs::read(site.work(&format!("back/{}/{index}", index % 10))).unwrap();
        assert!(back == bytes(index * 7, index as u64), "{index}");
    }
    assert_eq!(names(&site.work("back/0")).len(), 50);
}

/// More than one page of a listing.
#[tokio::test]
async fn a_long_listing_is_complete() {
    let site = Site::start().unwrap();
    let bucket = site.server.file("data", "many");
    fs::create_dir(&bucket).unwrap();
    for index in 0..2345 {
        fs::write(bucket.join(index.to_string()), index.to_string()).unwrap();
    }
    let down = run(&site.engine(), vec![prefix("many", &site.work("back"))])
        .await
        .unwrap();
    assert_eq!(down.objects, 2345);
    assert_eq!(fs::read(site.work("back/2344")).unwrap(), b"2344");
}

#[tokio::test]
async fn odd_names_round_trip() {
    let site = Site::start().unwrap();
    let engine = site.engine();
    let odd = [
        "a b.txt",
        "100%.txt",
        "a%41.txt",
        "a?b.txt",
        "a#b",
        "a:b.txt",
        "1:b",
        "é.txt",
        "a+b&c=d",
        "a'b(c)[d]{e}",
        "日本/語",
        "a\nb",
        " edges ",
        "~",
        "x#12",
        "\u{1}",
        "a\\b",
        "a\"b<c>",
    ];
    fs::write(site.work("there"), "").unwrap();
    let mut copies = Vec::new();
    for (index, name) in odd.iter().enumerate() {
        let path = site.work(&index.to_string());
        fs::write(&path, name).unwrap();
        copies.push(upload(&path, &format!("odd/{name}")));
    }
    run(&engine, copies).await.unwrap();
    for name in odd {
        let key = format!("odd/{name}");
        assert_eq!(
            fs::read_to_string(site.server.file("data", &key)).unwrap(),
            name,
            "{name}"
        );
        // As a single object, by the text of its reference.
        let text = object(&key).to_string();
        let back = engine
            .read(&Reference::parse(&text).unwrap(), 100, &Stop::default())
            .await;
        assert_eq!(back.unwrap(), Bytes::from(name), "{text}");
    }
    // And as found by listing.
    run(&engine, vec![prefix("odd", &site.work("back"))])
        .await
        .unwrap();
    for name in odd {
        assert_eq!(
            fs::read_to_string(site.work("back").join(name)).unwrap(),
            name,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_prefix_ends_at_a_slash() {
    let site = Site::start().unwrap();
    for key in ["p/dir/a", "p/dir/empty", "p/dir2/f", "p/dir.txt"] {
        let path = site.server.file("data", key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, if key.ends_with("empty") { "" } else { key }).unwrap();
    }
    for (number, text) in ["s3://data/p/dir", "s3://data/p/dir/"]
        .into_iter()
        .enumerate()
    {
        let to = site.work(&number.to_string());
        let from = Reference::parse(text).unwrap();
        let copy = Copy::DownloadPrefix {
            from,
            to: to.clone(),
        };
        assert_eq!(run(&site.engine(), vec![copy]).await.unwrap().objects, 2);
        assert_eq!(names(&to), ["a", "empty"]);
    }
}

#[tokio::test]
async fn an_empty_prefix_is_an_empty_directory_and_told() {
    let site = Site::start().unwrap();
    let to = site.work("in/here");
    let done = run(&site.engine(), vec![prefix("nothing", &to)])
        .await
        .unwrap();
    assert_eq!(
        (done.objects, done.empty_prefixes),
        (0, vec![object("nothing")])
    );
    assert!(names(&to).is_empty());
}

/// A run that is killed in the middle leaves an unfinished file; the next one replaces it.
#[tokio::test]
async fn a_second_run_ends_right_and_leaves_no_litter() {
    let site = Site::start().unwrap();
    fs::write(site.server.file("data", "x"), bytes(100_000, 1)).unwrap();
    let dir = site.work("in");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("x"), "old").unwrap();

    // Leaked in the middle of its body, like a process that is killed.
    let proxy = FaultProxy::start(site.server.address(), |_| Fault::StallAfter(50_000)).unwrap();
    let engine = site.engine_through(&proxy.endpoint());
    let copies = vec![download("x", &dir.join("x"))];
    let mut killed = Box::pin(async move { run(&engine, copies).await });
    while names(&dir).len() < 2 {
        let step = tokio::time::timeout(Duration::from_millis(10), killed.as_mut());
        assert!(step.await.is_err(), "it cannot have ended");
    }
    std::mem::forget(killed);
    assert_eq!(
        fs::read(dir.join("x")).unwrap(),
        b"old",
        "never half a file"
    );

    run(&site.engine(), vec![download("x", &dir.join("x"))])
        .await
        .unwrap();
    assert!(fs::read(dir.join("x")).unwrap() == bytes(100_000, 1));
    assert_eq!(names(&dir), ["x"]);
}

#[tokio::test]
async fn downloads_are_readable_by_other_users() {
    let site = Site::start().unwrap();
    fs::write(site.server.file("data", "x"), "x").unwrap();
    let to = site.work("deep/er/x");
    run(&site.engine(), vec![download("x", &to)]).await.unwrap();
    // As the umask of whoever runs the test allows.
    let probe = site.work("probe");
    fs::write(&probe, "").unwrap();
    fs::create_dir(site.work("probe-dir")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&to), mode(&probe));
    assert_eq!(mode(&site.work("deep")), mode(&site.work("probe-dir")));
}

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
    for size in [10, PART + 1] {
        fs::write(site.work("x"), bytes(size, 1)).unwrap();
        let to = Reference::parse("s3://elsewhere/x").unwrap();
        let from = local_file(site.work("x"));
        let failed = run(&engine, vec![Copy::Upload { from, to }])
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
async fn metadata_is_read_whole_within_its_limit() {
    let site = Site::start().unwrap();
    let engine = site.engine();
    let stop = Stop::default();
    engine
        .write(&object("m"), Bytes::from_static(b"12345"), &stop)
        .await
        .unwrap();
    assert_eq!(engine.read(&object("m"), 5, &stop).await.unwrap(), "12345");
    let error = engine.read(&object("m"), 4, &stop).await.unwrap_err();
    assert!(
        matches!(
            error,
            CopyError::Store(StoreError::TooLarge { size: 5, .. })
        ),
        "{error}"
    );
    engine
        .write(&object("m"), Bytes::new(), &stop)
        .await
        .unwrap();
    assert_eq!(engine.read(&object("m"), 5, &stop).await.unwrap(), "");
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
