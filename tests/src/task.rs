//! One task of the platform: where its data is in the store and on disk, and the command lines of its two
//! containers.

use std::collections::BTreeMap;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{
    Blob, BlobMetadata, BlobType, ContainerError, Literal, LiteralMap, LiteralType, Message as _,
    SimpleType, TypedInterface, Variable, VariableEntry, VariableMap,
    blob_type::BlobDimensionality, decode_error_document, decode_literal_map, literal_type, scalar,
};

use crate::binary::{self, Ended};
use crate::fixture::Outcome;
use crate::site::Site;

/// The reference of the inputs.
pub const INPUTS: &str = "s3://data/task/inputs.pb";
/// The output prefix: `outputs.pb` and error documents.
pub const OUTPUTS: &str = "s3://data/task/out";
/// The raw prefix: files and directories.
pub const RAW: &str = "s3://data/task/raw";

/// The two names of the error document.
pub const DOCUMENTS: [&str; 2] = ["error.pb", "errors.pb"];

/// A task with a store of its own.
#[derive(Debug)]
pub struct Task {
    /// The store, and the working directory.
    pub site: Site,
}

impl Task {
    /// A task that has no inputs and no outputs yet.
    ///
    /// # Errors
    /// If its directories cannot be made or its server cannot start.
    pub fn start() -> io::Result<Self> {
        let task = Self {
            site: Site::start()?,
        };
        fs::create_dir(task.outputs_dir())?;
        Ok(task)
    }

    /// The input directory. The download makes it.
    #[must_use]
    pub fn inputs_dir(&self) -> PathBuf {
        self.site.work("inputs")
    }

    /// Main's output directory.
    #[must_use]
    pub fn outputs_dir(&self) -> PathBuf {
        self.site.work("outputs")
    }

    /// Where a sidecar of the fixtures writes its timeline.
    #[must_use]
    pub fn timeline(&self) -> PathBuf {
        self.site.work("timeline.json")
    }

    /// Puts an object into the bucket `data`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn put(&self, key: &str, content: impl AsRef<[u8]>) {
        let path = self.site.server.file("data", key);
        let folder = path.parent().expect("an object lies in a bucket");
        fs::create_dir_all(folder).expect("the store can be written");
        fs::write(path, content).expect("the store can be written");
    }

    /// Puts the task's inputs into the store.
    pub fn put_inputs<'a>(&self, literals: impl IntoIterator<Item = (&'a str, Literal)>) {
        let literals = literals
            .into_iter()
            .map(|(name, literal)| (name.to_owned(), literal))
            .collect();
        self.put("task/inputs.pb", LiteralMap { literals }.encode_to_vec());
    }

    /// Writes a file to the output directory, as main does.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write_output(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.outputs_dir().join(name);
        let folder = path.parent().expect("an output lies in its directory");
        fs::create_dir_all(folder).expect("the output directory can be written");
        fs::write(path, content).expect("the output directory can be written");
    }

    /// The downloader's arguments after the root flags.
    #[must_use]
    pub fn download_arguments(&self) -> Vec<String> {
        let to = self.inputs_dir().display().to_string();
        let mut arguments = words(&["download", "--from-remote", INPUTS]);
        arguments.extend(words(&["--to-output-prefix", OUTPUTS]));
        arguments.extend(words(&["--to-local-dir", &to]));
        arguments
    }

    /// The uploader's arguments after the root flags.
    #[must_use]
    pub fn sidecar_arguments(&self, interface: &TypedInterface) -> Vec<String> {
        let from = self.outputs_dir().display().to_string();
        let interface = BASE64_STANDARD.encode(interface.encode_to_vec());
        let mut arguments = words(&["sidecar", "--to-raw-output", RAW]);
        arguments.extend(words(&["--to-output-prefix", OUTPUTS]));
        arguments.extend(words(&["--from-local-dir", &from]));
        arguments.extend(words(&["--interface", &interface]));
        arguments
    }

    /// `copilot download` for this task.
    #[must_use]
    pub fn download(&self) -> Command {
        let mut command = binary::command();
        command
            .args(self.site.server.flags("data"))
            .args(self.download_arguments());
        command
    }

    /// `copilot sidecar` for outputs that exist already: it waits for no main.
    #[must_use]
    pub fn sidecar(&self, interface: &TypedInterface) -> Command {
        let mut command = binary::command();
        command
            .args(self.site.server.flags("data"))
            .args(self.sidecar_arguments(interface))
            .arg("--watcher=noop");
        command
    }

    /// What a sidecar left that has ended like this.
    ///
    /// # Panics
    /// If a file of that cannot be decoded.
    #[must_use]
    pub fn outcome(&self, ended: Ended) -> Outcome {
        let results = self.site.server.file("data", "task/out");
        Outcome::read(ended, &results, &self.timeline()).expect("what a sidecar leaves can be read")
    }

    /// The error in the document of this name, if it exists.
    ///
    /// # Panics
    /// If the document cannot be decoded.
    #[must_use]
    pub fn document(&self, name: &str) -> Option<ContainerError> {
        let bytes = fs::read(self.site.server.file("data", &format!("task/out/{name}"))).ok()?;
        let document = decode_error_document(bytes.as_slice()).expect("an error document");
        Some(document.error.expect("an error document says something"))
    }

    /// The committed outputs, if they exist.
    ///
    /// # Panics
    /// If `outputs.pb` cannot be decoded.
    #[must_use]
    pub fn outputs(&self) -> Option<LiteralMap> {
        let bytes = fs::read(self.site.server.file("data", "task/out/outputs.pb")).ok()?;
        Some(decode_literal_map(bytes.as_slice()).expect("a map of literals"))
    }

    /// The objects below a prefix of the bucket `data`, by the rest of their keys.
    #[must_use]
    pub fn objects(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        files(&self.site.server.file("data", prefix))
    }
}

/// Everything below a directory but directories, by relative path. Only regular files are read: a link may
/// lead back, and a pipe has no end.
#[must_use]
pub fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    collect(directory, "", &mut found);
    found
}

fn collect(directory: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    let entries = fs::read_dir(directory).into_iter().flatten();
    for entry in entries.filter_map(Result::ok) {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type();
        if kind.as_ref().is_ok_and(FileType::is_dir) {
            collect(&entry.path(), &format!("{name}/"), found);
            continue;
        }
        let content = match kind {
            Ok(kind) if kind.is_file() => fs::read(entry.path()).unwrap_or_default(),
            _ => Vec::new(),
        };
        found.insert(name, content);
    }
}

/// The literal of a blob at this reference.
#[must_use]
pub fn blob(uri: &str, dimensionality: BlobDimensionality) -> Literal {
    let blob_type = BlobType {
        dimensionality: dimensionality.into(),
        ..BlobType::default()
    };
    scalar::Value::Blob(Blob {
        metadata: Some(BlobMetadata {
            r#type: Some(blob_type),
        }),
        uri: uri.to_owned(),
    })
    .into()
}

/// The declared type of a simple output.
#[must_use]
pub fn simple(kind: SimpleType) -> literal_type::Type {
    literal_type::Type::Simple(kind.into())
}

/// The declared type of a file or directory.
#[must_use]
pub fn blob_type(dimensionality: BlobDimensionality) -> literal_type::Type {
    literal_type::Type::Blob(BlobType {
        dimensionality: dimensionality.into(),
        ..BlobType::default()
    })
}

/// An interface with these outputs.
#[must_use]
pub fn interface<'a>(
    outputs: impl IntoIterator<Item = (&'a str, literal_type::Type)>,
) -> TypedInterface {
    let variables = outputs.into_iter().map(|(name, kind)| VariableEntry {
        key: name.to_owned(),
        value: Some(Variable {
            r#type: Some(LiteralType {
                r#type: Some(kind),
                ..LiteralType::default()
            }),
            ..Variable::default()
        }),
    });
    TypedInterface {
        outputs: Some(VariableMap {
            variables: variables.collect(),
        }),
        ..TypedInterface::default()
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
