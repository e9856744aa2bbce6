//! Which message bytes are. All four messages begin with field 1, so the bytes alone do not tell. Bytes of one
//! kind that are read as another have fields which that one does not know, or end in the middle of a field.

use super::document::{Document, DocumentKind};
use crate::idl::VariableMap;

/// What a file's name says.
pub(super) fn by_name(name: &str) -> Option<DocumentKind> {
    match name {
        "inputs.pb" | "outputs.pb" => Some(DocumentKind::Values),
        "error.pb" | "errors.pb" => Some(DocumentKind::Error),
        _ => None,
    }
}

/// The kind that knows the most of the bytes, and whose names are names. Of several such kinds, the first in order.
pub(super) fn best(bytes: &[u8]) -> Option<Document> {
    let readings = DocumentKind::ALL
        .into_iter()
        .filter_map(|kind| Document::of_kind(bytes, kind).ok());
    let mut best: Option<((bool, usize), Document)> = None;
    for document in readings {
        // What a kind does not know, it does not write again.
        let known = document.encode().len().min(bytes.len());
        let fit = (has_names(&document), known);
        if best.as_ref().is_none_or(|(most, _)| fit > *most) {
            best = Some((fit, document));
        }
    }
    // Text may happen to be fields that nobody knows.
    best.filter(|((_, known), _)| *known > 0 || bytes.is_empty())
        .map(|(_, document)| document)
}

/// Whether the names in a document are names. A message that is read as a name, as text, has control characters.
fn has_names(document: &Document) -> bool {
    let is_name = |name: &str| !name.contains(char::is_control);
    let are_names =
        |variables: &VariableMap| variables.variables.iter().all(|entry| is_name(&entry.key));
    match document {
        Document::Values(values) => values.literals.keys().all(|name| is_name(name)),
        Document::Interface(interface) => {
            let sides = [&interface.inputs, &interface.outputs];
            sides.into_iter().flatten().all(are_names)
        }
        Document::Variables(variables) => are_names(variables),
        Document::Error(document) => document.error.as_ref().is_none_or(|error| {
            let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
            is_name(&error.code) && !error.message.contains(is_odd)
        }),
    }
}
