//! Which variants of a union a file's extension names. Three rules, the most exact first: the variant's
//! tag, simple type or format (`o.csv`); the common use of the extension (`o.json`); any file, if the
//! extension fits neither.

use crate::idl::literal_type::Type;
use crate::idl::{LiteralType, SimpleType};

/// The variants that `extension` names; empty if it names nothing.
pub fn named<'a>(variants: &'a [LiteralType], extension: &str) -> Vec<&'a LiteralType> {
    if extension.is_empty() {
        return Vec::new();
    }
    let rules: [fn(&LiteralType, &str) -> bool; 3] = [by_name, by_custom, by_being_a_file];
    rules
        .into_iter()
        .map(|rule| {
            variants
                .iter()
                .filter(|variant| rule(variant, extension))
                .collect()
        })
        .find(|found: &Vec<_>| !found.is_empty())
        .unwrap_or_default()
}

/// By tag, simple type or format.
fn by_name(variant: &LiteralType, extension: &str) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case(extension);
    if variant
        .structure
        .as_ref()
        .is_some_and(|structure| is(&structure.tag))
    {
        return true;
    }
    match &variant.r#type {
        Some(Type::Simple(number)) => {
            SimpleType::try_from(*number).is_ok_and(|kind| is(kind.as_str_name()))
        }
        Some(Type::Blob(blob)) => is(&blob.format),
        Some(Type::StructuredDatasetType(dataset)) => is(&dataset.format),
        _ => false,
    }
}

/// By the common use of the extension.
fn by_custom(variant: &LiteralType, extension: &str) -> bool {
    let is_struct = variant.r#type == Some(Type::Simple(SimpleType::Struct.into()));
    let is_string = variant.r#type == Some(Type::Simple(SimpleType::String.into()));
    match extension {
        "json" | "yaml" | "yml" => {
            let holds = matches!(
                &variant.r#type,
                Some(Type::CollectionType(_) | Type::MapValueType(_))
            );
            is_struct || holds
        }
        "txt" => is_string,
        "parquet" => matches!(
            &variant.r#type,
            Some(Type::Schema(_) | Type::StructuredDatasetType(_))
        ),
        _ => false,
    }
}

/// A file that may have any format.
fn by_being_a_file(variant: &LiteralType, _: &str) -> bool {
    match &variant.r#type {
        Some(Type::Blob(blob)) => blob.format.is_empty(),
        Some(Type::StructuredDatasetType(dataset)) => dataset.format.is_empty(),
        _ => false,
    }
}
