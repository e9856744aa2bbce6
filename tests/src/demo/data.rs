//! The demo's inputs and outputs, and the arguments that the platform would pass for them.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use copilot::idl::{
    BlobType, Literal, LiteralMap, Message as _, SimpleType, TypedInterface,
    blob_type::BlobDimensionality, decode_literal_map, literal_type, primitive, scalar,
};
use serde_json::{Map, Value, json};

use super::BUCKET;
use crate::s3::S3Server;
use crate::task::{blob, blob_type, interface, simple};

const INPUTS: &str = "s3://flyte/demo/inputs.pb";
const OUTPUTS: &str = "s3://flyte/demo/out";
const RAW: &str = "s3://flyte/demo/raw";

/// Main's program. It only uses files; any program in any language could be here.
const PROGRAM: &str = r#"
set -eu
inputs=$1 outputs=$2 seconds=$3
sleep "$seconds" # a program that computes takes its time
number=$(cat "$inputs/number")
greeting=$(cat "$inputs/greeting")
awk -F, 'NR > 1 { print $1 "," $2 * '"$number"' }' "$inputs/table" > "$outputs/scaled.csv"
mkdir "$outputs/letters"
for file in "$inputs"/documents/*; do
    wc -c < "$file" > "$outputs/letters/$(basename "$file")"
done
awk -F, '{ sum += $2 } END { print sum }' "$outputs/scaled.csv" > "$outputs/total"
echo "$greeting, there are $(ls "$inputs/documents" | wc -l) documents" > "$outputs/report"
"#;

/// Uploads the inputs: a number, text, a CSV file, a directory of files.
pub(super) fn put(server: &S3Server) -> Result<()> {
    let put = |key: &str, content: &[u8]| -> Result<()> {
        let file = server.file(BUCKET, key);
        fs::create_dir_all(file.parent().context("an object lies in a bucket")?)?;
        Ok(fs::write(file, content)?)
    };
    put("demo/table.csv", b"name,weight\nann,2\nbob,3\ncid,5\n")?;
    put("demo/documents/one.txt", b"The first document.\n")?;
    put(
        "demo/documents/two.txt",
        b"The second one, somewhat longer.\n",
    )?;
    put("demo/documents/three.txt", b"And a third.\n")?;
    let inputs = LiteralMap {
        literals: [
            ("number", primitive::Value::Integer(7).into()),
            (
                "greeting",
                primitive::Value::StringValue("Hello".to_owned()).into(),
            ),
            (
                "table",
                blob("s3://flyte/demo/table.csv", BlobDimensionality::Single),
            ),
            (
                "documents",
                blob("s3://flyte/demo/documents", BlobDimensionality::Multipart),
            ),
        ]
        .into_iter()
        .map(|(name, literal)| (name.to_owned(), literal))
        .collect(),
    };
    put("demo/inputs.pb", &inputs.encode_to_vec())
}

/// The arguments that the platform gives to the downloader.
pub(super) fn download_arguments(to: &Path) -> Vec<OsString> {
    let mut arguments = words(&[
        "download",
        "--from-remote",
        INPUTS,
        "--to-output-prefix",
        OUTPUTS,
    ]);
    arguments.extend(["--to-local-dir".into(), to.into()]);
    arguments.extend(words(&[
        "--format",
        "JSON",
        "--file-input-layout",
        "DIRECT",
    ]));
    arguments
}

/// The arguments that the platform gives to the uploader.
pub(super) fn sidecar_arguments(from: &Path) -> Vec<OsString> {
    let interface = BASE64_STANDARD.encode(outputs_declared().encode_to_vec());
    let mut arguments = words(&["sidecar", "--timeout", "1h0m0s", "--to-raw-output", RAW]);
    arguments.extend(words(&[
        "--to-output-prefix",
        OUTPUTS,
        "--interface",
        &interface,
    ]));
    arguments.extend(["--from-local-dir".into(), from.into()]);
    arguments
}

/// Main's program and its arguments. It runs for at least `seconds`.
pub(super) fn main_arguments(inputs: &Path, outputs: &Path, seconds: u8) -> Vec<OsString> {
    let mut arguments = words(&["/bin/sh", "-c", PROGRAM, "main"]);
    arguments.extend([inputs.into(), outputs.into(), seconds.to_string().into()]);
    arguments
}

/// Reads `outputs.pb`, and describes each output.
pub(super) fn outputs(server: &S3Server) -> Result<Map<String, Value>> {
    let file = server.file(BUCKET, "demo/out/outputs.pb");
    let bytes = fs::read(file).context("the sidecar wrote no outputs.pb")?;
    let literals = decode_literal_map(bytes.as_slice())?;
    Ok(literals
        .literals
        .into_iter()
        .map(|(name, literal)| (name, in_words(&literal)))
        .collect())
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// The declared outputs.
fn outputs_declared() -> TypedInterface {
    let csv = literal_type::Type::Blob(BlobType {
        format: "csv".to_owned(),
        dimensionality: BlobDimensionality::Single.into(),
    });
    interface([
        ("total", simple(SimpleType::Integer)),
        ("report", simple(SimpleType::String)),
        ("scaled", csv),
        ("letters", blob_type(BlobDimensionality::Multipart)),
    ])
}

/// A literal in a readable form.
fn in_words(literal: &Literal) -> Value {
    use copilot::idl::literal::Value::Scalar;
    let Some(Scalar(scalar)) = &literal.value else {
        return json!(format!("{literal:?}"));
    };
    match &scalar.value {
        Some(scalar::Value::Primitive(primitive)) => match &primitive.value {
            Some(primitive::Value::Integer(number)) => json!(number),
            Some(primitive::Value::StringValue(text)) => json!(text),
            other => json!(format!("{other:?}")),
        },
        Some(scalar::Value::Blob(blob)) => json!(blob.uri),
        other => json!(format!("{other:?}")),
    }
}
