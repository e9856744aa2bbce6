//! `--from` and `--to`: runs without Flyte.

use std::time::Duration;

use super::{INTERFACE, run};
use crate::command::{Invocation, ReportedExit};
use crate::download::tree::TreeDownloadRequest;
use crate::sidecar::{TreeTarget, UploadTarget};
use crate::track::Watcher;

#[test]
fn a_download_without_flyte() {
    let words = ["download", "--from", "s3://b/in", "-o", "/in"];
    let Ok(Invocation::DownloadTree(_, request)) = run(&words) else {
        panic!("a download without Flyte");
    };
    let expected = TreeDownloadRequest {
        from: "s3://b/in".to_owned(),
        to_local_dir: "/in".into(),
        volume_size_limit: None,
        timeout: Some(Duration::from_hours(1)),
        timeline: None,
    };
    assert_eq!(*request, expected);
    let more = [
        "--timeout",
        "0",
        "--volume-size-limit=1Ki",
        "--timeline=/t/",
        "--exit-code=1",
    ];
    let Ok(Invocation::DownloadTree(_, request)) = run(&[&words[..], &more].concat()) else {
        panic!("a download without Flyte");
    };
    let expected = TreeDownloadRequest {
        volume_size_limit: Some(1024),
        timeout: None,
        timeline: Some("/t/".into()),
        ..expected
    };
    assert_eq!(*request, expected);
}

#[test]
fn a_sidecar_without_flyte() {
    let words = ["sidecar", "--from-local-dir", "/out", "--to", "s3://b/out"];
    let more = ["--watcher=pidfd", "-u", "UPLOAD_ON_EXIT", "--exit-code=0"];
    let Ok(Invocation::Sidecar(global, request)) = run(&[&words[..], &more].concat()) else {
        panic!("a sidecar");
    };
    let expected = TreeTarget {
        from_local_dir: "/out".into(),
        to: "s3://b/out".to_owned(),
    };
    assert_eq!(request.upload, Some(UploadTarget::Tree(expected)));
    assert_eq!(request.track.watchers, [Watcher::Pidfd]);
    assert_eq!(global.reported_exit, ReportedExit::Zero);
    // An empty value counts as not given.
    let empty = [
        "--to-output-prefix=",
        "--to-raw-output",
        "",
        "--err-output-name=",
    ];
    assert!(run(&[&words[..], &empty].concat()).is_ok());
}

#[test]
fn flags_of_flyte_are_refused_all_at_once_and_with_a_reason() {
    for (arguments, words) in [
        (
            &[
                "download",
                "--from=s3://b/in",
                "-o/in",
                "-f",
                "s3://b/i.pb",
                "-m",
                "JSON",
            ][..],
            &[
                "--from works without Flyte",
                "--from-remote (",
                "--format (",
            ][..],
        ),
        (
            &[
                "download",
                "--from=s3://b/in",
                "--download-mode",
                "DOWNLOAD_STREAM",
            ],
            &["--download-mode (all files are fetched before main starts)"],
        ),
        (
            &["download", "--from=s3://b/in", "-o/in", "--exit-code=0"],
            &["--exit-code 0 (main would start without its files)"],
        ),
        (
            &[
                "download",
                "--from=s3://b/in",
                "-o/in",
                "--exit-zero-on-error",
            ],
            &["--exit-zero-on-error (main"],
        ),
        (
            &[
                "sidecar",
                "--to=s3://b/out",
                "-f/out",
                "-i",
                INTERFACE,
                "-x",
                "s3://b/raw",
            ],
            &[
                "--to works without Flyte",
                "--interface (",
                "--to-raw-output (",
            ],
        ),
        (
            &["sidecar", "--to=s3://b/out", "-f/out", "-u", "UPLOAD_EAGER"],
            &["--upload-mode (files go up after a good end of main)"],
        ),
        (
            &[
                "sidecar",
                "--to=s3://b/out",
                "-f/out",
                "--on-main-failure",
                "upload",
            ],
            &["--on-main-failure (nothing goes up after a bad end of main)"],
        ),
        (
            &[
                "sidecar",
                "--to=s3://b/out",
                "-f/out",
                "--exit-watcher-type",
                "noop",
            ],
            &["--exit-watcher-type (a flag of the reference: use --watcher)"],
        ),
        (
            &[
                "sidecar",
                "--to=s3://b/out",
                "-f/out",
                "-u",
                "UPLOAD_EAGERLY",
            ],
            &["did you mean UPLOAD_EAGER?"],
        ),
    ] {
        let rejection = run(arguments).unwrap_err();
        for words in words {
            assert!(
                rejection.to_string().contains(words),
                "{arguments:?}: {rejection}"
            );
        }
        assert!(rejection.reportable().is_none());
    }
}

/// Where Flyte reads an error document, it learns of the refusal.
#[test]
fn the_platform_learns_of_a_refusal() {
    let both = ["--to-output-prefix=s3://b/o", "--to=s3://b/out", "-f/out"];
    let rejection = run(&[&["sidecar"][..], &both].concat()).unwrap_err();
    assert_eq!(rejection.reportable().unwrap().to_output_prefix, "s3://b/o");
}

#[test]
fn either_set_of_flags_is_required() {
    for (arguments, words) in [
        (
            &["download", "-o", "/in"][..],
            "without Flyte, give --from (a prefix of files) in place of --from-remote and --to-output-prefix",
        ),
        (
            &["download", "--from=s3://b/in"],
            "--to-local-dir is required: the directory for the files",
        ),
        (&["download", "--from="], "--from-remote is required"),
        (
            &["sidecar", "--to=s3://b/out"],
            "--from-local-dir is required: the directory in which main leaves its files",
        ),
        (
            &["sidecar", "--from", "x"],
            "did you mean --from-remote (download) or --from-local-dir (sidecar)?",
        ),
        (
            &["download", "--to", "x"],
            "did you mean --to-local-dir (download) or --to-output-prefix (sidecar)?",
        ),
    ] {
        let rejection = run(arguments).unwrap_err();
        assert!(
            rejection.to_string().contains(words),
            "{arguments:?}: {rejection}"
        );
    }
}

/// Command lines and words of a document's code, without what a shell makes of them.
fn commands(document: &str) -> Vec<Vec<String>> {
    let code = document
        .lines()
        .filter_map(|line| line.strip_prefix("    "));
    let code = code.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let words = |line: &str| {
        let words = line.split_whitespace().map(|word| word.replace("&&", ""));
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>()
    };
    let ours = |words: &Vec<String>| {
        words
            .iter()
            .any(|word| word == "download" || word == "sidecar")
    };
    code.lines().map(words).filter(ours).collect()
}

#[test]
fn the_command_lines_of_the_document_are_accepted() {
    let document = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/without-flyte.md"
    ));
    let compose = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../deploy/compose.yaml"
    ));
    let listed = compose.lines().filter_map(|line| {
        let words = line.trim().strip_prefix("command: [")?.strip_suffix(']')?;
        Some(words.split(", ").map(str::to_owned).collect::<Vec<_>>())
    });
    let listed = listed.filter(|words| words.len() > 1);
    let all: Vec<Vec<String>> = commands(document).into_iter().chain(listed).collect();
    assert_eq!(all.len(), 6, "{all:?}");
    for words in all {
        let job = words
            .iter()
            .position(|word| word == "download" || word == "sidecar");
        let words: Vec<&str> = words[job.unwrap()..].iter().map(String::as_str).collect();
        match run(&words) {
            Ok(Invocation::DownloadTree(..)) => {}
            Ok(Invocation::Sidecar(_, request)) => {
                assert!(
                    matches!(request.upload, Some(UploadTarget::Tree(_))),
                    "{words:?}"
                );
            }
            other => panic!("{words:?}: {other:?}"),
        }
    }
}
