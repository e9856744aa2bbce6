//! The termination message: all that the platform shows of a failed pod. Kubernetes keeps 4 KiB.

use super::failure::{Failure, Kind, Origin};

/// What Kubernetes keeps of it, in bytes.
const LIMIT: usize = 4096;

/// What stands where the message was cut.
const CUT: &str = "…";

/// Code, kind, origin, and the message as far as there is room.
#[must_use]
pub fn termination_message(failure: &Failure) -> String {
    let kind = match failure.kind {
        Kind::Recoverable => "recoverable",
        Kind::NonRecoverable => "not recoverable",
    };
    let origin = match failure.origin {
        Origin::Unknown => "",
        Origin::User => ", user",
        Origin::System => ", system",
    };
    let mut text = format!("{} ({kind}{origin}): {}", failure.code, failure.message);
    if text.len() > LIMIT {
        text.truncate(text.floor_char_boundary(LIMIT - CUT.len()));
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_fits_and_is_never_cut_within_a_character() {
        for length in [0, 10, 4000, 4096, 5000] {
            let failure = Failure::of_download("ü".repeat(length));
            let message = termination_message(&failure);
            assert!(message.len() <= LIMIT);
            assert!(message.starts_with("InputDownloadFailed (recoverable): "));
            assert_eq!(message.ends_with(CUT), length > 2030);
        }
    }
}
