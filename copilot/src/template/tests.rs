//! The printed texts: the files in `deploy/`, every combination of flags, and what `doctor` says of them.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::command::Invocation;
use crate::doctor::{ArgumentReader, Diagnosis, Verdict, pod};

/// Set to write the files in `deploy/` anew.
const WRITE: &str = "COPILOT_WRITE_DEPLOY";

/// The versions that a template can be merged with.
const MERGING: [FlyteVersion; 3] = [FlyteVersion::V1_15, FlyteVersion::V1_16, FlyteVersion::V2];

fn all_versions() -> impl Iterator<Item = FlyteVersion> {
    std::iter::once(FlyteVersion::Before1_15_1).chain(MERGING)
}

/// Every request that is allowed, with a prefix of its own.
fn requests() -> Vec<TemplateRequest> {
    use TemplateWatcher::{Ebpf, KubeApi, Pidfd};
    let lists: [&[TemplateWatcher]; 8] = [
        &[],
        &[Ebpf],
        &[Pidfd],
        &[KubeApi],
        &[Ebpf, Pidfd],
        &[Ebpf, KubeApi],
        &[Pidfd, KubeApi],
        &[Ebpf, Pidfd, KubeApi],
    ];
    let mut requests = Vec::new();
    for version in all_versions() {
        for (watchers, streams) in lists
            .iter()
            .flat_map(|list| [(*list, false), (*list, true)])
        {
            let request = TemplateRequest {
                prefix: "my-pilot-".to_owned(),
                watchers: watchers.to_vec(),
                streams,
                ..TemplateRequest::of(version)
            };
            requests.extend(request.check().is_ok().then_some(request));
        }
    }
    requests
}

fn reader() -> ArgumentReader {
    let words = ["copilot", "doctor", "--pod", "x"].map(OsString::from);
    match crate::cli::parse(words) {
        Ok(Invocation::Doctor(_, request)) => request.read_arguments,
        other => panic!("{other:?}"),
    }
}

fn judged(text: &str) -> Diagnosis {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("template.yaml");
    fs::write(&path, text).unwrap();
    Diagnosis::new(pod::examine(&path, reader()).unwrap())
}

#[test]
fn the_files_in_deploy_are_what_the_command_prints() {
    for version in all_versions() {
        let name = format!("deploy/flyte-{}.yaml", version.name());
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(&name);
        let printed = text(&TemplateRequest::of(version));
        if std::env::var_os(WRITE).is_some() {
            fs::write(&path, &printed).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            found, printed,
            "{name} is not what the command prints. {WRITE}=1 cargo test -p copilot --lib template writes it anew"
        );
    }
}

#[test]
fn a_template_alone_has_all_that_ebpf_needs() {
    for version in MERGING {
        let diagnosis = judged(&text(&TemplateRequest::of(version)));
        assert_eq!(diagnosis.verdict(), Verdict::Ok, "{}", diagnosis.text());
        assert!(
            diagnosis.text().contains("effective for uid 0"),
            "{}",
            diagnosis.text()
        );
    }
}

#[test]
fn every_text_is_comments_and_objects_with_the_prefix() {
    let requests = requests();
    assert!(requests.len() > 30, "{}", requests.len());
    for request in requests {
        let text = text(&request);
        let (notes, objects) = match text.find("apiVersion") {
            Some(at) => text.split_at(at),
            None => (text.as_str(), ""),
        };
        assert!(notes.lines().all(|line| line.starts_with('#')), "{text}");
        let is_short =
            |line: &str| line.chars().count() <= 120 || line.contains("copilot template --flyte");
        assert!(text.lines().all(is_short), "{text}");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text:?}");
        assert_eq!(!objects.is_empty(), request.has_template(), "{text}");
        for role in ["uploader", "downloader"] {
            assert!(
                !objects.contains(&format!("flyte-copilot-{role}")),
                "{text}"
            );
        }
        let merges_the_uploader = !objects.is_empty() && !request.watchers.is_empty();
        assert_eq!(
            objects.contains("- name: my-pilot-uploader\n"),
            merges_the_uploader,
            "{text}"
        );
        assert_eq!(
            notes.contains("name: my-pilot-\n"),
            request.has_template(),
            "{text}"
        );
    }
}

#[test]
fn each_version_gets_its_own_names_and_fields() {
    let with = |version, watchers: &[TemplateWatcher], streams| {
        manifest::text(&TemplateRequest {
            watchers: watchers.to_vec(),
            streams,
            ..TemplateRequest::of(version)
        })
    };
    let ebpf = &[TemplateWatcher::Ebpf][..];
    let streaming = |version| with(version, ebpf, true);
    assert!(streaming(FlyteVersion::V1_16).contains("- name: primary-init "));
    assert!(streaming(FlyteVersion::V2).contains("- name: flyte-copilot-downloader\n"));
    for version in MERGING {
        let text = with(version, ebpf, false);
        let is_native = version.has_native_uploader();
        assert_eq!(text.contains("startupProbe:"), is_native, "{text}");
        assert_eq!(text.contains("initContainers:"), is_native, "{text}");
        assert_eq!(text.contains("name: noop"), is_native, "{text}");
        let is_changed = version == FlyteVersion::V2;
        assert_eq!(text.contains("name: default-init"), is_changed, "{text}");
        assert!(!text.contains("shareProcessNamespace"), "{text}");
    }
    let shared = with(FlyteVersion::V1_16, &[TemplateWatcher::Pidfd], false);
    assert!(shared.contains("shareProcessNamespace: true"), "{shared}");
    assert!(!shared.contains("capabilities"), "{shared}");
    let api = with(FlyteVersion::V2, &[TemplateWatcher::KubeApi], false);
    for words in ["--watcher=kube-api]", "POD_NAMESPACE", "kind: RoleBinding"] {
        assert!(api.contains(words), "{words}: {api}");
    }
}

#[test]
fn the_image_alone_is_said_to_be_enough_where_it_is() {
    let before = text(&TemplateRequest::of(FlyteVersion::Before1_15_1));
    for words in [
        "Swap the image only",
        "the watcher is `pidfd`",
        "one setting",
    ] {
        assert!(before.contains(words), "{words}: {before}");
    }
    let alone = |version, watchers: &[TemplateWatcher]| {
        text(&TemplateRequest {
            watchers: watchers.to_vec(),
            ..TemplateRequest::of(version)
        })
    };
    let shared = alone(FlyteVersion::V1_15, &[TemplateWatcher::Pidfd]);
    assert!(shared.contains("No PodTemplate is needed"), "{shared}");
    let signal = alone(FlyteVersion::V2, &[]);
    assert!(signal.contains("its outputs decide"), "{signal}");
    for text in [before, shared, signal] {
        assert!(!text.contains("kubectl apply"), "{text}");
    }
}
