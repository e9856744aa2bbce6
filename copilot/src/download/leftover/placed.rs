//! Single files that an earlier download put into directories of this one: a volume outlives its
//! containers, and the inputs of the next run may be others. Under `NAMED_DIR` main would find two files for
//! one input, and after a list became shorter, elements that are not in it.
//!
//! Only files that the earlier run's own metadata names are removed. Anything else may be main's.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{debug, info};

use crate::beneath::{FileKind, GuardedDirectory, Place, kind};
use crate::download::DownloadError;
use crate::idl;
use crate::literal::input::{InputPlan, placed_files};
use crate::literal::render::MetadataFile;
use crate::transfer::remove;

/// The largest metadata file that is read, in bytes: it is in memory beside this run's inputs.
const LARGEST: u64 = 4 << 20;

/// The most values that it may hold: two bytes of it can be a value of a hundred bytes in memory. Main can write
/// to it.
const MOST_VALUES: usize = 100_000;

/// Removes these files, before this run writes its own.
pub(in crate::download) fn remove_placed(
    plan: &InputPlan,
    directory: &Arc<GuardedDirectory>,
) -> Result<(), DownloadError> {
    let directories: HashSet<&Path> = plan.directories.iter().map(PathBuf::as_path).collect();
    let planned: HashSet<&Path> = plan.blobs.iter().map(|blob| &*blob.path).collect();
    for path in of_an_earlier_run(directory) {
        let is_beside = path
            .parent()
            .is_some_and(|parent| directories.contains(parent));
        if !is_beside || planned.contains(&*path) || !is_file_beneath(directory, &path) {
            continue;
        }
        remove(&Place::new(directory, &path))?;
        info!(path = %path.display(), "removed: an earlier run put it there, and the inputs do not have it");
    }
    Ok(())
}

/// The files that the metadata of an earlier run names, if it can be read.
fn of_an_earlier_run(directory: &GuardedDirectory) -> Vec<PathBuf> {
    let metadata = directory.read_own(MetadataFile::Proto.name(), LARGEST);
    let bytes = metadata.unwrap_or_else(|error| {
        debug!(%error, "the metadata of an earlier run is not read");
        None
    });
    let bytes = bytes.filter(|bytes| idl::values_in_map(bytes) <= MOST_VALUES);
    let literals = bytes.and_then(|bytes| idl::decode_literal_map(&bytes[..]).ok());
    literals.map_or_else(Vec::new, |literals| {
        placed_files(&literals, directory.path())
    })
}

/// Whether the path leads to a regular file without a link on the way.
fn is_file_beneath(directory: &GuardedDirectory, path: &Path) -> bool {
    matches!(directory.entry(path), Ok(Some(found)) if kind(&found) == FileKind::File)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idl::{Blob, Literal, LiteralCollection, LiteralMap, Message as _, literal, scalar};

    #[test]
    fn metadata_of_too_many_values_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let uri = dir.path().join("x").display().to_string();
        for (count, found) in [(MOST_VALUES - 10, 1), (MOST_VALUES + 10, 0)] {
            let crowd = LiteralCollection {
                literals: vec![Literal::default(); count],
            };
            let blob = Blob {
                uri: uri.clone(),
                ..Blob::default()
            };
            let literals = [
                ("crowd".to_owned(), literal::Value::Collection(crowd).into()),
                ("x".to_owned(), scalar::Value::Blob(blob).into()),
            ];
            let map = LiteralMap {
                literals: literals.into(),
            };
            std::fs::write(dir.path().join("inputs.pb"), map.encode_to_vec()).unwrap();
            let directory = GuardedDirectory::open(dir.path()).unwrap();
            assert_eq!(of_an_earlier_run(&directory).len(), found, "{count}");
        }
    }
}
