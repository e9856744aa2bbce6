//! What the error codes of stores mean: one table for S3, Azure, Google, the servers that speak their
//! protocols, and the services that give credentials.
//!
//! `http` asks it whether a request is sent again, `error` what to tell a person. Codes are compared without
//! regard to case. A code that is not in the table falls back to the status. Never here: statuses, messages
//! of stores, requests.

mod table;

use table::{PREFIXES, TABLE};

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The store failed, and the same request may succeed later.
    Transient,
    /// The same, and the store wants fewer requests at once.
    Throttled,
    /// The bucket or container does not exist.
    NoContainer,
    /// The object does not exist.
    Missing,
    /// The multipart upload, or a part of it, does not exist any more.
    UploadLost,
    /// The bucket takes no upload without a checksum.
    ChecksumWanted,
    /// The bucket is at another address.
    Elsewhere,
    /// The clocks differ too much.
    Clock,
    /// The credentials were good and have ended.
    Expired,
    /// The credentials are wrong. With advice beside "Check …", or an empty text.
    BadCredentials(&'static str),
    /// The credentials do not allow this. With the advice.
    Denied(&'static str),
    /// A state of the store or the object that somebody can change.
    State(State),
    /// The code says no more than the status, but never that a retry may help.
    Final,
}

/// A state that prevents a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// What is true, as a clause.
    pub(super) what: &'static str,
    /// What helps, as sentences without the last full stop.
    pub(super) advice: &'static str,
    /// Whether it may end although nobody changes anything.
    pub(super) passes: bool,
    /// Whether the platform has to change it, and not the task.
    pub(super) of_platform: bool,
}

/// The meaning of a code, if we know it.
pub(super) fn meaning(code: &str) -> Option<Meaning> {
    let exact = TABLE
        .iter()
        .find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(code)));
    let begins = |prefix: &str| {
        let start = code.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let by_prefix = || PREFIXES.iter().find(|(prefix, _)| begins(prefix));
    let found = exact.map(|(_, meaning)| *meaning);
    found.or_else(|| by_prefix().map(|(_, meaning)| *meaning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_has_two_rows() {
        let mut seen = std::collections::HashSet::new();
        for (names, _) in TABLE {
            for name in *names {
                assert!(seen.insert(name.to_ascii_lowercase()), "{name}");
            }
        }
    }

    #[test]
    fn codes_are_found_in_any_case_and_by_their_beginning() {
        assert_eq!(meaning("slowdown"), Some(Meaning::Throttled));
        assert_eq!(meaning("KMS.ThrottlingException"), Some(Meaning::Throttled));
        let disabled = meaning("KMS.DisabledException");
        assert!(
            matches!(disabled, Some(Meaning::State(state)) if state.advice.contains("kms:Decrypt")),
            "{disabled:?}"
        );
        for unknown in ["", "Kms", "SlowDownX", "ß", "NoSuch"] {
            assert_eq!(meaning(unknown), None, "{unknown}");
        }
    }

    /// Each advice begins a sentence, and the message adds no full stop.
    #[test]
    fn advice_is_written_as_messages_need_it() {
        let rows = TABLE.iter().map(|(names, meaning)| (names[0], *meaning));
        let prefixes = PREFIXES.iter().map(|(prefix, meaning)| (*prefix, *meaning));
        for (name, meaning) in rows.chain(prefixes) {
            let (what, advice) = match meaning {
                Meaning::State(state) => (state.what, state.advice),
                Meaning::BadCredentials("") => continue,
                Meaning::Denied(advice) | Meaning::BadCredentials(advice) => ("x", advice),
                _ => continue,
            };
            assert!(advice.starts_with(char::is_uppercase), "{name}: {advice}");
            assert!(!advice.ends_with('.'), "{name}: {advice}");
            assert!(what.starts_with(char::is_lowercase), "{name}: {what}");
        }
    }
}
