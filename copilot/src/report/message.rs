//! The termination message: all that the platform shows of a failed pod. Kubernetes keeps 4 KiB of the
//! file. If the file is empty, it takes the end of the log (`FallbackToLogsOnError`), and less of it.

use super::escape::{EscapeForm, escaped};
use super::failure::{Failure, FailureOrigin, Recoverability};

/// How much Kubernetes keeps of the file, in bytes.
const LIMIT: usize = 4096;

/// How much Kubernetes takes from the end of the log, in bytes.
const OF_THE_LOG: usize = 2048;

/// The mark of a cut message.
const CUT: &str = "…";

/// Code, kind, origin, and as much of the message as fits, in one line. `note` reports what else went wrong: it
/// stands at the end, and the message is cut before it is.
#[must_use]
pub fn termination_message(failure: &Failure, note: Option<&str>) -> String {
    let kind = match failure.kind {
        Recoverability::Recoverable => "recoverable",
        Recoverability::NonRecoverable => "not recoverable",
    };
    let origin = match failure.origin {
        FailureOrigin::Unknown => "",
        FailureOrigin::User => ", user",
        FailureOrigin::System => ", system",
    };
    let message = failure.message.trim_end();
    let text = format!("{} ({kind}{origin}): {message}", failure.code);
    let text = escaped(&text, EscapeForm::Plain).into_owned();
    let Some(note) = note else {
        return cut(text, LIMIT);
    };
    let note = cut(format!("; {}", one_line(note)), LIMIT / 4);
    cut(text, LIMIT - note.len()) + &note
}

/// As much of a message as Kubernetes keeps, in one line.
#[must_use]
pub fn bounded(message: &str) -> String {
    cut(one_line(message), LIMIT)
}

/// A message for the last line on standard error. It is cut at its end, so Kubernetes' part of the log
/// has code, kind and origin. `note` reports what else went wrong, and stays, as in the termination message.
#[must_use]
pub fn last_words(message: &str, note: Option<&str>) -> String {
    let note = note.map_or_else(String::new, |note| {
        cut(format!("; {}", one_line(note)), OF_THE_LOG / 2)
    });
    // The final newline counts as well.
    let room = OF_THE_LOG - 1 - note.len();
    cut(format!("Error: {}", one_line(message)), room) + &note
}

/// A message in one harmless line, without white space at its end.
#[must_use]
pub fn one_line(message: &str) -> String {
    escaped(message.trim_end(), EscapeForm::Plain).into_owned()
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
            let failure = Failure::from_download("ü".repeat(length));
            let message = termination_message(&failure, None);
            assert!(message.len() <= LIMIT);
            assert!(message.starts_with("InputDownloadFailed (recoverable):"));
            assert_eq!(message.ends_with(CUT), length > 2030);
            let message = termination_message(&failure, Some("and that, too"));
            assert!(message.len() <= LIMIT);
            assert!(message.ends_with("; and that, too"));
            let message = termination_message(&failure, Some(&"ü".repeat(length)));
            assert!(message.len() <= LIMIT);
            assert!(bounded(&failure.message).len() <= LIMIT);
        }
    }

    #[test]
    fn the_end_of_the_log_holds_code_kind_and_origin() {
        for message in [
            "x".repeat(5000),
            "x\n".repeat(5000),
            "\n".repeat(5000) + "x",
        ] {
            let failure = Failure::from_upload(message);
            let message = termination_message(&failure, None);
            for (note, end) in [(None, "…\n"), (Some("and this"), "…; and this\n")] {
                let log = format!("{}\n", last_words(&message, note));
                assert!(log.len() <= 2048 && log.lines().count() == 1, "{log}");
                assert!(log.starts_with("Error: OutputUploadFailed (recoverable): "));
                assert!(log.ends_with(end), "{log}");
            }
            let log = last_words(&message, Some(&message));
            assert!(log.len() < 2048, "{}", log.len());
        }
        assert_eq!(last_words("short\nenough\n", None), r"Error: short\nenough");
    }
}
