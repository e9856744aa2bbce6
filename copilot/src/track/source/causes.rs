//! An error's message with its causes: what a log line or a refusal shows.

use std::error::Error;

/// The message of an error, followed by those of its causes. A cause that an earlier message already
/// contains is left out.
pub fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !message.contains(&next) {
            message = format!("{message}: {next}");
        }
        cause = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::track::place::PlaceError;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] PlaceError);

    #[test]
    fn each_cause_is_shown_once() {
        let source = io::Error::other("inner");
        let path = "/proc/self/cgroup";
        let error = Outer(PlaceError::Unreadable { path, source });
        assert_eq!(
            with_causes(&error),
            "outer: cannot find our own pod: /proc/self/cgroup cannot be read (inner)"
        );
    }
}
