//! Types that values show: those of literals, and those of values that a person writes without a type.

use serde_json::Value;

use super::type_parser::{simple, typed, union_of};
use crate::idl::literal_type::Type;
use crate::idl::{Literal, LiteralType, SimpleType, literal, primitive, scalar};
use crate::literal::datetime;

/// The type that a literal shows, as far as it shows one. An element stands for all elements of its list.
pub(super) fn of_literal(value: &Literal) -> LiteralType {
    match &value.value {
        None | Some(literal::Value::OffloadedMetadata(_)) => LiteralType::default(),
        Some(literal::Value::Collection(list)) => {
            let element = list.literals.first().map(of_literal);
            typed(Type::CollectionType(Box::new(element.unwrap_or_else(any))))
        }
        Some(literal::Value::Map(map)) => {
            let element = map.literals.values().next().map(of_literal);
            typed(Type::MapValueType(Box::new(element.unwrap_or_else(any))))
        }
        Some(literal::Value::Scalar(scalar)) => scalar
            .value
            .as_ref()
            .map_or_else(LiteralType::default, of_scalar),
    }
}

/// The type of what is not there: any type reads an empty list.
fn any() -> LiteralType {
    simple(SimpleType::None)
}

fn of_scalar(value: &scalar::Value) -> LiteralType {
    match value {
        scalar::Value::Primitive(primitive) => match &primitive.value {
            None => LiteralType::default(),
            Some(primitive::Value::Integer(_)) => simple(SimpleType::Integer),
            Some(primitive::Value::FloatValue(_)) => simple(SimpleType::Float),
            Some(primitive::Value::StringValue(_)) => simple(SimpleType::String),
            Some(primitive::Value::Boolean(_)) => simple(SimpleType::Boolean),
            Some(primitive::Value::Datetime(_)) => simple(SimpleType::Datetime),
            Some(primitive::Value::Duration(_)) => simple(SimpleType::Duration),
        },
        scalar::Value::Blob(blob) => {
            let declared = blob.metadata.as_ref().and_then(|data| data.r#type.clone());
            typed(Type::Blob(declared.unwrap_or_default()))
        }
        scalar::Value::Binary(_) => simple(SimpleType::Binary),
        scalar::Value::Schema(schema) => {
            typed(Type::Schema(schema.r#type.clone().unwrap_or_default()))
        }
        scalar::Value::NoneType(_) => simple(SimpleType::None),
        scalar::Value::Error(_) => simple(SimpleType::Error),
        scalar::Value::Generic(_) => simple(SimpleType::Struct),
        scalar::Value::StructuredDataset(dataset) => {
            let metadata = dataset.metadata.as_ref();
            let declared = metadata.and_then(|data| data.structured_dataset_type.clone());
            typed(Type::StructuredDatasetType(declared.unwrap_or_default()))
        }
        scalar::Value::Union(union) => union_of(union.r#type.iter().cloned().collect()),
    }
}

/// The type of a value of JSON; the error says why it shows none.
pub(super) fn of_json(value: &Value) -> Result<LiteralType, &'static str> {
    Ok(match value {
        Value::Null => simple(SimpleType::None),
        Value::Bool(_) => simple(SimpleType::Boolean),
        Value::Number(number) if number.is_i64() => simple(SimpleType::Integer),
        Value::Number(_) => simple(SimpleType::Float),
        Value::String(text) if is_datetime(text) => simple(SimpleType::Datetime),
        Value::String(_) => simple(SimpleType::String),
        Value::Object(_) => simple(SimpleType::Struct),
        Value::Array(items) => typed(Type::CollectionType(Box::new(element(items)?))),
    })
}

fn element(items: &[Value]) -> Result<LiteralType, &'static str> {
    let mut types = items.iter().map(of_json);
    let first = types
        .next()
        .ok_or("an empty list does not show the type of its elements")??;
    types.try_fold(first, |found, next| {
        let next = next?;
        let float = simple(SimpleType::Float);
        let integer = simple(SimpleType::Integer);
        if found == next {
            Ok(found)
        } else if [&found, &next].contains(&&float) && [&found, &next].contains(&&integer) {
            Ok(float)
        } else {
            Err("the elements of the list have different types")
        }
    })
}

/// Whether a text is a point in time in full.
pub(super) fn is_datetime(text: &str) -> bool {
    datetime::parse(text).is_ok()
}
