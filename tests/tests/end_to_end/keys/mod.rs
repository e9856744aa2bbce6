//! Keys as they are: what a reference names is what is asked for, both ways. A text that URLs read
//! differently may have been written as a URL, too; then its second key is asked for.

#![cfg(test)]

mod as_they_stand;
mod two_readings;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::blob_type::BlobDimensionality::Single;
use copilot::idl::{
    Literal, LiteralMap, Message as _, TypedInterface, decode_literal_map, literal, scalar,
};
use copilot_tests::binary::{self, Ended};
use copilot_tests::exact::ExactServer;
use copilot_tests::task::{blob, files};

/// A server, and the directories of a task.
struct Place {
    server: ExactServer,
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("out")).unwrap();
        let server = ExactServer::start().unwrap();
        Self { server, dir }
    }

    fn inputs(&self) -> PathBuf {
        self.dir.path().join("in")
    }

    fn command(&self) -> Command {
        let mut command = binary::command();
        command.args(self.server.flags());
        command
    }

    /// A download of these inputs, which are at `from`, with these further flags.
    fn download_from(&self, from: &str, literals: &LiteralMap, flags: &[&str]) -> Ended {
        let key = from.strip_prefix("s3://data/").unwrap();
        self.server.put(key, literals.encode_to_vec());
        let mut command = self.command();
        command.args(["download", "--from-remote", from]);
        command.args(["--to-output-prefix", "s3://data/out"]);
        command.arg("--to-local-dir").arg(self.inputs()).args(flags);
        binary::run(&mut command)
    }

    /// What a download of this input brings to `x`.
    fn fetch(&self, literal: Literal, flags: &[&str]) -> Ended {
        let _ = fs::remove_dir_all(self.inputs());
        let literals = [("x".to_owned(), literal)].into();
        self.download_from("s3://data/inputs.pb", &LiteralMap { literals }, flags)
    }

    /// The file that a download of the object at `uri` brings.
    fn file(&self, uri: &str) -> Result<String, Ended> {
        let ended = self.fetch(blob(uri, Single), &[]);
        if ended.code() != 0 {
            return Err(ended);
        }
        Ok(fs::read_to_string(self.inputs().join("x")).unwrap())
    }

    /// The files that a download of this input brings to the directory `x`.
    fn tree(&self, literal: Literal) -> Vec<String> {
        let ended = self.fetch(literal, &[]);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        files(&self.inputs().join("x")).into_keys().collect()
    }

    fn write(&self, name: &str) {
        let path = self.dir.path().join("out").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }

    fn upload(&self, declared: &TypedInterface, raw: &str, out: &str) -> Ended {
        let declared = BASE64_STANDARD.encode(declared.encode_to_vec());
        let mut command = self.command();
        command.args(["sidecar", "--watcher=noop", "--interface", &declared]);
        command.args(["--to-raw-output", raw, "--to-output-prefix", out]);
        command
            .arg("--from-local-dir")
            .arg(self.dir.path().join("out"));
        binary::run(&mut command)
    }

    fn outputs(&self, key: &str) -> LiteralMap {
        let bytes = self.server.get(key);
        let bytes = bytes.unwrap_or_else(|| panic!("{key} of {:?}", self.server.keys()));
        decode_literal_map(bytes).unwrap()
    }
}

fn uri(literal: &Literal) -> &str {
    match literal.value.as_ref().unwrap() {
        literal::Value::Scalar(scalar) => match scalar.value.as_ref().unwrap() {
            scalar::Value::Blob(blob) => &blob.uri,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}
