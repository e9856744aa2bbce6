//! The termination message: all that the platform shows of a failed pod. Kubernetes keeps 4 KiB of the
//! file. Where that is empty it takes the end of the log (`FallbackToLogsOnError`), and less of it.

use super::failure::{Failure, Kind, Origin};

/// What Kubernetes keeps of it, in bytes.
const LIMIT: usize = 4096;

/// What Kubernetes takes of the log: bytes and lines, from its end.
const OF_THE_LOG: (usize, usize) = (2048, 80);

/// What stands where the message was cut.
const CUT: &str = "…";

/// Code, kind, origin, and the message as far as there is room. `note` is what else went wrong: it
/// stands on a line of its own at the end, and is not cut for the message's sake.
#[must_use]
pub fn termination_message(failure: &Failure, note: Option<&str>) -> String {
    let kind = match failure.kind {
        Kind::Recoverable => "recoverable",
        Kind::NonRecoverable => "not recoverable",
    };
    let origin = match failure.origin {
        Origin::Unknown => "",
        Origin::User => ", user",
        Origin::System => ", system",
    };
    let text = format!("{} ({kind}{origin}): {}", failure.code, failure.message);
    let Some(note) = note else {
        return cut(text, LIMIT);
    };
    let note = cut(format!("\n{note}"), LIMIT / 4);
    cut(text, LIMIT - note.len()) + &note
}

/// What Kubernetes keeps of any message.
#[must_use]
pub fn bounded(message: &str) -> String {
    cut(message.to_owned(), LIMIT)
}

/// A message as the last words on standard error: from its beginning, so that code, kind and origin
/// are in what Kubernetes takes of the log's end.
#[must_use]
pub fn last_words(message: &str) -> String {
    let (bytes, lines) = OF_THE_LOG;
    let words = format!("Error: {message}");
    let end = words.match_indices('\n').nth(lines - 1);
    let words = match end {
        Some((end, _)) => words[..end].to_owned() + CUT,
        None => words,
    };
    // The line's end counts as well.
    cut(words, bytes - 1)
}

fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit - CUT.len()));
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
            let message = termination_message(&failure, None);
            assert!(message.len() <= LIMIT);
            assert!(message.starts_with("InputDownloadFailed (recoverable): "));
            assert_eq!(message.ends_with(CUT), length > 2030);
            let message = termination_message(&failure, Some("and that, too"));
            assert!(message.len() <= LIMIT);
            assert!(message.ends_with("\nand that, too"));
            let message = termination_message(&failure, Some(&"ü".repeat(length)));
            assert!(message.len() <= LIMIT);
            assert!(bounded(&failure.message).len() <= LIMIT);
        }
    }

    #[test]
    fn the_end_of_the_log_holds_code_kind_and_origin() {
        for message in ["x".repeat(5000), "x\n".repeat(5000), "\n".repeat(5000)] {
            let failure = Failure::of_upload(message);
            let log = format!("{}\n", last_words(&termination_message(&failure, None)));
            assert!(log.len() <= 2048 && log.lines().count() <= 80, "{log}");
            assert!(log.starts_with("Error: OutputUploadFailed (recoverable): "));
            assert!(log.ends_with("…\n"));
        }
        assert_eq!(last_words("short\nenough"), "Error: short\nenough");
    }
}
