//! Error documents of other runs, and files of settings.

use crate::config::yaml;
use crate::idl::decode_error_document;
use crate::report::{Failure, Occurrence, document, last_words, termination_message};
use crate::yaml::key_lines;

/// An error document becomes a failure, and the failure fits everywhere.
pub(super) fn documents(data: &[u8]) {
    let read = decode_error_document(data);
    let Some(error) = read.ok().and_then(|document| document.error) else {
        return;
    };
    fits(&Failure::from_document(error));
}

/// Checks what is reported of a failure: the document comes back, and texts are single lines of bounded length.
pub(crate) fn fits(failure: &Failure) {
    let occurrence = Occurrence {
        at: std::time::UNIX_EPOCH,
        worker: "pod".to_owned(),
    };
    let bytes = document(failure, &occurrence);
    assert!(bytes.len() < 2 << 20, "{}", bytes.len());
    let again = decode_error_document(&bytes[..])
        .ok()
        .and_then(|read| read.error);
    let again = again.map(Failure::from_document).expect("it can be read");
    assert_eq!((again.kind, again.origin), (failure.kind, failure.origin));
    if failure.message.len() < 1 << 20 && failure.code.len() < 1 << 10 {
        assert_eq!(&again, failure);
    }
    let message = termination_message(failure, Some("and\nmore"));
    assert!(
        message.len() <= 4096 && !message.contains(char::is_control),
        "{message:?}"
    );
    let words = last_words(&message, Some("and\nthis"));
    assert!(
        words.len() < 2048 && !words.contains(char::is_control),
        "{words:?}"
    );
}

/// A file of settings. Its errors are short, and so is what is kept of its lines.
pub(super) fn settings(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let lines = key_lines(text);
    let is_small = |(key, line): (&String, &usize)| key.len() <= 512 && *line <= text.len() + 1;
    assert!(lines.iter().all(is_small), "{lines:?}");
    if let Err(error) = yaml::parse(text) {
        let message = error.to_string();
        assert!(message.len() <= 8 * text.len() + 4096, "{message}");
    }
}
