//! Transfers with a real S3 server: files of any size and name are uploaded and downloaded again.

#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use copilot::store::{Reference, StoreError};
use copilot::transfer::{Copy, CopyError, Stop};
use copilot_tests::fault::{Fault, FaultProxy};
use copilot_tests::site::{Site, bytes, download, names, object, place, prefix, run, upload};

const PART: usize = 8 << 20;

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
        // As a single object, with its reference.
        let text = object(&key).to_string();
        let back = engine
            .read(&Reference::parse(&text).unwrap(), 100, &Stop::default())
            .await;
        assert_eq!(back.unwrap(), Bytes::from(name), "{text}");
    }
    // And by listing.
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
            to: place(&to),
        };
        assert_eq!(run(&site.engine(), vec![copy]).await.unwrap().objects, 2);
        assert_eq!(names(&to), ["a", "empty"]);
    }
}

#[tokio::test]
async fn an_empty_prefix_is_an_empty_directory_and_logged() {
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

/// A run that is killed leaves an unfinished file, which the next run replaces.
#[tokio::test]
async fn a_second_run_ends_right_and_leaves_no_litter() {
    let site = Site::start().unwrap();
    fs::write(site.server.file("data", "x"), bytes(100_000, 1)).unwrap();
    let dir = site.work("in");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("x"), "old").unwrap();

    // Dropped in the middle of the body, like a process that is killed.
    let proxy = FaultProxy::start(site.server.address(), |_| Fault::StallAfter(50_000)).unwrap();
    let engine = site.engine_through(&proxy.endpoint());
    let copies = vec![download("x", &dir.join("x"))];
    let mut killed = Box::pin(async move { run(&engine, copies).await });
    while names(&dir).len() < 2 {
        let step = tokio::time::timeout(Duration::from_millis(10), killed.as_mut());
        assert!(step.await.is_err(), "it cannot have ended");
    }
    // A process that lives has its unfinished file locked; this one is dead.
    let litter = names(&dir).into_iter().find(|name| name != "x").unwrap();
    let half = fs::read(dir.join(&litter)).unwrap();
    drop(killed);
    assert_eq!(names(&dir), ["x"]);
    fs::write(dir.join(&litter), half).unwrap();
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
    // As the umask of the test's user allows.
    let probe = site.work("probe");
    fs::write(&probe, "").unwrap();
    fs::create_dir(site.work("probe-dir")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&to), mode(&probe));
    assert_eq!(mode(&site.work("deep")), mode(&site.work("probe-dir")));
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

/// Its ten thousand parts would be larger than the memory allows.
#[tokio::test]
async fn a_file_too_large_for_its_parts_is_refused_before_its_first_byte() {
    let site = Site::start().unwrap();
    let there = site.work("there");
    let file = fs::File::create(&there).unwrap();
    // A sparse file, which takes no space on disk.
    file.set_len(400 << 30).unwrap();
    let error = run(&site.engine(), vec![upload(&there, "x")])
        .await
        .unwrap_err();
    assert!(matches!(
        error.failures[0].error,
        CopyError::TooLargeForParts { part, .. } if part == 41 << 20
    ));
    let said = error.to_string();
    assert!(said.contains("Raise them to 42991616"), "{said}");
    assert!(said.contains("--max-memory"), "{said}");
    assert_eq!(error.summary.bytes, 0);
    assert!(site.server.unfinished_uploads().unwrap().is_empty());
}
