//! A round's store, volume and prefixes, and what they hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use copilot_tests::minio::{ACCESS_KEY, Minio, SECRET_KEY};
use copilot_tests::task::{Task, files};
use copilot_tests::{binary, flags};

/// The kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    InProcess,
    Minio,
    Local,
}

/// One round's part of a store, and its volume.
pub struct World<'a> {
    /// Its volume, and the server in process.
    pub task: Task,
    pub kind: Kind,
    minio: Option<&'a Minio>,
    /// The part of all keys that is this round's own.
    base: String,
}

impl<'a> World<'a> {
    pub fn new(round: u64, kind: Kind, minio: Option<&'a Minio>) -> Self {
        Self {
            task: Task::start().unwrap(),
            kind,
            minio,
            base: format!("round-{round}"),
        }
    }

    /// The server's address, where there is a server.
    pub fn address(&self) -> Option<std::net::SocketAddr> {
        match self.kind {
            Kind::InProcess => Some(self.task.site.server.address()),
            Kind::Minio => self.minio.map(Minio::address),
            Kind::Local => None,
        }
    }

    /// A reference in this round's part of the store.
    pub fn reference(&self, key: &str) -> String {
        let scheme = if self.kind == Kind::Local {
            "file"
        } else {
            "s3"
        };
        format!("{scheme}://data/{}/{key}", self.base)
    }

    /// The program with the flags of the store, which it reaches at `endpoint`.
    pub fn command(&self, endpoint: &str) -> Command {
        let mut command = binary::command();
        command.args(match self.kind {
            Kind::InProcess => self.task.site.server.flags_through(endpoint, "data"),
            Kind::Minio => flags::s3(endpoint, "data", (ACCESS_KEY, SECRET_KEY)),
            Kind::Local => {
                let root = self.bucket().parent().unwrap().display().to_string();
                flags::stow("local", "data", &[("path", &root)])
            }
        });
        command
    }

    fn bucket(&self) -> PathBuf {
        let bucket = self.task.site.server.file("data", "x");
        bucket.parent().unwrap().to_owned()
    }

    /// Puts an object there.
    pub fn put(&self, key: &str, content: &[u8]) {
        let key = format!("{}/{key}", self.base);
        match (self.kind, self.minio) {
            (Kind::Minio, Some(minio)) => minio.put(&key, content),
            _ => self.task.put(&key, content),
        }
    }

    /// The objects below a prefix, by the rest of their keys.
    pub fn objects(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let prefix = format!("{}/{prefix}/", self.base);
        let (Kind::Minio, Some(minio)) = (self.kind, self.minio) else {
            return files(&self.bucket().join(&prefix));
        };
        let listed = minio.ask("GET", &format!("data?list-type=2&prefix={prefix}"), b"");
        let body = String::from_utf8(listed.unwrap().1).unwrap();
        let keys = body.split("<Key>").skip(1);
        let keys = keys.map(|rest| rest.split_once("</Key>").unwrap().0.to_owned());
        keys.filter_map(|key| {
            let name = key.strip_prefix(&prefix)?.to_owned();
            Some((name, minio.get(&key)?))
        })
        .collect()
    }

    /// Whether there is an object.
    pub fn has(&self, directory: &str, name: &str) -> bool {
        self.objects(directory).contains_key(name)
    }

    /// What unfinished multipart uploads to these objects have left.
    pub fn unfinished(&self, keys: &[&str]) -> Vec<String> {
        match (self.kind, self.minio) {
            (Kind::Minio, Some(minio)) => keys
                .iter()
                .flat_map(|key| minio.unfinished_uploads(&format!("{}/{key}", self.base)))
                .collect(),
            (Kind::Local, _) => Vec::new(),
            _ => {
                let left = self.task.site.server.unfinished_uploads().unwrap();
                left.iter().map(|path| path.display().to_string()).collect()
            }
        }
    }

    /// Makes main's output directory hold exactly these files.
    pub fn write_outputs(&self, outputs: &BTreeMap<String, Vec<u8>>) {
        let directory = self.task.outputs_dir();
        for name in files(&directory).into_keys() {
            if name != ".copilot-early" && !outputs.contains_key(&name) {
                fs::remove_file(directory.join(name)).unwrap();
            }
        }
        for (name, content) in outputs {
            self.task.write_output(name, content);
        }
    }
}
