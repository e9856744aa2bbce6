//! What main leaves behind, for the question whether it has been and gone.

use super::UploadTarget;
use crate::idl::VariableMap;
use crate::track::Marker;
use crate::upload;

/// What in the output directory says that main has ended, in words. Nothing that a program writes
/// while it runs may count: all the declared outputs must be there, and there must be some.
pub(super) fn of_main(target: &UploadTarget, declared: &VariableMap) -> Option<String> {
    let directory = &target.from_local_dir;
    let marker = [Marker::Success, Marker::Error]
        .into_iter()
        .map(Marker::file_name)
        .find(|name| directory.join(name).symlink_metadata().is_ok());
    if let Some(marker) = marker {
        return Some(format!("{marker} lies in the output directory"));
    }
    let all_there = !declared.variables.is_empty() && upload::are_present(directory, declared);
    all_there.then(|| "all declared outputs lie in the output directory".to_owned())
}
