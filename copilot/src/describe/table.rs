//! Documents in words: lines of columns, each in one harmless line whatever the values hold.

use serde_json::Value;

use super::document::Document;
use super::infer;
use super::json::{origin, shown};
use super::type_words::type_words;
use crate::idl::{
    ContainerError, ErrorDocument, Literal, LiteralMap, TypedInterface, VariableMap,
    container_error,
};
use crate::literal::datetime;
use crate::report::{EscapeForm, escaped};

/// How many characters of a value are shown.
const LONGEST_VALUE: usize = 200;

/// Lines of columns, aligned.
#[derive(Debug, Default)]
pub struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    /// Adds a line. Its texts become harmless: a text may come from a program or a store.
    pub fn line<const N: usize>(&mut self, columns: [&str; N]) {
        let columns = columns.map(|text| escaped(text, EscapeForm::Plain).into_owned());
        self.lines.push(columns.into());
    }

    /// Adds a line for a value: its name, its type in words, the value in one line.
    pub fn value(&mut self, name: &str, declared: &str, literal: &Literal) {
        let value = shown(literal, Some(&infer::of_literal(literal)));
        self.line([name, declared, &one_line(&value)]);
    }

    /// The lines, each indented by two spaces.
    #[must_use]
    pub fn text(&self) -> String {
        let columns = self.lines.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let texts = self.lines.iter().filter_map(|line| line.get(column));
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for line in &self.lines {
            let padded = line
                .iter()
                .zip(&widths)
                .map(|(column, width)| format!("{column:width$}"));
            let padded = padded.collect::<Vec<_>>().join("  ");
            text.push_str("  ");
            text.push_str(padded.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A value in one line, cut if long.
fn one_line(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// A number of bytes for people.
#[must_use]
pub fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let power = (bytes.ilog2() / 10).clamp(1, 4);
    let (whole, unit) = (1_u64 << (10 * power), UNITS[power as usize - 1]);
    // Tenths in whole numbers: a double would round sizes that people compare.
    let tenths = u128::from(bytes) * 10 / u128::from(whole);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// A document in words.
pub(super) fn document(document: &Document) -> String {
    match document {
        Document::Values(values) => of_values(values),
        Document::Interface(interface) => of_interface(interface),
        Document::Variables(variables) => side("variables", Some(variables)),
        Document::Error(error) => of_error(error),
    }
}

fn of_values(values: &LiteralMap) -> String {
    let count = values.literals.len();
    let mut table = Table::default();
    for (name, literal) in &values.literals {
        table.value(name, &type_words(&infer::of_literal(literal)), literal);
    }
    let noun = if count == 1 { "value" } else { "values" };
    format!("{count} {noun}\n{}", table.text())
}

fn of_interface(interface: &TypedInterface) -> String {
    let inputs = side("inputs", interface.inputs.as_ref());
    let outputs = side("outputs", interface.outputs.as_ref());
    format!("{inputs}{outputs}")
}

fn side(name: &str, variables: Option<&VariableMap>) -> String {
    let mut table = Table::default();
    for entry in variables.into_iter().flat_map(|side| &side.variables) {
        let value = entry.value.as_ref();
        let declared = value.and_then(|value| value.r#type.as_ref());
        let words = declared.map_or_else(|| "(not set)".to_owned(), type_words);
        let description = value.map_or("", |value| &value.description);
        table.line([&entry.key, &words, description]);
    }
    match table.text() {
        lines if lines.is_empty() => format!("{name}: none\n"),
        lines => format!("{name}\n{lines}"),
    }
}

fn of_error(document: &ErrorDocument) -> String {
    let Some(error) = &document.error else {
        return "an error document that says nothing\n".to_owned();
    };
    let mut table = Table::default();
    table.line(["code", &error.code]);
    table.line(["message", &error.message]);
    table.line(["retry", retry(error)]);
    table.line(["caused by", &origin(error)]);
    if let Some(at) = &error.timestamp {
        table.line(["at", &datetime::format(at)]);
    }
    if !error.worker.is_empty() {
        table.line(["worker", &error.worker]);
    }
    format!("error\n{}", table.text())
}

fn retry(error: &ContainerError) -> &'static str {
    match error.kind() {
        container_error::Kind::Recoverable => "may help (recoverable)",
        container_error::Kind::NonRecoverable => "cannot help (not recoverable)",
    }
}
