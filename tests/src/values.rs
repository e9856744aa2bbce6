//! Literals and their types by short names.

use copilot::idl::{
    EnumType, Literal, LiteralCollection, LiteralMap, LiteralType, Schema, SchemaType, SimpleType,
    StructuredDataset, StructuredDatasetMetadata, StructuredDatasetType, Union, UnionType, Void,
    literal, literal_type::Type, primitive, scalar,
};

/// An integer.
#[must_use]
pub fn integer(value: i64) -> Literal {
    primitive::Value::Integer(value).into()
}

/// A string.
#[must_use]
pub fn text(value: &str) -> Literal {
    primitive::Value::StringValue(value.to_owned()).into()
}

/// The literal of the type NONE.
#[must_use]
pub fn nothing() -> Literal {
    scalar::Value::NoneType(Void {}).into()
}

/// A list.
#[must_use]
pub fn list<const N: usize>(literals: [Literal; N]) -> Literal {
    let literals = literals.into();
    literal::Value::Collection(LiteralCollection { literals }).into()
}

/// A map.
#[must_use]
pub fn map<const N: usize>(entries: [(&str, Literal); N]) -> Literal {
    let literals = entries.map(|(key, value)| (key.to_owned(), value)).into();
    literal::Value::Map(LiteralMap { literals }).into()
}

/// A union whose variant is this simple type.
#[must_use]
pub fn union(variant: SimpleType, value: Literal) -> Literal {
    scalar::Value::Union(Box::new(Union {
        value: Some(Box::new(value)),
        r#type: Some(typed(Type::Simple(variant.into()))),
    }))
    .into()
}

/// A structured dataset without columns.
#[must_use]
pub fn dataset(uri: &str, format: &str) -> Literal {
    let metadata = StructuredDatasetMetadata {
        structured_dataset_type: Some(dataset_type(format)),
    };
    scalar::Value::StructuredDataset(Box::new(StructuredDataset {
        uri: uri.to_owned(),
        metadata: Some(metadata),
    }))
    .into()
}

/// A schema without columns.
#[must_use]
pub fn schema(uri: &str) -> Literal {
    scalar::Value::Schema(Schema {
        uri: uri.to_owned(),
        r#type: Some(SchemaType::default()),
    })
    .into()
}

/// A type without annotations.
#[must_use]
pub fn typed(kind: Type) -> LiteralType {
    LiteralType {
        r#type: Some(kind),
        ..LiteralType::default()
    }
}

/// The type of a list of these.
#[must_use]
pub fn list_of(kind: Type) -> Type {
    Type::CollectionType(Box::new(typed(kind)))
}

/// The type of a map of these.
#[must_use]
pub fn map_of(kind: Type) -> Type {
    Type::MapValueType(Box::new(typed(kind)))
}

/// The type of a union of these.
#[must_use]
pub fn union_of<const N: usize>(kinds: [Type; N]) -> Type {
    Type::UnionType(UnionType {
        variants: kinds.map(typed).into(),
    })
}

/// The type of an enumeration.
#[must_use]
pub fn enum_of<const N: usize>(values: [&str; N]) -> Type {
    Type::EnumType(EnumType {
        values: values.map(str::to_owned).into(),
    })
}

/// The type of a structured dataset without columns.
#[must_use]
pub fn dataset_type(format: &str) -> StructuredDatasetType {
    StructuredDatasetType {
        format: format.to_owned(),
        ..StructuredDatasetType::default()
    }
}
