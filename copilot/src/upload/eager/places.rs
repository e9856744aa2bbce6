//! Where each file of the output directory would go if main ended now.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::limit::NameCount;
use crate::idl::blob_type::BlobDimensionality;
use crate::literal::output::BlobOutput;

/// The places of the files that the plan has so far.
#[derive(Debug, Default)]
pub struct Places {
    files: BTreeMap<PathBuf, Vec<String>>,
    trees: BTreeMap<PathBuf, Vec<String>>,
}

impl Places {
    /// The places of these blobs, as many as go up early.
    pub fn from_blobs(blobs: Vec<BlobOutput>) -> Self {
        let mut places = Self::default();
        let mut count = NameCount::default();
        for blob in blobs {
            let names: usize = blob.remote.iter().map(String::len).sum();
            if !count.add(blob.path.as_os_str().len() + names) {
                break;
            }
            let of_kind = match blob.kind {
                BlobDimensionality::Single => &mut places.files,
                BlobDimensionality::Multipart => &mut places.trees,
            };
            of_kind.insert(blob.path, blob.remote);
        }
        places
    }

    /// The segments of the file's name below the raw prefix, or `None` if no known output has the file.
    pub fn find(&self, path: &Path) -> Option<Vec<String>> {
        if let Some(names) = self.files.get(path) {
            return Some(names.clone());
        }
        let (tree, names) = path
            .ancestors()
            .skip(1)
            .find_map(|above| self.trees.get_key_value(above))?;
        let below = path.strip_prefix(tree).ok()?.iter();
        let below: Option<Vec<String>> =
            below.map(|name| name.to_str().map(str::to_owned)).collect();
        Some([names.clone(), below?].concat())
    }

    /// The files and directories that are new since `before`.
    pub fn new_since(&self, before: &Self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let fresh = |now: &BTreeMap<PathBuf, Vec<String>>,
                     then: &BTreeMap<PathBuf, Vec<String>>| {
            let then: HashSet<&PathBuf> = then.keys().collect();
            now.keys()
                .filter(|path| !then.contains(path))
                .cloned()
                .collect()
        };
        (
            fresh(&self.files, &before.files),
            fresh(&self.trees, &before.trees),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(path: &str, kind: BlobDimensionality, remote: &[&str]) -> BlobOutput {
        BlobOutput {
            variable: remote[0].to_owned(),
            path: path.into(),
            kind,
            size: 0,
            remote: remote.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn a_file_goes_to_the_place_of_its_blob_or_beneath_it() {
        let places = Places::from_blobs(vec![
            blob("o.csv", BlobDimensionality::Single, &["o"]),
            blob("list/0.d", BlobDimensionality::Multipart, &["list", "0"]),
        ]);
        let find = |path: &str| places.find(Path::new(path)).map(|names| names.join("/"));
        assert_eq!(find("o.csv").as_deref(), Some("o"));
        assert_eq!(find("list/0.d/a/b").as_deref(), Some("list/0/a/b"));
        for path in ["o", "o.csv/x", "list", "list/0.d", "list/0/a", "list/1", ""] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn new_files_and_directories_are_found() {
        let before = Places::from_blobs(vec![blob("a", BlobDimensionality::Single, &["a"])]);
        let now = Places::from_blobs(vec![
            blob("a", BlobDimensionality::Single, &["a"]),
            blob("b", BlobDimensionality::Single, &["b"]),
            blob("c", BlobDimensionality::Multipart, &["c"]),
        ]);
        let (files, trees) = now.new_since(&before);
        assert_eq!((files, trees), (vec!["b".into()], vec!["c".into()]));
    }
}
