//! One configuration file, from its path to a tree. The extension tells the format (spec §1.7).

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::error::ConfigError;
use super::node::Node;
use super::yaml;

/// A Kubernetes Secret or `ConfigMap` holds at most 1 MiB, hence no file of one is larger.
const LARGEST: u64 = 1024 * 1024;

/// Reads and parses the file at `path`. `None` when it is a directory, which a pattern may match.
pub(super) fn read(path: &Path) -> Result<Option<Node>, ConfigError> {
    let failed = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let refused = |rule: String| ConfigError::File {
        path: path.to_owned(),
        rule,
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Ok(None);
    }
    // A FIFO would be waited for.
    if !metadata.is_file() {
        return Err(refused("it is not a regular file".to_owned()));
    }
    let format = Format::of(path).map_err(refused)?;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(refused("it is larger than 1 MiB".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8 text".to_owned()))?;
    match format.parse(&text) {
        Ok(node @ (Node::Map(_) | Node::Null)) => Ok(Some(node)),
        Ok(other) => Err(refused(format!(
            "it holds {}, where sections such as `storage:` are asked for",
            other.description()
        ))),
        Err((line, rule)) => Err(ConfigError::Syntax {
            path: path.to_owned(),
            line,
            rule,
        }),
    }
}

enum Format {
    Yaml,
    Json,
}

impl Format {
    fn of(path: &Path) -> Result<Self, String> {
        let extension = path
            .extension()
            .map(|text| text.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("yaml" | "yml") => Ok(Self::Yaml),
            Some("json") => Ok(Self::Json),
            Some(other) => Err(format!(
                "the format {other:?} is not supported; write it as .yaml, .yml or .json"
            )),
            None => Err("its name has no extension; call it .yaml, .yml or .json".to_owned()),
        }
    }

    fn parse(&self, text: &str) -> Result<Node, (usize, String)> {
        match self {
            Self::Yaml => yaml::parse(text).map_err(|error| (error.line, error.rule.to_string())),
            Self::Json => serde_json::from_str(text)
                .map(Node::from_json)
                .map_err(|error| (error.line(), error.to_string())),
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
    fn formats_are_told_by_extension() {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("a.yaml", "a: 1"),
            ("a.YML", "a: 1"),
            ("a.json", "{\"A\": 1}"),
        ] {
            let path = directory.path().join(name);
            fs::write(&path, content).unwrap();
            let expected = Node::Map([("a".to_owned(), Node::Scalar("1".to_owned()))].into());
            assert_eq!(read(&path).unwrap(), Some(expected), "{name}");
        }
        assert_eq!(read(directory.path()).unwrap(), None);
    }

    #[test]
    fn refusals_name_the_file_and_the_way_out() {
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
