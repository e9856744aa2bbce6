//! AWS's files of profiles, as a target of a fuzzer (`crate::fuzzing`).

use super::ini;

/// Names and values stand in the text; an error never quotes it, since it may be a secret.
pub(crate) fn ini(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    match ini::parse(text) {
        Ok(sections) => {
            let settings = sections.values().flatten();
            let bytes: usize = settings.map(|(_, value)| value.len()).sum();
            assert!(bytes <= text.len());
        }
        Err(error) => assert!(error.to_string().len() < 100, "{error}"),
    }
}
