//! What a command line that is carried out turns into.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::{download, outputs, run, sidecar};
use crate::cli::*;
use crate::command::ReportedExit;
use crate::config::SettingValue;
use crate::download::{DownloadMode, DownloadRequest};
use crate::literal::input::Layout;
use crate::literal::output::{BlobNames, OutputOptions, StructOutputs};
use crate::literal::render::{BinaryForm, MetadataFormat};
use crate::sidecar::{MainFailure, OutputsTarget, SidecarRequest, UploadTarget};
use crate::track::source::kube::ApiOptions;
use crate::track::{Polling, TrackOptions, Until, Watcher};
use crate::upload::UploadMode;

#[test]
fn defaults_of_download() {
    let (global, request) = download(&[]).unwrap();
    assert_eq!(
        *request,
        DownloadRequest {
            from_remote: "s3://b/in.pb".into(),
            to_output_prefix: "s3://b/out".into(),
            err_output_name: None,
            to_local_dir: "/in".into(),
            format: MetadataFormat::Json,
            layout: Layout::Direct,
            mode: DownloadMode::Eager,
            binary_inputs: BinaryForm::Json,
            input_interface: None,
            volume_size_limit: None,
            timeout: Some(Duration::from_hours(1)),
            timeline: None,
        }
    );
    assert_eq!(global.config, None);
    assert_eq!(global.err_output_name, None);
    assert_eq!(global.reported_exit, ReportedExit::Auto);
    assert!(global.stray_words.is_empty() && !global.strict);
    assert_eq!(
        global.termination_log.as_deref(),
        Some(Path::new("/dev/termination-log"))
    );
    assert_eq!((global.max_memory, global.max_connections), (None, None));
    assert!(global.without_effect.is_empty());
}

#[test]
fn defaults_of_sidecar() {
    let (_, request) = sidecar(&[]).unwrap();
    assert_eq!(
        *request,
        SidecarRequest {
            upload: Some(UploadTarget::Outputs(OutputsTarget {
                interface: b"\x12\x09\x0a\x07\x0a\x01o\x12\x02\x0a\x00".to_vec(),
                from_local_dir: "/out".into(),
                to_output_prefix: "s3://b/out".into(),
                to_raw_output: Some("s3://b/raw".into()),
                meta_output_name: "outputs.pb".into(),
                err_output_name: None,
            })),
            mode: UploadMode::OnExit,
            timeout: Some(Duration::from_hours(1)),
            on_main_failure: MainFailure::Report,
            outputs: OutputOptions {
                max_simple_size: 1 << 20,
                blob_names: BlobNames::KeepExtension,
                structs: StructOutputs::Declared,
            },
            track: TrackOptions {
                watchers: vec![Watcher::Auto],
                until: Until::End,
                polling: Polling::default(),
                main_container: None,
                ignore_containers: vec![],
                pod_cgroup: None,
                proc_root: None,
                api: ApiOptions::default(),
                main_start_timeout: Some(Duration::from_hours(1)),
                term_wait: Duration::from_secs(10),
                settle: Duration::from_secs(2),
            },
            timeline: None,
        }
    );
}

#[test]
fn every_flag_of_ours_arrives() {
    let (global, request) = sidecar(&[
        "--exit-zero-on-error",
        "--strict",
        "--logger.formatter.type=gcp",
        "--log-format",
        "text",
        "--termination-log=",
        "--err-output-name",
        "error.pb",
        "--max-memory",
        "16Mi",
        "--max-connections",
        "7",
        "--config",
        "/etc/c/*.yaml",
        "--meta-output-name",
        "o.pb",
        "--on-main-failure",
        "upload",
        "--max-simple-size",
        "2k",
        "--blob-names",
        "reference",
        "--struct-outputs",
        "protobuf",
        "--watcher",
        "proc,marker",
        "--poll-fast",
        "1ms",
        "--poll-slow",
        "1s",
        "--proc-root",
        "/host/proc",
        "--main-container",
        "m",
        "--ignore-container",
        "a",
        "--ignore-container",
        "b",
        "--pod-cgroup",
        "/cg",
        "--main-start-timeout",
        "0",
        "--term-wait",
        "1s",
        "--settle",
        "0",
        "--timeline",
        "/t.json",
    ])
    .unwrap();
    assert_eq!(global.reported_exit, ReportedExit::Zero);
    assert!(global.strict);
    let format = global.settings.get("logger.formatter.type");
    assert_eq!(format, Some(&SettingValue::Text("text".to_owned())));
    assert_eq!(global.termination_log, None);
    assert_eq!(global.err_output_name.as_deref(), Some("error.pb"));
    assert_eq!(global.max_memory, Some(16 << 20));
    assert_eq!(global.max_connections.map(u32::from), Some(7));
    assert_eq!(global.config.as_deref(), Some("/etc/c/*.yaml"));
    assert_eq!(outputs((*request).clone()).meta_output_name, "o.pb");
    assert_eq!(request.on_main_failure, MainFailure::Upload);
    assert_eq!(request.outputs.max_simple_size, 2000);
    assert_eq!(request.outputs.blob_names, BlobNames::Reference);
    assert_eq!(request.outputs.structs, StructOutputs::Protobuf);
    assert_eq!(request.timeline.as_deref(), Some(Path::new("/t.json")));
    assert_eq!(
        request.track,
        TrackOptions {
            watchers: vec![Watcher::Proc, Watcher::Marker],
            until: Until::End,
            polling: Polling {
                fast: Duration::from_millis(1),
                slow: Duration::from_secs(1),
            },
            main_container: Some("m".into()),
            ignore_containers: vec!["a".into(), "b".into()],
            pod_cgroup: Some("/cg".into()),
            proc_root: Some("/host/proc".into()),
            api: ApiOptions::default(),
            main_start_timeout: None,
            term_wait: Duration::from_secs(1),
            settle: Duration::ZERO,
        }
    );
    let (_, request) = download(&[
        "--timeline",
        "/t.json",
        "--format",
        "PROTO",
        "--file-input-layout",
        "NAMED_DIR",
        "--binary-inputs",
        "reference",
        "--input-interface",
        "CgA=",
    ])
    .unwrap();
    assert_eq!(request.binary_inputs, BinaryForm::Reference);
    assert_eq!(request.input_interface.as_deref(), Some(&b"\n\0"[..]));
    assert_eq!(request.timeline.as_deref(), Some(Path::new("/t.json")));
    assert_eq!(
        (request.format, request.layout),
        (MetadataFormat::Proto, Layout::NamedDir)
    );
}

#[test]
fn exit_codes() {
    for (arguments, expected) in [
        (&[][..], ReportedExit::Auto),
        (&["--exit-code", "auto"], ReportedExit::Auto),
        (&["--exit-code=0"], ReportedExit::Zero),
        (&["--exit-code=1"], ReportedExit::One),
        (&["--exit-zero-on-error"], ReportedExit::Zero),
        (
            &["--exit-zero-on-error=false", "--exit-code=1"],
            ReportedExit::One,
        ),
        (
            &["--exit-zero-on-error", "--exit-code=0"],
            ReportedExit::Zero,
        ),
    ] {
        let (global, _) = sidecar(arguments).unwrap();
        assert_eq!(global.reported_exit, expected, "{arguments:?}");
    }
}

#[test]
fn upload_timeouts() {
    let hours = |hours: u64| Some(Duration::from_hours(hours));
    for (arguments, expected) in [
        (&[][..], hours(1)),
        (&["--timeout", "2h"], hours(2)),
        (&["--start-timeout", "3h"], hours(3)),
        (&["--start-timeout", "3h", "--timeout", "2h"], hours(2)),
        (&["--timeout", "2h", "--start-timeout", "3h"], hours(2)),
        (&["--timeout", "0"], None),
        (&["--timeout", "-1s"], None),
        (&["--timeout", "1h", "-t2h"], hours(2)),
    ] {
        assert_eq!(
            sidecar(arguments).unwrap().1.timeout,
            expected,
            "{arguments:?}"
        );
    }
    assert_eq!(download(&["--timeout", "0"]).unwrap().1.timeout, None);
    assert_eq!(download(&["-t", "-5s"]).unwrap().1.timeout, None);
}

#[test]
fn watchers() {
    use Watcher::{Ebpf, Marker, Noop, Pidfd, Proc, Signal};
    let types = |start, exit| ["--start-watcher-type", start, "--exit-watcher-type", exit];
    for (arguments, expected) in [
        (&["--start-watcher-type", "signal"][..], &[Signal][..]),
        (&["--start-watcher-type=shared-process-ns"], &[Proc]),
        (&["--exit-watcher-type", "noop"], &[Noop]),
        (&types("noop", "noop"), &[Noop]),
        (&types("noop", "signal"), &[Signal]),
        (&types("shared-process-ns", "file"), &[Proc, Marker]),
        (&["--watcher", "marker,pidfd"], &[Marker, Pidfd]),
        (
            &[&types("noop", "signal")[..], &["--watcher", "ebpf"]].concat(),
            &[Ebpf],
        ),
    ] {
        let request = sidecar(arguments).unwrap().1;
        assert_eq!(request.track.watchers, expected, "{arguments:?}");
    }
    for (arguments, words) in [
        (&["--watcher", "nope"][..], "--watcher \"nope\" is unknown"),
        (&["--watcher", "file"], "--watcher \"file\" is unknown"),
        (&["--watcher", "ebpf,"], "--watcher \"\" is unknown"),
        (&["--watcher", "noop,proc"], "no other watcher"),
        (&["--poll-fast", "0"], "--poll-fast"),
    ] {
        let rejection = sidecar(arguments).unwrap_err();
        assert!(rejection.to_string().contains(words), "{rejection}");
        assert_eq!(rejection.reportable().unwrap().command, Command::Sidecar);
    }
}

#[test]
fn a_void_sidecar_needs_nothing_else() {
    for arguments in [
        &["sidecar"][..],
        &["sidecar", "--interface", ""],
        &["sidecar", "--interface="],
    ] {
        let Ok(Invocation::Sidecar(_, request)) = run(arguments) else {
            panic!("{arguments:?}")
        };
        assert_eq!(request.upload, None);
    }
}

#[test]
fn flags_without_effect_are_listed() {
    let (global, _) = download(&[
        "-i",
        "",
        "--otel.type=noop",
        "-s",
        "--v=4",
        "-n",
        "ns",
        "--logger.level=5",
        "--storage.cache.max_size_mbs",
        "0",
    ])
    .unwrap();
    assert_eq!(
        global.without_effect,
        [
            "--otel.type",
            "--storage.cache.max_size_mbs",
            "--show-source",
            "--v",
            "--namespace"
        ]
    );
    let (global, _) = sidecar(&[
        "-m",
        "JSON",
        "--timeout",
        "1s",
        "--start-timeout",
        "2s",
        "--watcher",
        "noop",
        "--start-watcher-type",
        "signal",
        "--pod-name",
        "p",
    ])
    .unwrap();
    assert_eq!(
        global.without_effect,
        [
            "--format",
            "--pod-name",
            "--start-timeout",
            "--start-watcher-type"
        ]
    );
}

#[test]
fn help_and_version() {
    for (arguments, words) in [
        (
            &["--help"][..],
            &["Commands:", "sidecar", "--config", "--storage.container"][..],
        ),
        (&["-h"], &["Commands:"]),
        (&["help"], &["Commands:"]),
        (
            &["download", "--help"],
            &[
                "copilot download",
                "--file-input-layout",
                "[default: 1h0m0s]",
            ],
        ),
        (
            &["help", "sidecar"],
            &["copilot sidecar", "--watcher", "--main-container"],
        ),
        (&["--config", "x", "ready", "-h"], &["copilot"]),
    ] {
        let Ok(Invocation::Help(text)) = run(arguments) else {
            panic!("{arguments:?}")
        };
        for word in words {
            assert!(text.contains(word), "{arguments:?}: {word} in {text}");
        }
        assert!(!text.contains("--kubeconfig"), "{text}");
    }
    for arguments in [&["--version"][..], &["-V"], &["sidecar", "--version"]] {
        assert!(
            matches!(run(arguments), Ok(Invocation::Version)),
            "{arguments:?}"
        );
    }
    assert!(matches!(
        run(&["ready", "--logger.level=5"]),
        Ok(Invocation::Ready(_))
    ));
}

#[test]
fn paths_may_hold_any_bytes_and_texts_may_not() {
    use std::os::unix::ffi::OsStringExt;
    let odd = OsString::from_vec(b"/in\xff".to_vec());
    let plain = [
        "copilot",
        "download",
        "--to-output-prefix",
        "p",
        "-f",
        "r",
        "-o",
    ];
    let argv = plain.map(OsString::from).into_iter().chain([odd.clone()]);
    let Ok(Invocation::Download(_, request)) = parse(argv) else {
        panic!()
    };
    assert_eq!(request.to_local_dir, Path::new(&odd));
    let argv = ["copilot", "download", "-f"]
        .map(OsString::from)
        .into_iter()
        .chain([odd]);
    let message = parse(argv).unwrap_err().to_string();
    assert_eq!(message, "argument 2 of copilot download is not UTF-8 text");
}
