//! Which files show that main has run and ended.

use std::path::Path;

use crate::beneath::{FileKind, GuardedDirectory, SharedDirectory, kind};
use crate::idl::VariableMap;
use crate::track::Marker;
use crate::upload;

/// Says in words what in the output directory shows that main has ended. Files that a program writes while
/// it runs do not count: all declared outputs must exist, and at least one must be declared.
pub(super) fn of_end(outputs: &SharedDirectory, declared: &VariableMap) -> Option<String> {
    let directory = &outputs.open().ok()?;
    let marker = [Marker::Success, Marker::Error]
        .into_iter()
        .map(Marker::file_name)
        .find(|name| is_regular(directory, name));
    if let Some(marker) = marker {
        return Some(format!("{marker} is in the output directory"));
    }
    let all_there = !declared.variables.is_empty() && upload::are_present(directory, declared);
    all_there.then(|| "all declared outputs are in the output directory".to_owned())
}

/// Whether main has left `_SUCCESS`.
pub(super) fn says_success(outputs: &SharedDirectory) -> bool {
    let opened = outputs.open();
    opened.is_ok_and(|directory| is_regular(&directory, Marker::Success.file_name()))
}

/// Whether a regular file has this name: main may make anything.
fn is_regular(directory: &GuardedDirectory, name: &str) -> bool {
    let entry = directory.entry(Path::new(name));
    matches!(entry, Ok(Some(found)) if kind(&found) == FileKind::File)
}
