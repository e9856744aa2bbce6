//! Flags that take one of a few names. Each list of names is the reference's (spec §1.2, §1.3) or
//! ours; case matters.

use super::suggest;
use crate::download::DownloadMode;
use crate::literal::input::Layout;
use crate::literal::output::BlobNames;
use crate::literal::render::MetadataFormat;
use crate::sidecar::MainFailure;
use crate::track::source::ladder::Watcher;
use crate::upload::UploadMode;

/// The names of a flag that may be used, in the order in which messages list them, and those that
/// the reference knows and ours does not yet.
pub(super) struct Names<T: 'static> {
    usable: &'static [(&'static str, T)],
    refused: &'static [&'static str],
}

pub(super) const FORMATS: Names<MetadataFormat> = Names {
    usable: &[
        ("JSON", MetadataFormat::Json),
        ("YAML", MetadataFormat::Yaml),
        ("PROTO", MetadataFormat::Proto),
    ],
    refused: &[],
};

pub(super) const LAYOUTS: Names<Layout> = Names {
    usable: &[("DIRECT", Layout::Direct), ("NAMED_DIR", Layout::NamedDir)],
    refused: &[],
};

pub(super) const DOWNLOAD_MODES: Names<DownloadMode> = Names {
    usable: &[
        ("DOWNLOAD_EAGER", DownloadMode::Eager),
        ("DOWNLOAD_STREAM", DownloadMode::Stream),
        ("DO_NOT_DOWNLOAD", DownloadMode::Never),
    ],
    refused: &[],
};

pub(super) const UPLOAD_MODES: Names<UploadMode> = Names {
    usable: &[
        ("UPLOAD_ON_EXIT", UploadMode::OnExit),
        ("UPLOAD_EAGER", UploadMode::Eager),
        ("DO_NOT_UPLOAD", UploadMode::Never),
    ],
    refused: &[],
};

pub(super) const WATCHERS: Names<Watcher> = Names {
    usable: &[
        ("auto", Watcher::Auto),
        ("ebpf", Watcher::Ebpf),
        ("pidfd", Watcher::Pidfd),
        ("proc", Watcher::Proc),
        ("kube-api", Watcher::KubeApi),
        ("marker", Watcher::Marker),
        ("signal", Watcher::Signal),
        ("noop", Watcher::Noop),
    ],
    refused: &[],
};

/// Of `--start-watcher-type` and `--exit-watcher-type` (spec §7).
pub(super) const WATCHER_TYPES: Names<Watcher> = Names {
    usable: &[
        ("signal", Watcher::Signal),
        ("noop", Watcher::Noop),
        ("shared-process-ns", Watcher::Proc),
        ("file", Watcher::Marker),
        ("kube-api", Watcher::KubeApi),
    ],
    refused: &[],
};

pub(super) const MAIN_FAILURES: Names<MainFailure> = Names {
    usable: &[
        ("report", MainFailure::Report),
        ("salvage", MainFailure::Salvage),
        ("upload", MainFailure::Upload),
    ],
    refused: &[],
};

pub(super) const BLOB_NAMES: Names<BlobNames> = Names {
    usable: &[
        ("file", BlobNames::KeepExtension),
        ("reference", BlobNames::Reference),
    ],
    refused: &[],
};

/// The value that `text` names, or a message that says what `flag` takes.
pub(super) fn choose<T: Copy>(flag: &str, text: &str, names: &Names<T>) -> Result<T, String> {
    if let Some((_, value)) = names.usable.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let usable = names.usable.iter().map(|(name, _)| *name);
    let list = usable.clone().collect::<Vec<_>>().join(", ");
    if names.refused.contains(&text) {
        return Err(format!(
            "{flag} {text} is not supported yet: use one of {list}"
        ));
    }
    let hint = suggest::hint(text, usable);
    let text = suggest::shortened(text);
    Err(format!(
        "{flag} {text:?} is unknown: it is one of {list}{hint}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_near_misses_are_answered() {
        assert_eq!(
            choose("--format", "YAML", &FORMATS),
            Ok(MetadataFormat::Yaml)
        );
        let message = choose("--format", "json", &FORMATS).unwrap_err();
        assert_eq!(
            message,
            "--format \"json\" is unknown: it is one of JSON, YAML, PROTO; did you mean JSON?"
        );
        let message = choose("--format", "", &FORMATS).unwrap_err();
        assert_eq!(
            message,
            "--format \"\" is unknown: it is one of JSON, YAML, PROTO"
        );
        let message = choose("--watcher", "ebfp", &WATCHERS).unwrap_err();
        assert!(message.ends_with("did you mean ebpf?"), "{message}");
    }

    #[test]
    fn known_names_without_a_meaning_here_say_so() {
        let message = choose("--upload-mode", "UPLOAD_EAGER", &UPLOAD_MODES).unwrap_err();
        assert_eq!(
            message,
            "--upload-mode UPLOAD_EAGER is not supported yet: use one of UPLOAD_ON_EXIT, \
             DO_NOT_UPLOAD"
        );
    }
}
