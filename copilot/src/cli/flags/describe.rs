//! The flags of `copilot inspect` and `copilot make`.

use std::path::PathBuf;

use clap::Parser;

use super::GlobalFlags;
use crate::cli::value;

/// The flags of `copilot inspect`; the document is the first word.
#[derive(Debug, Parser)]
#[command(
    about = "Show inputs, outputs, an interface or an error document",
    override_usage = "copilot inspect [OPTIONS] <FILE|REF|BASE64|->",
    after_help = "Examples:\n  \
        copilot inspect inputs.pb\n  \
        copilot inspect s3://bucket/run/outputs.pb --json\n  \
        copilot inspect EgkKBwoBbxICCgA="
)]
pub(in crate::cli) struct InspectFlags {
    /// Show it as JSON, which `copilot make --from` reads
    #[arg(long)]
    pub json: bool,

    /// Show it as YAML, with the same content
    #[arg(long, conflicts_with = "json")]
    pub yaml: bool,

    /// What it is: values, interface, variables or error [default: its name and content tell]
    #[arg(long, value_name = "NAME")]
    pub kind: Option<String>,

    #[command(flatten)]
    pub global: GlobalFlags,
}

/// The flags of `copilot make`; each word is like an `--input`.
#[derive(Debug, Parser)]
#[command(
    about = "Make inputs.pb or an interface from JSON or words",
    override_usage = "copilot make [OPTIONS] [NAME=VALUE|NAME:TYPE=VALUE|NAME:TYPE]...",
    after_help = "Examples:\n  \
        copilot make x=3 data:file=s3://bucket/table.csv --to inputs.pb\n  \
        copilot make x:integer --output result:float    (an interface, as base64)\n  \
        copilot make --from inputs.json --to inputs.pb\n\n\
        Types: integer, float, string, boolean, datetime, duration, binary, struct, none,\n\
        file, file[csv], directory, dataset[csv], schema, enum[a, b], list[T], map[T], T | none."
)]
pub(in crate::cli) struct MakeFlags {
    /// An input: its value, or its type alone for an interface; may be repeated
    #[arg(long, value_name = "NAME[:TYPE][=VALUE]")]
    pub input: Vec<String>,

    /// An output of an interface; may be repeated
    #[arg(long, value_name = "NAME:TYPE")]
    pub output: Vec<String>,

    /// File of JSON or YAML: names and values, or what `copilot inspect --json` shows; - for standard input
    #[arg(long, value_name = "FILE", value_parser = value::path())]
    pub from: Option<PathBuf>,

    /// File for the message [default: base64 on standard output]
    #[arg(long, value_name = "FILE", value_parser = value::path())]
    pub to: Option<PathBuf>,

    #[command(flatten)]
    pub global: GlobalFlags,
}
