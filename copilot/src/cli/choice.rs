//! Flags that take one of a few names. The lists are the reference's (spec §1.2, §1.3) or ours; case
//! matters.

use super::error::FlagError;
use super::suggest;
use crate::command::ReportedExit;
use crate::config::LogFormat;
use crate::download::DownloadMode;
use crate::literal::input::Layout;
use crate::literal::output::{BlobNames, StructOutputs};
use crate::literal::render::{BinaryForm, MetadataFormat};
use crate::sidecar::MainFailure;
use crate::template::TemplateWatcher;
use crate::track::Watcher;
use crate::upload::UploadMode;

/// The names that a flag takes, in the order of messages.
pub(super) type Names<T> = &'static [(&'static str, T)];

pub(super) const FORMATS: Names<MetadataFormat> = &[
    ("JSON", MetadataFormat::Json),
    ("YAML", MetadataFormat::Yaml),
    ("PROTO", MetadataFormat::Proto),
];

pub(super) const LAYOUTS: Names<Layout> =
    &[("DIRECT", Layout::Direct), ("NAMED_DIR", Layout::NamedDir)];

pub(super) const DOWNLOAD_MODES: Names<DownloadMode> = &[
    ("DOWNLOAD_EAGER", DownloadMode::Eager),
    ("DOWNLOAD_STREAM", DownloadMode::Stream),
    ("DO_NOT_DOWNLOAD", DownloadMode::Never),
];

pub(super) const UPLOAD_MODES: Names<UploadMode> = &[
    ("UPLOAD_ON_EXIT", UploadMode::OnExit),
    ("UPLOAD_EAGER", UploadMode::Eager),
    ("DO_NOT_UPLOAD", UploadMode::Never),
];

pub(super) const WATCHERS: Names<Watcher> = &[
    ("auto", Watcher::Auto),
    ("ebpf", Watcher::Ebpf),
    ("pidfd", Watcher::Pidfd),
    ("proc", Watcher::Proc),
    ("kube-api", Watcher::KubeApi),
    ("marker", Watcher::Marker),
    ("signal", Watcher::Signal),
    ("noop", Watcher::Noop),
];

/// The names of `--watcher` of `copilot template`. `signal` needs nothing of the pod.
pub(super) const TEMPLATE_WATCHERS: Names<Option<TemplateWatcher>> = &[
    ("ebpf", Some(TemplateWatcher::Ebpf)),
    ("pidfd", Some(TemplateWatcher::Pidfd)),
    ("kube-api", Some(TemplateWatcher::KubeApi)),
    ("signal", None),
];

/// The names of `--start-watcher-type` and `--exit-watcher-type` (spec §7).
pub(super) const WATCHER_TYPES: Names<Watcher> = &[
    ("signal", Watcher::Signal),
    ("noop", Watcher::Noop),
    ("shared-process-ns", Watcher::Proc),
    ("file", Watcher::Marker),
    ("kube-api", Watcher::KubeApi),
];

pub(super) const MAIN_FAILURES: Names<MainFailure> = &[
    ("report", MainFailure::Report),
    ("salvage", MainFailure::Salvage),
    ("upload", MainFailure::Upload),
];

pub(super) const BLOB_NAMES: Names<BlobNames> = &[
    ("file", BlobNames::KeepExtension),
    ("reference", BlobNames::Reference),
];

pub(super) const BINARY_INPUTS: Names<BinaryForm> = &[
    ("json", BinaryForm::Json),
    ("reference", BinaryForm::Reference),
];

pub(super) const REPORTED_EXITS: Names<ReportedExit> = &[
    ("auto", ReportedExit::Auto),
    ("0", ReportedExit::Zero),
    ("1", ReportedExit::One),
];

/// The names of `--log-format`. The setting `logger.formatter.type` takes the same ones.
pub(super) const LOG_FORMATS: Names<LogFormat> = LogFormat::NAMES;

pub(super) const STRUCT_OUTPUTS: Names<StructOutputs> = &[
    ("declared", StructOutputs::Declared),
    ("protobuf", StructOutputs::Protobuf),
];

/// The value that `text` names. The error lists the names that `flag` takes.
pub(super) fn choose<T: Copy>(
    flag: &'static str,
    text: &str,
    names: Names<T>,
) -> Result<T, FlagError> {
    if let Some((_, value)) = names.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let usable = names.iter().map(|(name, _)| *name);
    Err(FlagError::UnknownName {
        flag,
        text: suggest::shortened(text),
        names: usable.clone().collect::<Vec<_>>().join(", "),
        hint: suggest::hint(text, usable),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_near_misses_are_answered() {
        assert_eq!(
            choose("--format", "YAML", FORMATS),
            Ok(MetadataFormat::Yaml)
        );
        let message = choose("--format", "json", FORMATS).unwrap_err().to_string();
        assert_eq!(
            message,
            "--format \"json\" is unknown: it is one of JSON, YAML, PROTO; did you mean JSON?"
        );
        let message = choose("--format", "", FORMATS).unwrap_err().to_string();
        assert_eq!(
            message,
            "--format \"\" is unknown: it is one of JSON, YAML, PROTO"
        );
        let message = choose("--watcher", "ebfp", WATCHERS)
            .unwrap_err()
            .to_string();
        assert!(message.ends_with("did you mean ebpf?"), "{message}");
    }
}
