//! One task in every store: what its inputs bring, what its outputs leave, and what an error leaves
//! behind are the same wherever the data is.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::{
    Literal, LiteralMap, Message as _, SimpleType, decode_error_document, decode_literal_map,
    primitive,
};
use copilot_tests::binary::{self, Ended};
use copilot_tests::site::bytes;
use copilot_tests::stores::{self, Lack, Store};
use copilot_tests::task::{DOCUMENTS, blob, blob_type, files, interface, simple};

/// Several ranges, or parts.
const LARGE: usize = 20 << 20;

/// Names that a URL would take for something else, and ordinary ones.
const NAMES: [&str; 9] = [
    "one",
    "sub/two",
    "100% odd#",
    "a?b",
    "x#12",
    "é+",
    "a'b(c)&d=e",
    "日本/語",
    "a b/c%41",
];

#[test]
fn a_task_is_the_same_in_every_store() {
    for store in stores::all() {
        eprintln!("store: {}", store.name());
        let place = tempfile::tempdir().unwrap();
        let story = Story {
            store: &*store,
            place: place.path(),
        };
        match store.lacks() {
            None => {
                story.an_error_is_told();
                story.inputs_come_down("task/inputs.pb");
                story.outputs_go_up();
                story.outputs_are_inputs();
            }
            Some(lack) => {
                eprintln!(
                    "store: {}: not run: outputs, for it lacks {lack:?}",
                    store.name()
                );
                story.put_inputs();
                story.inputs_come_down("task/inputs.pb");
            }
        }
    }
}

struct Story<'a> {
    store: &'a dyn Store,
    place: &'a Path,
}

impl Story<'_> {
    fn has_prefixes(&self) -> bool {
        self.store.lacks() != Some(Lack::Prefixes)
    }

    fn reference(&self, key: &str) -> String {
        format!("{}/{key}", self.store.base())
    }

    /// What a task's inputs are, and the objects behind them.
    fn inputs(&self) -> (LiteralMap, BTreeMap<String, Vec<u8>>) {
        let at = |key: &str| format!("{}/task/in/{key}", self.store.blobs());
        let text = primitive::Value::StringValue("value".to_owned());
        let mut literals: BTreeMap<String, Literal> = BTreeMap::new();
        literals.insert("text".to_owned(), text.into());
        literals.insert("large".to_owned(), blob(&at("large"), Single));
        literals.insert("empty".to_owned(), blob(&at("empty"), Single));
        let mut objects = BTreeMap::from([
            ("large".to_owned(), bytes(LARGE, 1)),
            ("empty".to_owned(), Vec::new()),
        ]);
        if self.has_prefixes() {
            literals.insert("dir".to_owned(), blob(&at("dir"), Multipart));
            let beneath = NAMES.map(|name| (format!("dir/{name}"), name.into()));
            objects.extend(beneath);
        }
        let literals = literals.into_iter().collect();
        (LiteralMap { literals }, objects)
    }

    fn put_inputs(&self) {
        let (inputs, objects) = self.inputs();
        for (key, content) in objects {
            self.store.put(&format!("task/in/{key}"), &content);
        }
        if self.has_prefixes() {
            self.store.put("task/in/dir2/sibling", b"not beneath it");
        }
        self.store.put("task/inputs.pb", &inputs.encode_to_vec());
    }

    fn download(&self, inputs: &str) -> Ended {
        let mut command = self.store.command();
        command.args(["download", "--from-remote", &self.reference(inputs)]);
        command.args(["--to-output-prefix", &self.reference("task/out")]);
        command.arg("--to-local-dir").arg(self.place.join("in"));
        binary::run(&mut command)
    }

    /// An input that is not there yet; the platform then tries again.
    fn an_error_is_told(&self) {
        let (inputs, _) = self.inputs();
        self.store.put("task/inputs.pb", &inputs.encode_to_vec());
        let ended = self.download("task/inputs.pb");
        assert_eq!(ended.code(), 1, "{}", ended.stderr);
        for name in DOCUMENTS {
            let document = self.store.get(&format!("task/out/{name}")).unwrap();
            let error = decode_error_document(document.as_slice()).unwrap();
            let message = error.error.unwrap().message;
            let missing = ["empty", "large"].map(|name| self.reference(&format!("task/in/{name}")));
            assert!(
                missing.iter().any(|missing| message.contains(missing)),
                "{message}"
            );
            assert!(message.contains("does not exist"), "{message}");
        }
        assert!(!self.place.join("in/inputs.pb").exists());
        self.put_inputs();
    }

    /// Also after an error, of which then nothing is left.
    fn inputs_come_down(&self, inputs: &str) {
        let ended = self.download(inputs);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let found = files(&self.place.join("in"));
        let (_, mut expected) = self.inputs();
        expected.insert("text".to_owned(), b"value".to_vec());
        for name in ["inputs.pb", "inputs.json"] {
            expected.insert(name.to_owned(), found[name].clone());
        }
        let names = |map: &BTreeMap<String, Vec<u8>>| map.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected));
        assert!(found == expected, "the bytes differ");
        for name in DOCUMENTS {
            assert_eq!(self.store.get(&format!("task/out/{name}")), None, "{name}");
        }
    }

    fn outputs_go_up(&self) {
        let outputs = self.place.join("out");
        let (_, objects) = self.inputs();
        for (name, content) in &objects {
            let path = outputs.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        fs::write(outputs.join("text"), "value").unwrap();
        // Of an earlier run; the platform would believe it.
        self.store.put("task/out/errors.pb", b"stale");
        let declared = interface([
            ("text", simple(SimpleType::String)),
            ("large", blob_type(Single)),
            ("empty", blob_type(Single)),
            ("dir", blob_type(Multipart)),
        ]);
        let mut command: Command = self.store.command();
        command.args(["sidecar", "--to-raw-output", &self.reference("task/raw")]);
        command.args(["--to-output-prefix", &self.reference("task/out")]);
        command.arg("--from-local-dir").arg(&outputs);
        let declared = BASE64_STANDARD.encode(declared.encode_to_vec());
        command.args(["--interface", &declared, "--watcher=noop"]);
        let ended = binary::run(&mut command);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);

        for (name, content) in &objects {
            let found = self.store.get(&format!("task/raw/{name}"));
            assert!(found.as_ref() == Some(content), "{name}");
        }
        assert_eq!(self.store.get("task/out/errors.pb"), None);
        let committed = self.store.get("task/out/outputs.pb").unwrap();
        let committed = decode_literal_map(committed.as_slice()).unwrap();
        assert_eq!(committed.literals.len(), 4);
        let dir = format!("{:?}", committed.literals["dir"]);
        assert!(dir.contains(&self.reference("task/raw/dir")), "{dir}");
        let keys: Vec<_> = objects
            .keys()
            .map(|name| format!("task/raw/{name}"))
            .collect();
        let left = self.store.unfinished(&keys);
        assert!(left.is_empty(), "{left:?}");
    }

    /// The next task of the workflow gets what this one left.
    fn outputs_are_inputs(&self) {
        fs::remove_dir_all(self.place.join("in")).unwrap();
        self.inputs_come_down("task/out/outputs.pb");
    }
}
