//! Flags that take one of a few names. Each list of names is the reference's (spec §1.2, §1.3) or
//! ours; case matters.

use super::suggest;

/// How metadata about the inputs is written beside `inputs.pb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `inputs.json`.
    Json,
    /// `inputs.yaml`.
    Yaml,
    /// Nothing more.
    Proto,
}

/// Where a single blob lies beneath the input directory (spec §3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// At the variable's own name.
    Direct,
    /// In a directory called like the variable, under its own name.
    NamedDirectory,
}

/// When input data is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownloadMode {
    /// All of it before main starts.
    Eager,
}

/// When output data is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadMode {
    /// After main has ended.
    OnExit,
}

/// How the start and the end of main are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatcherChoice {
    /// The best that this machine allows.
    Auto,
    /// The kernel's own events.
    Ebpf,
    /// Polling of the process table; the reference's `shared-process-ns`.
    Proc,
    /// SIGTERM, which a native sidecar gets once main has ended.
    Signal,
    /// None: main counts as started and ended at once.
    Noop,
}

/// What to do when main ended badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MainFailure {
    /// Report its failure and upload nothing.
    Report,
    /// Upload what is there, as the reference does.
    Upload,
}

/// The meaning of a name: a value, or the reason why it is refused although it is known.
type Meaning<T> = Result<T, &'static str>;

/// A flag's names in the order in which messages list them.
type Names<T> = &'static [(&'static str, Meaning<T>)];

const NOT_YET: &str = "it is not supported yet";

impl Format {
    pub(super) const NAMES: Names<Self> = &[
        ("JSON", Ok(Self::Json)),
        ("YAML", Ok(Self::Yaml)),
        ("PROTO", Ok(Self::Proto)),
    ];
}

impl Layout {
    pub(super) const NAMES: Names<Self> = &[
        ("DIRECT", Ok(Self::Direct)),
        ("NAMED_DIR", Ok(Self::NamedDirectory)),
    ];
}

impl DownloadMode {
    pub(super) const NAMES: Names<Self> = &[
        ("DOWNLOAD_EAGER", Ok(Self::Eager)),
        ("DOWNLOAD_STREAM", Err(NOT_YET)),
        ("DO_NOT_DOWNLOAD", Err(NOT_YET)),
    ];
}

impl UploadMode {
    pub(super) const NAMES: Names<Self> = &[
        ("UPLOAD_ON_EXIT", Ok(Self::OnExit)),
        ("UPLOAD_EAGER", Err(NOT_YET)),
        ("DO_NOT_UPLOAD", Err(NOT_YET)),
    ];
}

impl WatcherChoice {
    pub(super) const NAMES: Names<Self> = &[
        ("auto", Ok(Self::Auto)),
        ("ebpf", Ok(Self::Ebpf)),
        ("proc", Ok(Self::Proc)),
        ("signal", Ok(Self::Signal)),
        ("noop", Ok(Self::Noop)),
    ];

    /// The names of `--start-watcher-type` and `--exit-watcher-type` (spec §7).
    pub(super) const REFERENCE_NAMES: Names<Self> = &[
        ("signal", Ok(Self::Signal)),
        ("noop", Ok(Self::Noop)),
        ("shared-process-ns", Ok(Self::Proc)),
        ("file", Err(NOT_YET)),
        ("kube-api", Err(NOT_YET)),
    ];
}

impl MainFailure {
    pub(super) const NAMES: Names<Self> =
        &[("report", Ok(Self::Report)), ("upload", Ok(Self::Upload))];
}

/// The value that `text` names, or a message that says what `flag` takes.
pub(super) fn choose<T: Copy>(flag: &str, text: &str, names: Names<T>) -> Result<T, String> {
    let usable = names
        .iter()
        .filter(|(_, meaning)| meaning.is_ok())
        .map(|(name, _)| *name);
    let list = usable.clone().collect::<Vec<_>>().join(", ");
    match names.iter().find(|(name, _)| *name == text) {
        Some((_, Ok(value))) => Ok(*value),
        Some((name, Err(reason))) => Err(format!("{flag} {name}: {reason}; use one of {list}")),
        None => {
            let hint = suggest::hint(text, usable);
            let text = suggest::shortened(text);
            Err(format!(
                "{flag} {text:?} is unknown: it is one of {list}{hint}"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_near_misses_are_answered() {
        assert_eq!(choose("--format", "YAML", Format::NAMES), Ok(Format::Yaml));
        let message = choose("--format", "json", Format::NAMES).unwrap_err();
        assert_eq!(
            message,
            "--format \"json\" is unknown: it is one of JSON, YAML, PROTO; did you mean JSON?"
        );
        let message = choose("--format", "", Format::NAMES).unwrap_err();
        assert_eq!(
            message,
            "--format \"\" is unknown: it is one of JSON, YAML, PROTO"
        );
        let message = choose("--watcher", "ebfp", WatcherChoice::NAMES).unwrap_err();
        assert!(message.ends_with("did you mean ebpf?"), "{message}");
    }

    #[test]
    fn known_names_without_a_meaning_here_say_so() {
        let message = choose("--upload-mode", "UPLOAD_EAGER", UploadMode::NAMES).unwrap_err();
        assert_eq!(
            message,
            "--upload-mode UPLOAD_EAGER: it is not supported yet; use one of UPLOAD_ON_EXIT"
        );
    }
}
