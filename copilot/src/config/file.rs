//! One configuration file, from its path to a tree, and where each key stands. The extension decides the format
//! (spec §1.7).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::{ConfigError, FileRule, GrammarError};
use super::node::Node;
use super::source::SettingSource;
use super::yaml;
use crate::yaml::key_lines;

/// A Kubernetes Secret or `ConfigMap` holds at most 1 MiB, so none of its files is larger.
const LARGEST: u64 = 1024 * 1024;

/// A file that was read.
#[derive(Debug)]
pub(super) struct SettingsFile {
    pub(super) path: PathBuf,
    pub(super) tree: Node,
    /// The line of each key, by its path.
    lines: BTreeMap<String, usize>,
}

impl SettingsFile {
    /// The place of a key in this file; `key` is its path in any case.
    pub(super) fn source(&self, key: &str) -> SettingSource {
        SettingSource::File {
            path: self.path.clone(),
            line: self.lines.get(&key.to_lowercase()).copied(),
        }
    }
}

/// Reads and parses the file at `path`. `None` for a directory, which a pattern may match.
pub(super) fn read(path: &Path) -> Result<Option<SettingsFile>, ConfigError> {
    let failed = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let refused = |rule: FileRule| ConfigError::File {
        path: path.to_owned(),
        rule,
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Ok(None);
    }
    // Opening a FIFO would block.
    if !metadata.is_file() {
        return Err(refused(FileRule::NotRegular));
    }
    let format = FileFormat::from_path(path).map_err(refused)?;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(refused(FileRule::TooLarge));
    }
    let text = String::from_utf8(bytes).map_err(|_| refused(FileRule::NotUtf8))?;
    match format.parse(&text) {
        Ok(tree @ (Node::Map(_) | Node::Null)) => Ok(Some(SettingsFile {
            path: path.to_owned(),
            tree,
            // JSON is YAML, as far as lines go.
            lines: key_lines(&text),
        })),
        Ok(other) => Err(refused(FileRule::NoSections(other.description()))),
        Err((line, cause)) => Err(ConfigError::Syntax {
            path: path.to_owned(),
            line,
            cause,
        }),
    }
}

enum FileFormat {
    Yaml,
    Json,
}

impl FileFormat {
    fn from_path(path: &Path) -> Result<Self, FileRule> {
        let extension = path
            .extension()
            .map(|text| text.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("yaml" | "yml") => Ok(Self::Yaml),
            Some("json") => Ok(Self::Json),
            Some(other) => Err(FileRule::UnknownFormat(other.to_owned())),
            None => Err(FileRule::NoExtension),
        }
    }

    /// The tree, or the line of the error and its cause.
    fn parse(&self, text: &str) -> Result<Node, (usize, GrammarError)> {
        match self {
            Self::Yaml => yaml::parse(text).map_err(|error| (error.line, error.rule.into())),
            Self::Json => serde_json::from_str(text)
                .map(Node::from_json)
                .map_err(|error| (error.line(), error.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, content: &[u8]) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        read(&path).expect_err(name).to_string()
    }

    #[test]
    fn the_extension_decides_the_format() {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("a.yaml", "a: 1"),
            ("a.YML", "a: 1"),
            ("a.json", "{\"A\": 1}"),
        ] {
            let path = directory.path().join(name);
            fs::write(&path, content).unwrap();
            let expected = Node::Map([("a".to_owned(), Node::Scalar("1".to_owned()))].into());
            let file = read(&path).unwrap().unwrap();
            assert_eq!(file.tree, expected, "{name}");
            let line = Some(1);
            assert_eq!(file.source("A"), SettingSource::File { path, line });
        }
        assert!(read(directory.path()).unwrap().is_none());
    }

    #[test]
    fn refusals_name_the_file_and_what_to_do() {
        for (name, content, words) in [
            ("a.toml", b"".as_slice(), "\"toml\" is not supported"),
            ("a.properties", b"", "\"properties\" is not supported"),
            ("config", b"", "no extension"),
            ("a.yaml", b"- 1\n", "holds a list"),
            ("a.yaml", b"a: \xff\n", "not UTF-8"),
            ("b.yaml", b"a: [\n", "b.yaml, line"),
            ("b.json", b"{\n\"a\":,}", "b.json, line 2"),
            ("c.yaml", &vec![b' '; 1024 * 1024 + 1], "larger than 1 MiB"),
        ] {
            let message = refusal(name, content);
            assert!(message.contains(words), "{name}: {message}");
            assert!(message.contains(name), "{name}: {message}");
        }
    }
}
