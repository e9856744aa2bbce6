//! References that both halves of the platform read: flytekit opens what Copilot writes, and Copilot finds
//! what flytekit writes, odd names included.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::blob_type::BlobDimensionality::{Multipart, Single};
use copilot::idl::literal_type::Type;
use copilot::idl::{Message as _, SchemaType, SimpleType, TypedInterface};
use copilot_tests::binary;
use copilot_tests::exact::ExactServer;
use copilot_tests::python;
use copilot_tests::requirement::Requirement;
use copilot_tests::task::{blob_type, files, interface, simple};
use copilot_tests::values::{dataset_type, list_of, map_of, union_of};
use serde_json::{Value, json};

/// Keys of a map: names that some reader takes for syntax, and others.
const NAMES: [&str; 20] = [
    "plain.csv",
    "foo bar.csv",
    " x ",
    "é.csv",
    "e\u{301}",
    "日本.txt",
    "100%.csv",
    "a%41.csv",
    "a#b",
    "a?b",
    "[x]*.csv",
    "a::b",
    "a:b",
    "=a",
    "a+b&c=d;e",
    "a'b(c){d}",
    "a\nb",
    "\u{7f}",
    "C:\\x",
    "~",
];

struct Place {
    server: ExactServer,
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("out")).unwrap();
        Self {
            server: ExactServer::start().unwrap(),
            dir,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file to the output directory.
    fn write(&self, name: &str, content: &str) {
        let path = self.path("out").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// What flytekit answers; see `exchange.py`.
    fn flytekit(&self, what: &str, paths: &[&Path]) -> Value {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/exchange.py");
        let (access_key, secret_key) = self.server.access_key();
        let mut command = Command::new(python::path().unwrap());
        command
            .args([script, what])
            .args(paths)
            .env("FLYTE_AWS_ENDPOINT", self.server.endpoint())
            .env("FLYTE_AWS_ACCESS_KEY_ID", access_key)
            .env("FLYTE_AWS_SECRET_ACCESS_KEY", secret_key)
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("NO_PROXY", "127.0.0.1")
            .env("HOME", self.dir.path())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let run = command.output().unwrap();
        let errors = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{errors}");
        // flytekit may warn of something before.
        let said = String::from_utf8(run.stdout).unwrap();
        serde_json::from_str(said.lines().last().unwrap()).unwrap()
    }

    /// Uploads the outputs, and returns what flytekit finds by their references.
    fn opened(&self, declared: &TypedInterface, raw: &str) -> Value {
        let outputs = self.uploaded(declared, raw);
        self.flytekit("open", &[&self.path("sandbox"), &outputs])
    }

    /// Uploads the outputs, and returns a copy of `outputs.pb`.
    fn uploaded(&self, declared: &TypedInterface, raw: &str) -> PathBuf {
        let declared = BASE64_STANDARD.encode(declared.encode_to_vec());
        let mut command = binary::command();
        command
            .args(self.server.flags())
            .args(["sidecar", "--watcher=noop", "--interface", &declared])
            .args(["--to-raw-output", raw])
            .args(["--to-output-prefix", "s3://data/out"])
            .arg("--from-local-dir")
            .arg(self.path("out"));
        let ended = binary::run(&mut command);
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let outputs = self.path("outputs.pb");
        fs::write(&outputs, self.server.get("out/outputs.pb").unwrap()).unwrap();
        outputs
    }
}

#[test]
fn flytekit_opens_what_we_write() {
    if !Requirement::Python.is_met() {
        return;
    }
    // Not below `s3://data//raw`: there flytekit finds files, and takes directories for empty.
    for raw in [
        "s3://data/raw",
        "s3://data/team a/équipe",
        "s3://data/r%20w/",
    ] {
        let place = Place::new();
        let names: BTreeMap<&str, &str> = NAMES.map(|name| (name, name)).into();
        for name in NAMES {
            place.write(&format!("files/{name}"), name);
            place.write(&format!("dirs/{name}/sub/{name}"), name);
            place.write(&format!("tree.a#b/{name}"), name);
        }
        place.write("list/0.my ext", "zero");
        place.write("list/1.a%b", "one");
        place.write("optional.é", "some");
        place.write("schema/part #1", "rows");
        fs::create_dir(place.path("out/rows.d")).unwrap();
        let rows = place.flytekit("table", &[&place.path("out/rows.d/00000")]);
        let csv = place.flytekit("table_of_csv", &[&place.path("out/csv.csv")]);
        place.flytekit("table_of_csv", &[&place.path("out/typed")]);
        fs::create_dir(place.path("out/csv_dir")).unwrap();
        place.flytekit("table_of_csv", &[&place.path("out/csv_dir/.csv")]);
        let dirs: BTreeMap<&str, Value> = NAMES
            .map(|name| (name, json!({ format!("sub/{name}"): name })))
            .into();
        let declared = interface([
            ("files", map_of(blob_type(Single))),
            ("dirs", map_of(blob_type(Multipart))),
            ("list", list_of(blob_type(Single))),
            ("tree", blob_type(Multipart)),
            (
                "optional",
                union_of([blob_type(Single), simple(SimpleType::None)]),
            ),
            ("schema", Type::Schema(SchemaType::default())),
            ("rows", Type::StructuredDatasetType(dataset_type("parquet"))),
            ("csv", Type::StructuredDatasetType(dataset_type(""))),
            ("typed", Type::StructuredDatasetType(dataset_type("csv"))),
            ("csv_dir", Type::StructuredDatasetType(dataset_type("csv"))),
        ]);
        let expected = json!({
            "files": names,
            "dirs": dirs,
            "list": ["zero", "one"],
            "tree": names,
            "optional": "some",
            "schema": {"part #1": "rows"},
            "rows": rows,
            "csv": csv,
            "typed": csv,
            "csv_dir": csv,
        });
        assert_eq!(place.opened(&declared, raw), expected, "{raw}");
    }
}

/// Programs in Python write what `str` and `isoformat` make of their values.
#[test]
fn times_as_python_writes_them_are_outputs() {
    if !Requirement::Python.is_met() {
        return;
    }
    let place = Place::new();
    for (name, content) in [
        ("when", "2021-03-04 05:06:07.123456"),
        ("zone", "2021-03-04 05:06:07+02:00"),
        ("span", "1:30:00"),
        ("day", "1 day, 0:00:00"),
        ("back", "-1 day, 23:59:59.500000"),
        ("dates.json", r#"["2021-03-04", "2021-03-04T05:06:07"]"#),
        ("spans.yaml", "- '1:30:00'\n- 2 days, 3:04:05\n"),
    ] {
        place.write(name, content);
    }
    let times = || Type::Simple(SimpleType::Datetime.into());
    let spans = || Type::Simple(SimpleType::Duration.into());
    let declared = interface([
        ("when", times()),
        ("zone", times()),
        ("span", spans()),
        ("day", spans()),
        ("back", spans()),
        ("dates", list_of(times())),
        ("spans", list_of(spans())),
    ]);
    let outputs = place.uploaded(&declared, "s3://data/raw");
    let expected = json!({
        "when": "2021-03-04 05:06:07.123456+00:00",
        "zone": "2021-03-04 03:06:07+00:00",
        "span": "1:30:00",
        "day": "1 day, 0:00:00",
        "back": "-1 day, 23:59:59.500000",
        "dates": ["2021-03-04 00:00:00+00:00", "2021-03-04 05:06:07+00:00"],
        "spans": ["1:30:00", "2 days, 3:04:05"],
    });
    assert_eq!(place.flytekit("times", &[&outputs]), expected);
}

#[test]
fn we_find_what_flytekit_writes() {
    if !Requirement::Python.is_met() {
        return;
    }
    let place = Place::new();
    let inputs = place.path("inputs.pb");
    let written = place.flytekit("write", &[&place.path("sandbox"), &inputs]);
    place.server.put("inputs.pb", fs::read(&inputs).unwrap());
    let local = place.path("in");
    let mut command = binary::command();
    command
        .args(place.server.flags())
        .args(["download", "--from-remote", "s3://data/inputs.pb"])
        .args(["--to-output-prefix", "s3://data/out"])
        .arg("--to-local-dir")
        .arg(&local);
    let ended = binary::run(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let written = written.as_object().unwrap();
    assert!(written.len() > 20, "{}", written.len());
    for (name, expected) in written {
        let path = local.join(name);
        if name.contains("dataset") {
            // Parquet files; flytekit's reader is not needed to see that they came.
            let came = files(&path);
            assert!(!came.is_empty() && came.values().all(|rows| rows.starts_with(b"PAR1")));
        } else {
            assert_eq!(&found(&path, expected), expected, "{name}");
        }
    }
}

/// What a download has brought, in the form of what is expected.
fn found(path: &Path, expected: &Value) -> Value {
    match expected {
        Value::String(_) => fs::read_to_string(path).ok().into(),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(index, item)| found(&path.join(index.to_string()), item))
                .collect()
        }
        _ => {
            let came = files(path).into_iter();
            let came = came.map(|(name, text)| (name, String::from_utf8(text).unwrap().into()));
            Value::Object(came.collect())
        }
    }
}
