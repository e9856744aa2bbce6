//! Local files and directories as inputs: `@PATH` becomes a reference, wherever its type has data.

use std::path::{Path, PathBuf, absolute};

use serde_json::Value;

use super::GivenError;
use crate::describe::type_parser::typed;
use crate::describe::type_words;
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::literal_type::Type;
use crate::idl::{BlobType, LiteralType};
use crate::literal::output;

/// The value with references in the place of `@PATH`, wherever its type has data; a value `@PATH` without a type is a
/// file or a directory, as the path shows.
pub(super) fn with_local_data(
    name: &str,
    kind: Option<LiteralType>,
    mut value: Value,
) -> Result<(Option<LiteralType>, Value), GivenError> {
    let Some(kind) = kind else {
        let Some(path) = local_path(&value) else {
            return Ok((None, value));
        };
        let (path, is_directory) = found(name, Path::new(path))?;
        let dimensionality = if is_directory {
            BlobDimensionality::Multipart
        } else {
            BlobDimensionality::Single
        };
        let kind = typed(Type::Blob(BlobType {
            dimensionality: dimensionality.into(),
            ..BlobType::default()
        }));
        return Ok((Some(kind), path.into()));
    };
    replace(name, &kind, &mut value)?;
    Ok((Some(kind), value))
}

/// The path behind a single `@`.
fn local_path(value: &Value) -> Option<&str> {
    let path = value.as_str()?.strip_prefix('@')?;
    (!path.is_empty() && !path.starts_with('@')).then_some(path)
}

fn replace(name: &str, kind: &LiteralType, value: &mut Value) -> Result<(), GivenError> {
    match (&kind.r#type, &mut *value) {
        (Some(Type::Blob(blob)), _) => {
            let Some(path) = local_path(value).map(PathBuf::from) else {
                return Ok(());
            };
            let (reference, is_directory) = found(name, &path)?;
            if is_directory != (blob.dimensionality() == BlobDimensionality::Multipart) {
                return Err(GivenError::Kind {
                    name: name.to_owned(),
                    path,
                    found: if is_directory { "directory" } else { "file" },
                    declared: type_words(kind),
                });
            }
            *value = reference.into();
        }
        (Some(Type::Schema(_) | Type::StructuredDatasetType(_)), _) => {
            if let Some(path) = local_path(value) {
                let (reference, _) = found(name, Path::new(path))?;
                *value = reference.into();
            }
        }
        (Some(Type::CollectionType(of)), Value::Array(items)) => {
            for item in items {
                replace(name, of, item)?;
            }
        }
        (Some(Type::MapValueType(of)), Value::Object(members)) => {
            for member in members.values_mut() {
                replace(name, of, member)?;
            }
        }
        (Some(Type::UnionType(union)), Value::String(_)) => {
            let with_data = union.variants.iter().find(|kind| output::has_data(kind));
            if let Some(variant) = with_data {
                replace(name, variant, value)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The reference of a local file or directory, and whether it is a directory.
fn found(name: &str, path: &Path) -> Result<(String, bool), GivenError> {
    let look = || {
        let real = absolute(path)?;
        let found = std::fs::metadata(&real)?;
        Ok((real, found.is_dir()))
    };
    let (real, is_directory) = look().map_err(|cause| GivenError::Data {
        name: name.to_owned(),
        path: path.to_owned(),
        cause,
    })?;
    let text = real.to_str().ok_or_else(|| GivenError::NotUtf8 {
        name: name.to_owned(),
        path: path.to_owned(),
    })?;
    let text = text.trim_end_matches('/');
    Ok((format!("file://{text}"), is_directory))
}
