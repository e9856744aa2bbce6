//! Why flags make no request: rules on the value of one flag, or on two flags together.

use thiserror::Error;

use super::value::ValueError;

/// A flag that is required, or that is not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NamedFlag {
    /// The flag, with its dashes.
    pub flag: &'static str,
    /// What its value means.
    pub meaning: &'static str,
}

/// All missing flags in one message.
pub(super) fn missing(flags: &[NamedFlag]) -> String {
    let one = |required: &NamedFlag| format!("{} is required: {}", required.flag, required.meaning);
    flags.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Flags with what they are for, in one message.
fn of_flyte(flags: &[NamedFlag]) -> String {
    let one = |flag: &NamedFlag| format!("{} ({})", flag.flag, flag.meaning);
    flags.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A flag that makes no request. The message names the flag, the rule and what to do.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum FlagError {
    /// Flags are required.
    #[error("{}", missing(.0))]
    Required(Vec<NamedFlag>),
    /// Flags that have nothing to act on without Flyte.
    #[error(
        "{by} works without Flyte, and these flags have no meaning beside it: {}. Leave them out, or leave out {by}",
        of_flyte(.flags)
    )]
    OfFlyte {
        /// The flag that says so, with its dashes.
        by: &'static str,
        /// The others.
        flags: Vec<NamedFlag>,
    },
    /// Words beyond the command, and `--strict`.
    #[error("{0}: no flag takes this, and --strict refuses it; remove it, or write --FLAG=VALUE")]
    StrayWords(String),
    /// Two flags choose the exit code.
    #[error("--exit-code 1 and --exit-zero-on-error contradict each other: give one of them")]
    TwoExitCodes,
    /// The flag takes one of a few names.
    #[error("{flag} {text:?} is unknown: it is one of {names}{hint}")]
    UnknownName {
        /// The flag, with its dashes.
        flag: &'static str,
        /// The text that was given, cut if long.
        text: String,
        /// The names to choose from.
        names: String,
        /// The nearest name, as a question; may be empty.
        hint: String,
    },
    /// Salvaging uploads, and the mode uploads nothing.
    #[error(
        "--on-main-failure salvage uploads what main left, but --upload-mode DO_NOT_UPLOAD uploads \
         nothing: give one of them"
    )]
    SalvageWithoutUpload,
    /// Polling without a pause.
    #[error("--poll-fast and --poll-slow must be longer than 0")]
    NoPause,
    /// `noop` watches nothing.
    #[error("--watcher noop does not wait for main, so no other watcher can stand beside it")]
    NoopBesideOthers,
    /// A flag of Kubernetes' client that the watcher refuses.
    #[error("--{name} is not supported by the watcher kube-api: {advice}")]
    NotSupported {
        /// The flag, without dashes.
        name: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// Half of a pair of flags.
    #[error("--{one} is given without --{other}: give both")]
    HalfOfPair {
        /// The flag that is given.
        one: &'static str,
        /// The flag that is missing.
        other: &'static str,
    },
    /// Without verification an authority has no effect.
    #[error(
        "--insecure-skip-tls-verify accepts every certificate, so --certificate-authority has no \
         effect: give one of them"
    )]
    AuthorityWithoutVerification,
    /// The timeout of Kubernetes' client is a text of its own.
    #[error("--request-timeout {text}: {error}")]
    RequestTimeout {
        /// The text that was given.
        text: String,
        /// The rule that it breaks.
        #[source]
        error: ValueError,
    },
}
