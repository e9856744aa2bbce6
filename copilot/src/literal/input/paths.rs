//! Paths below the input directory: joining checked names, and the names of a list's elements under the
//! layout `NAMED_DIR` (spec §3.7).

use std::collections::{HashMap, HashSet};

use super::file_name::{ObjectKeys, cut, file_name};
use super::plan::Layout;
use super::problem::InputRule;
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::{Literal, literal, scalar};

/// `parent/name`, or `name` at the top.
pub fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}/{name}")
    }
}

/// The URI of a literal that is itself a blob of one object. Only these keep their own name under
/// `NAMED_DIR`.
pub fn single_blob(literal: &Literal) -> Option<&str> {
    let Some(literal::Value::Scalar(scalar)) = &literal.value else {
        return None;
    };
    let Some(scalar::Value::Blob(blob)) = &scalar.value else {
        return None;
    };
    let declared = blob
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.r#type.as_ref());
    let dimensionality = declared.map_or(0, |declared| declared.dimensionality);
    (dimensionality == BlobDimensionality::Single as i32).then_some(&*blob.uri)
}

/// How many times an index is put in front of a name that is taken. A name that was not chosen for this
/// purpose needs it once.
const MOST_INDEXES: usize = 20;

/// The file name of each element of a list, in order.
///
/// Under `NAMED_DIR` an element that is a single blob keeps its object's name, with its index in front
/// as often as needed until the name is free. Every other element is named by its index.
pub fn element_names(
    elements: &[Literal],
    layout: Layout,
    keys: &ObjectKeys,
) -> Vec<Result<String, InputRule>> {
    let indexes = || (0..elements.len()).map(|index| index.to_string());
    if layout == Layout::Direct {
        return indexes().map(Ok).collect();
    }
    // Names by index cannot change, so they come first.
    let mut taken: HashSet<String> = indexes()
        .zip(elements)
        .filter(|(_, literal)| single_blob(literal).is_none())
        .map(|(name, _)| name)
        .collect();
    let names = indexes().zip(elements).map(|(index, literal)| {
        let Some(uri) = single_blob(literal) else {
            return Ok(index);
        };
        let mut name = file_name(uri, keys);
        for _ in 0..=MOST_INDEXES {
            if taken.insert(name.clone()) {
                return Ok(name);
            }
            name = cut(format!("{index}_{name}"));
        }
        Err(InputRule::NoFreeName(uri.to_owned()))
    });
    names.collect()
}

/// Finds names in one directory that differ in case only.
#[derive(Default)]
pub struct CaseClashes<'a> {
    seen: HashMap<String, &'a str>,
}

impl<'a> CaseClashes<'a> {
    /// Adds `name`; returns an earlier name that some file systems treat as the same.
    pub fn insert(&mut self, name: &'a str) -> Option<&'a str> {
        self.seen.insert(name.to_lowercase(), name)
    }
}
