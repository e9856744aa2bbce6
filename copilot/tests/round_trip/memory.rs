//! An output directory in memory: what a plan of inputs lays out.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use copilot::literal::input::{BlobKind, InputPlan};
use copilot::literal::output::{EntryKind, OutputEntry, OutputView};

/// What a fetched object holds: no text, so that no other type takes it for its own.
const OBJECT: [u8; 3] = [0xff, 0xfe, 0];

/// Files by path; directories have no content.
pub struct Memory(BTreeMap<PathBuf, Option<Vec<u8>>>);

impl Memory {
    pub fn laid(plan: &InputPlan) -> Self {
        let directories = plan.directories.iter().map(|path| (path.clone(), None));
        let mut laid = Self(directories.collect());
        for value in plan.values() {
            let mut content = Vec::new();
            value.write_to(&mut content).unwrap();
            laid.0.insert(value.path, Some(content));
        }
        for blob in &plan.blobs {
            let mut path = blob.path.clone();
            if blob.kind != BlobKind::Object {
                path.push("part");
                laid.0.insert(path.clone(), None);
                path.push("data");
            }
            laid.0.insert(path, Some(OBJECT.to_vec()));
        }
        laid
    }

    pub fn with_file(name: &str, content: Vec<u8>) -> Self {
        Self([(name.into(), Some(content))].into())
    }
}

impl OutputView for Memory {
    fn root(&self) -> &Path {
        Path::new("/out")
    }

    fn stat(&self, path: &Path) -> io::Result<Option<OutputEntry>> {
        Ok(self.0.get(path).map(|content| OutputEntry {
            kind: match content {
                Some(_) => EntryKind::File,
                None => EntryKind::Directory,
            },
            size: content.as_ref().map_or(0, Vec::len) as u64,
        }))
    }

    fn names(
        &self,
        directory: &Path,
        see: &mut dyn FnMut(&OsStr) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let beneath = self.0.range(directory.to_owned()..);
        let paths = beneath
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(directory));
        let children = paths.filter(|path| path.parent() == Some(directory));
        let _ = children
            .filter_map(|path| path.file_name())
            .try_for_each(see);
        Ok(())
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        match self.0.get(path) {
            Some(Some(content)) => {
                let limit = usize::try_from(limit).unwrap();
                Ok(content.iter().copied().take(limit).collect())
            }
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
