//! Literals, and the files of outputs, as targets of a fuzzer (`crate::fuzzing`).

use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::path::{Component, Path};

use serde_json::Value;

use super::input::{self, Arrival, Layout, Target};
use super::msgpack;
use super::output::{self, EntryKind, OutputEntry, OutputOptions, OutputView};
use super::render::{Binaries, MetadataFormat};
use super::{datetime, duration, float};
use crate::fuzzing::split;
use crate::idl::{Message as _, decode_literal_map, decode_typed_interface};
use crate::yaml::{self, YamlRule};

/// A map of literals: it decodes, plans and renders. What a plan names stays in the directory, and both texts
/// can be read.
pub(crate) fn literals(data: &[u8]) {
    let Ok(map) = decode_literal_map(data) else {
        return;
    };
    let again = decode_literal_map(&map.encode_to_vec()[..]);
    let again = again.unwrap_or_else(|error| panic!("encoded: {error}"));
    // A number that is not one equals nothing.
    assert_eq!(again.encode_to_vec(), map.encode_to_vec());
    for (layout, metadata) in [
        (Layout::Direct, MetadataFormat::Json),
        (Layout::NamedDir, MetadataFormat::Yaml),
    ] {
        let target = Target {
            directory: Path::new("/in"),
            layout,
            metadata,
            data: Arrival::Before,
            binaries: &Binaries::default(),
        };
        let Ok(plan) = input::plan(map.clone(), &target) else {
            continue;
        };
        let paths = plan
            .directories
            .iter()
            .chain(plan.blobs.iter().map(|blob| &blob.path));
        for path in paths {
            let mut parts = path.components();
            assert!(
                parts.all(|part| matches!(part, Component::Normal(_))),
                "{}",
                path.display()
            );
            assert!(path.as_os_str().len() < 4096);
        }
        for file in metadata.files() {
            let mut text = Vec::new();
            let written = file.write(&plan.literals, &plan.binaries, &mut text);
            written.expect("memory takes everything");
            assert!(text.len() <= 400 * data.len() + 4096, "{}", text.len());
            match file.name() {
                "inputs.json" => drop(serde_json::from_slice::<Value>(&text).expect("JSON")),
                "inputs.yaml" => readable(std::str::from_utf8(&text).expect("UTF-8")),
                _ => {}
            }
        }
        for file in plan.values() {
            let mut text = Vec::new();
            file.write_to(&mut text).expect("memory takes everything");
        }
    }
}

/// YAML that we write can be read, but for what our reader limits.
fn readable(text: &str) {
    match yaml::read::<Value>(text).map_err(|error| error.rule) {
        Ok(_) | Err(YamlRule::Depth(_) | YamlRule::Values(_) | YamlRule::MergeKey) => {}
        Err(rule) => panic!("{rule}: {text}"),
    }
}

/// An interface, and one content for each file of main: the plan can be written, and is not larger than that.
pub(crate) fn interfaces(data: &[u8]) {
    let (interface, content) = split(data);
    let Ok(interface) = decode_typed_interface(interface) else {
        return;
    };
    let declared = interface.outputs.unwrap_or_default();
    for names in [&["0", "1"][..], &["a.json", "b"], &[]] {
        let view = EqualFiles { content, names };
        let options = OutputOptions::default();
        let planned = output::plan(&declared, &view, options, |names| {
            format!("s3://b/{}", names.join("/"))
        });
        match planned {
            Ok(plan) => {
                let bytes = plan.literals.encode_to_vec();
                let again = decode_literal_map(&bytes[..]).expect("it was just encoded");
                assert_eq!(again.encode_to_vec(), bytes);
                assert!(output::data_so_far(&declared, &view, options).len() >= plan.blobs.len());
            }
            Err(error) => assert!(error.to_string().len() <= 64 << 10, "{error}"),
        }
        let _ = output::are_present(&declared, &view);
    }
}

/// A directory in which all files have the same content. What has `names` is a directory of files.
struct EqualFiles<'a> {
    content: &'a [u8],
    names: &'a [&'a str],
}

impl OutputView for EqualFiles<'_> {
    fn root(&self) -> &Path {
        Path::new("/out")
    }

    fn stat(&self, path: &Path) -> io::Result<Option<OutputEntry>> {
        let is_directory = path.iter().count() < 2 && !self.names.is_empty();
        let kind = if is_directory {
            EntryKind::Directory
        } else {
            EntryKind::File
        };
        let size = self.content.len() as u64;
        Ok(Some(OutputEntry { kind, size }))
    }

    fn names(&self, _: &Path, see: &mut dyn FnMut(&OsStr) -> ControlFlow<()>) -> io::Result<()> {
        let _ = self.names.iter().map(OsStr::new).try_for_each(see);
        Ok(())
    }

    fn read(&self, _: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.content[..self.content.len().min(most)].to_vec())
    }
}

/// Main's `_ERROR`: its words fit everywhere.
pub(crate) fn error_file(data: &[u8]) {
    let view = EqualFiles {
        content: data,
        names: &[],
    };
    let Ok(Some(error)) = output::user_error(&view) else {
        panic!("it can be read");
    };
    // What is not UTF-8 grows threefold; what is too long is cut.
    assert!(error.message.len() <= 3 * data.len() + 1024);
    let mut failure = crate::report::Failure::from_upload("");
    failure.message = error.message;
    if let Some(code) = error.code {
        failure.code = code.into();
    }
    crate::fuzzing::fits(&failure);
}

/// A binary value: what is accepted can be walked, and JSON can hold it.
pub(crate) fn messagepack(data: &[u8]) {
    if let Ok(value) = msgpack::check(data) {
        let most = data.len();
        let count = values(value);
        assert!(count <= most, "{count} values in {most} bytes");
    }
    let Ok(json) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let packed = msgpack::encode(&json).expect("JSON fits");
    if let Err(error) = msgpack::check(&packed) {
        panic!("{error}: {json}");
    }
}

fn values(value: msgpack::Value<'_>) -> usize {
    match value {
        msgpack::Value::List(list) => 1 + list.iter().map(values).sum::<usize>(),
        msgpack::Value::Map(map) => {
            let entries = map.entries().into_iter();
            1 + entries.map(|(_, value)| values(value)).sum::<usize>()
        }
        _ => 1,
    }
}

/// YAML of main: the tree is bounded, and as JSON it reads the same.
pub(crate) fn yaml(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let Ok(Some(tree)) = yaml::read::<Value>(text) else {
        return;
    };
    let json = tree.to_string();
    assert!(json.len() <= 64 << 20, "{} bytes", json.len());
    let again: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(again, tree);
}

/// Texts of datetimes, durations and numbers: what is read is the same once it is written.
pub(crate) fn times(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    // An offset may lead out of the years that can be written, which the reference allows as well.
    let years = -62_167_219_200..253_402_300_800_i64;
    let time = datetime::parse(text).ok();
    if let Some(time) = time.filter(|time| years.contains(&time.seconds)) {
        let written = datetime::format(&time);
        assert_eq!(datetime::parse(&written), Ok(time), "{written}");
    }
    if let Ok(time) = duration::parse(text) {
        let written = duration::format(time);
        assert_eq!(duration::parse(&written).ok(), Some(time), "{written}");
        assert_eq!(duration::nanoseconds(&duration::message(time)), time);
    }
    if let Ok(number) = float::parse(text) {
        let written = float::plain(number);
        let again = float::parse(&written).expect("it is a number");
        assert!(
            again.to_bits() == number.to_bits() || number.is_nan(),
            "{written}"
        );
    }
}
