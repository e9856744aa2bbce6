//! Messages: inputs, interfaces, and what main says of its failure.

use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{
    LiteralCollection, LiteralMap, LiteralType, Message as _, TypedInterface, Variable,
    VariableEntry, VariableMap, decode_error_document, decode_literal, decode_literal_map,
    decode_typed_interface, decode_variable_map, literal, literal_type,
};
use copilot::literal::input::{self, Arrival, Layout, Offloaded, Target};
use copilot::literal::output::{self, EntryKind, OutputEntry, OutputOptions, OutputView};
use copilot::literal::render::{Binaries, MetadataFormat};
use proptest::prelude::*;

use crate::memory::peak_of;
use crate::mutation::{almost, golden};

/// Memory that any answer may take, in bytes, and how much more for each byte that came in. A literal
/// of two bytes on the wire is one of some hundred in memory, and its path stands beside it.
const MEMORY: (usize, usize) = (64 << 10, 400);

/// Runs the work over these bytes within its bound of memory.
fn bounded<T>(bytes: &[u8], work: impl FnOnce(&[u8]) -> T) -> T {
    let (outcome, peak) = peak_of(|| work(bytes));
    let (fixed, each) = MEMORY;
    let most = fixed + each * bytes.len();
    assert!(
        peak <= most,
        "{peak} bytes of memory for {} of input",
        bytes.len()
    );
    outcome
}

/// All that a download does with a map before it fetches data.
fn plan(bytes: &[u8]) -> Result<(), String> {
    let map = decode_literal_map(bytes).map_err(|error| error.to_string())?;
    let mut offloaded = Offloaded::new(map);
    let requests = offloaded
        .requests()
        .map_err(|error| error.to_string())?
        .len();
    if requests > 0 {
        // Each is the map's own bytes again, which are a literal at times.
        for index in 0..requests {
            offloaded
                .answer(index, bytes)
                .map_err(|error| error.to_string())?;
        }
        return Ok(());
    }
    let map = offloaded.into_map();
    for layout in [Layout::Direct, Layout::NamedDir] {
        let target = Target {
            directory: Path::new("/var/inputs"),
            layout,
            metadata: MetadataFormat::Yaml,
            data: Arrival::Before,
            binaries: &Binaries::default(),
        };
        let plan = input::plan(map.clone(), &target).map_err(|error| error.to_string())?;
        for value in plan.values() {
            value
                .write_to(&mut io::sink())
                .map_err(|error| error.to_string())?;
        }
        for format in [
            MetadataFormat::Json,
            MetadataFormat::Yaml,
            MetadataFormat::Proto,
        ] {
            for file in format.files() {
                let written = file.write(&plan.literals, &plan.binaries, &mut io::sink());
                written.map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(())
}

/// An output directory in which every name is a file of these bytes.
struct Everywhere<'a>(&'a [u8]);

impl OutputView for Everywhere<'_> {
    fn root(&self) -> &Path {
        Path::new("/var/outputs")
    }

    fn stat(&self, _: &Path) -> io::Result<Option<OutputEntry>> {
        Ok(Some(OutputEntry {
            kind: EntryKind::File,
            size: self.0.len() as u64,
        }))
    }

    fn names(&self, _: &Path, _: &mut dyn FnMut(&OsStr) -> ControlFlow<()>) -> io::Result<()> {
        Ok(())
    }

    fn read(&self, _: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let length = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.0[..self.0.len().min(length)].to_vec())
    }
}

/// The interfaces of the golden vectors.
fn interfaces() -> Vec<Vec<u8>> {
    let cases = golden("case.json");
    let interface = |case: &Vec<u8>| {
        let json: serde_json::Value = serde_json::from_slice(case).unwrap();
        BASE64_STANDARD.decode(json["interface"].as_str()?).ok()
    };
    cases.iter().filter_map(interface).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn inputs(bytes in almost(golden("inputs.pb"))) {
        let _ = bounded(&bytes, plan);
        let _ = bounded(&bytes, |bytes| decode_literal(bytes));
    }

    #[test]
    fn outputs(bytes in almost(golden("outputs.pb"))) {
        let _ = bounded(&bytes, |bytes| decode_error_document(bytes));
        let _ = bounded(&bytes, plan);
    }

    #[test]
    fn declared_outputs(bytes in almost(interfaces()), content: Vec<u8>) {
        let _ = bounded(&bytes, |bytes| decode_variable_map(bytes));
        let Ok(interface) = bounded(&bytes, |bytes| decode_typed_interface(bytes)) else {
            return Ok(());
        };
        let outputs = interface.outputs.unwrap_or_default();
        let view = Everywhere(&content);
        let all = [bytes.as_slice(), &content].concat();
        let _ = bounded(&all, |_| {
            let plan = output::plan(&outputs, &view, OutputOptions::default(), |names| names.join("/"));
            plan.map_err(|error| error.to_string())
        });
    }

    #[test]
    fn error_files(content in almost(vec![
        br#"{"code": "BadInput", "message": "x", "kind": "recoverable", "origin": "user"}"#.to_vec(),
        br#"{"message": "\u00e9\n", "kind": "non-recoverable"}"#.to_vec(),
        b"Traceback (most recent call last):\n".to_vec(),
        b"\xef\xbb\xbf{\"message\": [[[[{}]]]]}\r\n".to_vec(),
    ])) {
        let error = bounded(&content, |content| output::user_error(&Everywhere(content)));
        let error = error.unwrap().unwrap();
        // Nothing is lost: it is read as what it says, or shown as it is.
        prop_assert!(error.message.starts_with("User Error: ") || error.warning.is_none());
    }
}

/// Maps in maps, each with one long name, and a list of so many empty ones in the innermost.
fn beneath_long_names(levels: usize, many: usize) -> Vec<u8> {
    let empty = || literal::Value::Map(LiteralMap::default()).into();
    let many = LiteralCollection {
        literals: (0..many).map(|_| empty()).collect(),
    };
    let mut literal = literal::Value::Collection(many).into();
    for _ in 0..levels {
        let literals = [("n".repeat(255), literal)].into();
        literal = literal::Value::Map(LiteralMap { literals }).into();
    }
    let literals = [("deep".to_owned(), literal)].into();
    LiteralMap { literals }.encode_to_vec()
}

/// A path for each of them would be the square of the message.
#[test]
fn long_names_over_many_values() {
    let bytes = beneath_long_names(30, 20_000);
    let error = bounded(&bytes, plan).unwrap_err();
    assert!(error.contains("a path has at most 4095"), "{error}");

    let bytes = beneath_long_names(15, 100_000);
    let (outcome, peak) = peak_of(|| plan(&bytes));
    let error = outcome.unwrap_err();
    assert!(error.contains("more than 134217728 bytes"), "{error}");
    // Paths within their bound, and the messages themselves.
    assert!(peak < (128 << 20) + (100 << 20), "{peak}");
}

/// A value of two bytes each, as many as fit: refused before they are made.
#[test]
fn values_without_number() {
    let many = 3_000_000;
    let mut list = Vec::with_capacity(2 * many);
    for _ in 0..many {
        list.extend([0x0a, 0x00]);
    }
    let bytes = field(1, &[field(1, b"many"), field(2, &field(2, &list))].concat());
    let bytes = bytes::Bytes::from(bytes);
    let (outcome, peak) = peak_of(|| decode_literal_map(bytes));
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("values"), "{error}");
    assert!(peak < 1 << 20, "{peak}");
}

/// A field of the wire that holds bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(0x80 | u8::try_from(length & 0x7f).unwrap());
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes.extend(content);
    bytes
}

/// A million variables is a lot, and works.
#[test]
fn a_million_entries() {
    let integer = |n: i64| copilot::idl::primitive::Value::Integer(n).into();
    let literals = (0..1_000_000)
        .map(|n| (format!("v{n}"), integer(n)))
        .collect();
    let bytes = LiteralMap { literals }.encode_to_vec();
    let map = bounded(&bytes, |bytes| decode_literal_map(bytes)).unwrap();
    assert_eq!(map.literals.len(), 1_000_000);
    let target = Target {
        directory: Path::new("/var/inputs"),
        layout: Layout::Direct,
        metadata: MetadataFormat::Json,
        data: Arrival::Before,
        binaries: &Binaries::default(),
    };
    let plan = input::plan(map, &target).unwrap();
    assert_eq!(plan.values().count(), 1_000_000);
}

/// Nesting: what is too deep is refused, whichever way it nests.
#[test]
fn depth() {
    let mut declared = LiteralType::default();
    let mut lists = literal::Value::Map(LiteralMap::default()).into();
    for _ in 0..200 {
        declared = LiteralType {
            r#type: Some(literal_type::Type::CollectionType(Box::new(declared))),
            ..LiteralType::default()
        };
        lists = literal::Value::Collection(LiteralCollection {
            literals: vec![lists],
        })
        .into();
    }
    let literals = [("deep".to_owned(), lists)].into();
    let bytes = LiteralMap { literals }.encode_to_vec();
    let error = decode_literal_map(bytes.as_slice())
        .unwrap_err()
        .to_string();
    assert!(error.contains("recursion limit"), "{error}");

    let entry = VariableEntry {
        key: "deep".to_owned(),
        value: Some(Variable {
            r#type: Some(declared),
            ..Variable::default()
        }),
    };
    let interface = TypedInterface {
        outputs: Some(VariableMap {
            variables: vec![entry],
        }),
        ..TypedInterface::default()
    };
    let error = decode_typed_interface(interface.encode_to_vec().as_slice()).unwrap_err();
    assert!(error.to_string().contains("recursion limit"), "{error}");
}

/// One object that stands for a thousand of a thousand values.
#[test]
fn offloaded_literals_that_are_many_together() {
    let offloaded = || {
        let metadata = copilot::idl::LiteralOffloadedMetadata {
            uri: "s3://data/large".to_owned(),
            ..Default::default()
        };
        literal::Value::OffloadedMetadata(Box::new(metadata)).into()
    };
    let list = |literals| literal::Value::Collection(LiteralCollection { literals }).into();
    let many: copilot::idl::Literal = list((0..3_000).map(|_| offloaded()).collect());
    let literals = [("many".to_owned(), many)].into();
    let large: copilot::idl::Literal = list(vec![copilot::idl::Literal::default(); 1_000]);
    let large = bytes::Bytes::from(large.encode_to_vec());
    let mut offloaded = Offloaded::new(LiteralMap { literals });
    let requests = offloaded.requests().unwrap().len();
    let mut answers = (0..requests).map(|index| offloaded.answer(index, large.clone()));
    let error = answers.find_map(Result::err).unwrap().to_string();
    for part in ["\"many\"", "s3://data/large", "2000000 values"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(answers.len() > 900, "{}", answers.len());
}
