//! A file or directory that stands for a value: its place, its name, and its content once it is read.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::problem::OutputRule;
use super::view::{EntryKind, OutputEntry, OutputView};

/// What was found in the output directory.
#[derive(Debug)]
pub struct FoundFile {
    /// Relative to the output directory.
    pub path: PathBuf,
    /// What it is.
    pub entry: OutputEntry,
}

/// A file or directory that stands for a value.
pub struct Item<'a> {
    /// The file or directory.
    pub found: FoundFile,
    /// The variable, then the indexes and keys that lead to the value.
    pub names: Vec<&'a str>,
    content: OnceCell<Vec<u8>>,
}

impl<'a> Item<'a> {
    pub fn new(names: Vec<&'a str>, found: FoundFile) -> Self {
        Self {
            found,
            names,
            content: OnceCell::new(),
        }
    }

    pub fn kind(&self) -> EntryKind {
        self.found.entry.kind
    }

    pub fn is_directory(&self) -> bool {
        self.kind() == EntryKind::Directory
    }

    /// Its full path, for messages.
    pub fn shown(&self, view: &impl OutputView) -> PathBuf {
        view.root().join(&self.found.path)
    }

    /// What follows the value's name in its file name, without the dot; empty if nothing follows. A map
    /// uses the whole file name as the key, so nothing follows there.
    pub fn extension(&self) -> &str {
        let file = self.found.path.file_name().and_then(|name| name.to_str());
        let name = self.names.last().copied().unwrap_or_default();
        file.and_then(|file| file.strip_prefix(name))
            .and_then(|rest| rest.strip_prefix('.'))
            .unwrap_or_default()
    }

    /// Whether its extension stands for YAML.
    pub fn is_yaml(&self) -> bool {
        matches!(self.extension(), "yaml" | "yml")
    }

    /// Fails for what has no content to upload: a pipe, a socket, a device.
    pub fn special(&self, view: &impl OutputView) -> Result<(), OutputRule> {
        match self.kind() {
            EntryKind::Special(kind) => Err(OutputRule::Special {
                kind,
                path: self.shown(view),
            }),
            EntryKind::File | EntryKind::Directory => Ok(()),
        }
    }

    /// An entry of this directory as the value `name`.
    pub fn child<'b>(&self, name: &'b str, file: &Path, entry: OutputEntry) -> Item<'b>
    where
        'a: 'b,
    {
        let mut names: Vec<&'b str> = self.names.clone();
        names.push(name);
        let path = self.found.path.join(file);
        Item::new(names, FoundFile { path, entry })
    }

    /// The bytes of a file, at most `limit`. The file is read once.
    pub fn content(
        &self,
        view: &impl OutputView,
        limit: u64,
        declared: impl Fn() -> String,
    ) -> Result<&[u8], OutputRule> {
        let path = || self.shown(view);
        self.special(view)?;
        if self.is_directory() {
            return Err(OutputRule::IsDirectory {
                declared: declared(),
                path: path(),
            });
        }
        if let Some(content) = self.content.get() {
            return Ok(content);
        }
        let too_large = |size| OutputRule::TooLarge {
            declared: declared(),
            path: path(),
            size,
            limit,
        };
        let size = self.found.entry.size;
        if size > limit {
            return Err(too_large(size));
        }
        // One byte more than allowed shows that the file grew.
        let content = view
            .read(&self.found.path, limit.saturating_add(1))
            .map_err(|cause| OutputRule::Unreadable {
                path: path(),
                cause,
            })?;
        let size = content.len() as u64;
        if size > limit {
            return Err(too_large(size));
        }
        Ok(self.content.get_or_init(|| content))
    }
}
