//! Which message bytes are. All four messages begin with field 1, so the bytes alone do not tell. Bytes of one
//! kind that are read as another have fields which that one does not know, or end in the middle of a field.

use super::document::{Document, DocumentKind};

/// What a file's name says.
pub(super) fn by_name(name: &str) -> Option<DocumentKind> {
    match name {
        "inputs.pb" | "outputs.pb" => Some(DocumentKind::Values),
        "error.pb" | "errors.pb" => Some(DocumentKind::Error),
        _ => None,
    }
}

/// The kind that knows the most of the bytes. Of several that know all, the first in order.
pub(super) fn best(bytes: &[u8]) -> Option<Document> {
    let readings = DocumentKind::ALL
        .into_iter()
        .filter_map(|kind| Document::of_kind(bytes, kind).ok());
    // What a kind does not know, it does not write again.
    let known = |document: &Document| document.encode().len().min(bytes.len());
    let mut best: Option<(usize, Document)> = None;
    for document in readings {
        let known = known(&document);
        if best.as_ref().is_none_or(|(most, _)| known > *most) {
            best = Some((known, document));
        }
    }
    // Text may happen to be fields that nobody knows.
    best.filter(|(known, _)| *known > 0 || bytes.is_empty())
        .map(|(_, document)| document)
}
