//! `manifest.json`: the files of a run that succeeded, with sizes and checksums, and how main ended.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::checksum::Sha256;
use super::main_end::MainEnd;
use super::{LARGEST_DOCUMENT, TreeDocumentError, written_at};
use crate::report::Occurrence;

const FAMILY: &str = "copilot-manifest/";
const FORMAT: &str = "copilot-manifest/1";

/// At most so many bytes of text stand around the path of a file.
const BESIDE_PATH: usize = 128;

/// Room for all that is not the list of files: names of containers, the host name.
const BESIDE_FILES: usize = 256 << 10;

/// A file of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedFile {
    /// Its path below the prefix.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its checksum.
    pub sha256: Sha256,
}

/// What is read of a manifest. The rest is for people.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct TreeManifest {
    /// The host that wrote it: the pod's name in Kubernetes.
    pub worker: String,
    /// Its files, in the order of their paths.
    pub files: Vec<ListedFile>,
}

impl TreeManifest {
    /// Reads a manifest; `None` if the text is something else.
    ///
    /// # Errors
    /// It says that it is a manifest, and cannot be read as one.
    pub fn parse(text: &[u8]) -> Result<Option<Self>, TreeDocumentError> {
        super::read(text, FAMILY, FORMAT)
    }
}

/// Too many files for a manifest.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "the list of its files has more than {} MiB after {files} files: put the files into archives, or write fewer of \
     them",
    LARGEST_DOCUMENT >> 20
)]
pub struct TooManyFiles {
    /// How many files fit.
    pub files: usize,
}

/// The files of a manifest while they are uploaded, within a fixed number of bytes.
#[derive(Debug, Default)]
pub struct FileList {
    files: Vec<ListedFile>,
    /// How many files are expected.
    planned: usize,
    /// At most so many bytes of text the expected files take.
    text: usize,
}

impl FileList {
    /// Expects one more file.
    ///
    /// # Errors
    /// The manifest would be too large.
    pub fn expect(&mut self, path: &str) -> Result<(), TooManyFiles> {
        let room = usize::try_from(LARGEST_DOCUMENT).unwrap_or(usize::MAX) - BESIDE_FILES;
        let text = self.text + escaped_length(path) + BESIDE_PATH;
        if text > room {
            return Err(TooManyFiles {
                files: self.planned,
            });
        }
        self.text = text;
        self.planned += 1;
        Ok(())
    }

    /// Adds a file that is up.
    pub fn add(&mut self, file: ListedFile) {
        self.files.push(file);
    }

    /// Whether each expected file was added.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.files.len() == self.planned
    }

    /// The number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether it has no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The text of `manifest.json`: one line for each file, in the order of the paths.
    ///
    /// # Errors
    /// Never in practice: it writes texts and numbers into memory.
    pub fn into_manifest(
        mut self,
        main: &MainEnd,
        occurrence: &Occurrence,
    ) -> Result<Bytes, serde_json::Error> {
        self.files
            .sort_unstable_by(|one, other| one.path.cmp(&other.path));
        let head = Head {
            format: FORMAT,
            outcome: "succeeded",
            written_at: &written_at(occurrence.at),
            worker: &occurrence.worker,
            main,
            total: Total {
                files: self.files.len(),
                bytes: self.files.iter().map(|file| file.bytes).sum(),
            },
        };
        let mut text = serde_json::to_vec(&head)?;
        // Its closing brace comes after the files.
        text.pop();
        text.reserve(self.text);
        text.extend_from_slice(b",\"files\":[");
        for (index, file) in self.files.iter().enumerate() {
            text.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
            serde_json::to_writer(&mut text, file)?;
        }
        text.extend_from_slice(b"\n]}\n");
        Ok(text.into())
    }
}

/// The members before the files.
#[derive(Serialize)]
struct Head<'a> {
    format: &'a str,
    outcome: &'a str,
    written_at: &'a str,
    worker: &'a str,
    main: &'a MainEnd,
    total: Total,
}

#[derive(Serialize)]
struct Total {
    files: usize,
    bytes: u64,
}

/// How many bytes a text takes at most in JSON: a control character becomes `\u0000`.
fn escaped_length(text: &str) -> usize {
    let length = |c: char| match c {
        '"' | '\\' => 2,
        c if c.is_ascii_control() => 6,
        c => c.len_utf8(),
    };
    text.chars().map(length).sum()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    fn file(path: &str, bytes: u64) -> ListedFile {
        ListedFile {
            path: path.to_owned(),
            bytes,
            sha256: Sha256([0xab; 32]),
        }
    }

    fn manifest(files: Vec<ListedFile>) -> Bytes {
        let mut list = FileList::default();
        for file in &files {
            list.expect(&file.path).unwrap();
        }
        assert_eq!(list.is_complete(), files.is_empty());
        for file in files {
            list.add(file);
        }
        assert!(list.is_complete());
        let occurrence = Occurrence {
            at: UNIX_EPOCH + Duration::from_millis(1_700_000_000_250),
            worker: "train-x7".to_owned(),
        };
        let main = MainEnd {
            end: "exited with code 0".to_owned(),
            exit_code: Some(0),
            watcher: "ebpf".to_owned(),
            containers: vec!["main".to_owned()],
        };
        list.into_manifest(&main, &occurrence).unwrap()
    }

    #[test]
    fn a_manifest_has_one_line_for_each_file() {
        let text = manifest(vec![file("b", 2), file("a/x \"y\".csv", 1)]);
        let digits = "ab".repeat(32);
        let expected = format!(
            "{{\"format\":\"copilot-manifest/1\",\"outcome\":\"succeeded\",\"written_at\":\"2023-11-14T22:13:20.25Z\",\
             \"worker\":\"train-x7\",\"main\":{{\"end\":\"exited with code 0\",\"exit_code\":0,\"watcher\":\"ebpf\",\
             \"containers\":[\"main\"]}},\"total\":{{\"files\":2,\"bytes\":3}},\"files\":[\n\
             {{\"path\":\"a/x \\\"y\\\".csv\",\"bytes\":1,\"sha256\":\"{digits}\"}},\n\
             {{\"path\":\"b\",\"bytes\":2,\"sha256\":\"{digits}\"}}\n]}}\n"
        );
        assert_eq!(String::from_utf8_lossy(&text), expected);
        let read = TreeManifest::parse(&text).unwrap().unwrap();
        assert_eq!(read.worker, "train-x7");
        assert_eq!(read.files, [file("a/x \"y\".csv", 1), file("b", 2)]);
        let empty = manifest(Vec::new());
        assert_eq!(TreeManifest::parse(&empty).unwrap().unwrap().files, []);
    }

    #[test]
    fn other_files_of_this_name_are_no_manifests() {
        for text in [
            "",
            "{}",
            "[1]",
            "{\"format\": 3, \"files\": []}",
            "{\"name\": \"app\", \"icons\": []}",
            "{\"format\": \"parquet\"}",
            "{\"format\": \"copilot-manifest/1\"",
            "\u{fffd}",
        ] {
            assert!(
                TreeManifest::parse(text.as_bytes()).unwrap().is_none(),
                "{text}"
            );
        }
        for (text, words) in [
            ("{\"format\": \"copilot-manifest/2\"}", "newer version"),
            ("{\"format\": \"copilot-manifest/1\"}", "damaged"),
            (
                "{\"format\": \"copilot-manifest/1\", \"worker\": \"\", \"files\": [{\"path\": \"a\", \"bytes\": -1}]}",
                "damaged",
            ),
        ] {
            let error = TreeManifest::parse(text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_list_that_is_too_long_is_refused_before_it_is_written() {
        let mut list = FileList::default();
        let path = "d/".repeat(100) + "name";
        let refused = (0..1_000_000).find_map(|_| list.expect(&path).err());
        let files = refused.unwrap().files;
        // The next one is refused, too.
        assert_eq!(list.expect(&path), Err(TooManyFiles { files }));
        assert!((40_000..60_000).contains(&files), "{files}");
    }

    proptest! {
        /// What is expected is enough, and never too much to be read.
        #[test]
        fn the_text_is_never_longer_than_expected(
            paths in prop::collection::vec("[a-z/\"\\\\\n\u{0}\u{7f}é]{1,40}", 0..20),
            bytes: u32,
        ) {
            let expected: usize = paths.iter().map(|path| escaped_length(path) + BESIDE_PATH).sum();
            let files: Vec<ListedFile> = paths.iter().map(|path| file(path, u64::from(bytes))).collect();
            let text = manifest(files);
            prop_assert!(text.len() <= expected + 1_000);
            let read = TreeManifest::parse(&text).unwrap().unwrap();
            prop_assert_eq!(read.files.len(), paths.len());
        }
    }
}
