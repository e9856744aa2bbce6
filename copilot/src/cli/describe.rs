//! `copilot inspect` and `copilot make`: from flags to requests.

use std::ffi::OsString;

use super::choice::{Names, choose};
use super::flags::{self, InspectFlags, MakeFlags, Parsed};
use super::global::{given_path, global};
use super::rejection::Rejection;
use crate::command::{Command, Invocation};
use crate::describe::{DocumentForm, DocumentKind, Given, InspectRequest, MakeRequest};

/// The names of `--kind`.
const KINDS: Names<DocumentKind> = &[
    ("values", DocumentKind::Values),
    ("interface", DocumentKind::Interface),
    ("variables", DocumentKind::Variables),
    ("error", DocumentKind::Error),
];

/// `copilot inspect`.
pub(super) fn inspect(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    let mut flags =
        match flags::read::<InspectFlags>(Some(Command::Inspect), "copilot inspect", arguments)? {
            Parsed::Answer(answer) => return Ok(answer),
            Parsed::Flags(flags) => *flags,
        };
    let words = texts(std::mem::take(&mut flags.global.words))?;
    let [source] = words.as_slice() else {
        let count = words.len();
        return Err(Rejection::usage(format!(
            "copilot inspect takes one document, and {count} are given: name a file, a reference such as \
             s3://bucket/inputs.pb, base64, or - for standard input"
        )));
    };
    if source.is_empty() {
        return Err(Rejection::usage(
            "copilot inspect: the name of the document is empty",
        ));
    }
    let kind = flags.kind.as_deref();
    let kind = kind.map(|name| choose("--kind", name, KINDS)).transpose();
    let request = InspectRequest {
        source: source.clone(),
        form: match (flags.json, flags.yaml) {
            (true, _) => DocumentForm::Json,
            (_, true) => DocumentForm::Yaml,
            _ => DocumentForm::Words,
        },
        kind: kind.map_err(|error| Rejection::usage(error.to_string()))?,
    };
    let global = global(flags.global, &[]);
    Ok(Invocation::Inspect(Box::new(global), Box::new(request)))
}

/// `copilot make`.
pub(super) fn make(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    let mut flags = match flags::read::<MakeFlags>(Some(Command::Make), "copilot make", arguments)?
    {
        Parsed::Answer(answer) => return Ok(answer),
        Parsed::Flags(flags) => *flags,
    };
    let mut inputs = texts(std::mem::take(&mut flags.global.words))?;
    inputs.extend(flags.input);
    let request = MakeRequest {
        inputs: given_as("--input", &inputs)?,
        outputs: given_as("--output", &flags.output)?,
        from: given_path(flags.from.as_deref()),
        to: given_path(flags.to.as_deref()),
    };
    if request.inputs.is_empty() && request.outputs.is_empty() && request.from.is_none() {
        return Err(Rejection::usage(
            "copilot make: nothing is given to make a message of: give NAME=VALUE for inputs.pb, NAME:TYPE for an \
             interface, or --from FILE",
        ));
    }
    Ok(Invocation::Make(Box::new(request)))
}

/// Reads arguments that give variables.
pub(super) fn given_as(flag: &str, texts: &[String]) -> Result<Vec<Given>, Rejection> {
    let read = texts.iter().map(|text| {
        Given::parse(text).map_err(|error| Rejection::usage(format!("{flag} {error}")))
    });
    read.collect()
}

/// Words as text.
pub(super) fn texts(words: Vec<OsString>) -> Result<Vec<String>, Rejection> {
    let texts = words.into_iter().map(|word| {
        word.into_string().map_err(|word| {
            let word = word.to_string_lossy().into_owned();
            Rejection::usage(format!("the argument {word:?} is not UTF-8 text"))
        })
    });
    texts.collect()
}
