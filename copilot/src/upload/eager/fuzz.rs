//! The journal of early uploads, as a target of a fuzzer (`crate::fuzzing`): main can write there.

use super::journal;

/// Notes come from the text, and are not more than the sidecar holds.
pub(crate) fn journal(data: &[u8]) {
    let notes = journal::read(data).expect("bytes in memory can be read");
    let bytes: usize = notes.keys.iter().map(|key| key.len()).sum();
    assert!(bytes <= data.len() && notes.keys.len() <= 20_000);
    assert!(notes.uploads.len() <= data.len().min(1000));
    // What is noted again reads the same.
    let again: Vec<String> = notes
        .keys
        .iter()
        .map(|key| serde_json::json!(key).to_string())
        .collect();
    let again = journal::read(again.join("\n").as_bytes()).expect("as above");
    assert_eq!(again.keys, notes.keys);
}
