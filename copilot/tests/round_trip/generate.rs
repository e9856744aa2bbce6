//! Any type, and any literal of it.
//!
//! Within a union a file must tell the variant, or there is nothing to compare with: `5` may have
//! been a string. So the literals in it are *telling*: a float has a fraction, a string begins with
//! a word, and of the variants that take any file, or any directory, there is one.

use std::collections::BTreeMap;

use copilot::idl::blob_type::BlobDimensionality;
use copilot::idl::literal_type::Type;
use copilot::idl::schema_type::SchemaColumn;
use copilot::idl::structured_dataset_type::DatasetColumn;
use copilot::idl::{
    BlobType, EnumType, Literal, LiteralType, SchemaType, SimpleType, Struct,
    StructuredDatasetType, TypeAnnotation, TypeStructure, UnionType, Value, value,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::subsequence;

use self::values::any_literal;

mod values;

/// Variables by name, each with its type and value.
#[derive(Clone, Debug)]
pub struct Task {
    pub variables: BTreeMap<String, (LiteralType, Literal)>,
}

/// Some variables of any types.
pub fn any_task() -> impl Strategy<Value = Task> {
    let name = "[a-z0-9.?#%: é-]{1,6}".prop_filter("no file name of an input", |name| {
        !matches!(name.as_str(), "." | "..") && !name.starts_with("inputs")
    });
    prop::collection::btree_map(name, any_variable(), 0..4).prop_map(|variables| Task { variables })
}

/// Any type, and a value of it.
pub fn any_variable() -> impl Strategy<Value = (LiteralType, Literal)> {
    let variable = (any_type(), option::weighted(0.2, "[a-f0-9]{1,8}"));
    variable.prop_flat_map(|(declared, hash)| {
        let literal = any_literal(&declared, false).prop_map(move |mut literal| {
            hash.clone()
                .unwrap_or_default()
                .clone_into(&mut literal.hash);
            literal
        });
        (Just(declared), literal)
    })
}

/// Any type.
pub fn any_type() -> BoxedStrategy<LiteralType> {
    types(3, false)
}

/// Types that nest so deep; in a union they are telling.
fn types(depth: u32, telling: bool) -> BoxedStrategy<LiteralType> {
    let leaf = prop_oneof![
        4 => (0..=9_i32).prop_map(Type::Simple),
        1 => enumeration(telling),
        1 => blob(BlobDimensionality::Single),
        1 => blob(BlobDimensionality::Multipart),
        1 => schema(),
        1 => dataset(),
    ];
    let leaf = prop_oneof![9 => leaf.prop_map(typed), 1 => Just(packed())];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = move || types(depth - 1, telling).prop_map(Box::new);
    prop_oneof![
        3 => leaf,
        1 => inner().prop_map(Type::CollectionType).prop_map(typed),
        1 => inner().prop_map(Type::MapValueType).prop_map(typed),
        1 => union(depth),
    ]
    .boxed()
}

pub fn typed(kind: Type) -> LiteralType {
    LiteralType {
        r#type: Some(kind),
        ..LiteralType::default()
    }
}

/// A struct whose values flytekit marks as MessagePack.
fn packed() -> LiteralType {
    let fact = |name: &str, kind| Struct {
        fields: [(name.to_owned(), Value { kind: Some(kind) })].into(),
    };
    let format = value::Kind::StringValue("msgpack".to_owned());
    let format = value::Kind::StructValue(fact("serialization-format", format));
    LiteralType {
        annotation: Some(TypeAnnotation {
            annotations: Some(fact("cache-key-metadata", format)),
        }),
        ..typed(simple(SimpleType::Struct))
    }
}

fn enumeration(telling: bool) -> impl Strategy<Value = Type> {
    let value = if telling {
        "one-[a-z]{1,4}"
    } else {
        "\\PC{0,6}"
    };
    prop::collection::vec(value, 1..4).prop_map(|values| Type::EnumType(EnumType { values }))
}

fn blob(dimensionality: BlobDimensionality) -> impl Strategy<Value = Type> {
    "[a-z]{0,3}".prop_map(move |format| {
        Type::Blob(BlobType {
            format,
            dimensionality: dimensionality.into(),
        })
    })
}

fn schema() -> impl Strategy<Value = Type> {
    let column = ("[a-z]{1,3}", 0..6_i32);
    let column = column.prop_map(|(name, kind)| SchemaColumn { name, r#type: kind });
    prop::collection::vec(column, 0..3).prop_map(|columns| Type::Schema(SchemaType { columns }))
}

fn dataset() -> impl Strategy<Value = Type> {
    let column =
        ("[a-z]{1,3}", (0..=9_i32).prop_map(Type::Simple)).prop_map(|(name, kind)| DatasetColumn {
            name,
            literal_type: Some(typed(kind)),
        });
    let columns = prop::collection::vec(column, 0..3);
    let fields = ("(parquet|csv)?", columns, "(arrow)?", any::<Vec<u8>>());
    fields.prop_map(|(format, columns, external_schema_type, bytes)| {
        Type::StructuredDatasetType(StructuredDatasetType {
            columns,
            format,
            external_schema_type,
            external_schema_bytes: bytes.into(),
        })
    })
}

/// Some variants in any order, each of which a file or directory tells from the others.
fn union(depth: u32) -> impl Strategy<Value = LiteralType> {
    use SimpleType::{Binary, Boolean, Datetime, Duration, Float, Integer, None, String, Struct};
    let exact = [None, Boolean, Integer, Float, Datetime, Duration, Struct].map(simple);
    let list = types(depth - 1, true).prop_map(|element| Type::CollectionType(Box::new(element)));
    let map = types(depth - 1, true).prop_map(|value| Type::MapValueType(Box::new(value)));
    let directory = prop_oneof![
        map,
        blob(BlobDimensionality::Multipart),
        schema(),
        dataset()
    ];
    let text = prop_oneof![Just(simple(String)), Just(simple(SimpleType::Error))];
    let bytes = prop_oneof![Just(simple(Binary)), blob(BlobDimensionality::Single)];
    let variants = (
        subsequence(exact.to_vec(), 1..=7),
        option::of(enumeration(true)),
        option::of(list),
        option::of(directory),
        option::of(text),
        option::of(bytes),
    );
    let variants = variants.prop_map(|(mut variants, one, two, three, four, five)| {
        variants.extend([one, two, three, four, five].into_iter().flatten());
        variants
    });
    let tagged = |kind| {
        "(tag-[a-z]{1,3})?".prop_map(move |tag| LiteralType {
            structure: (!tag.is_empty()).then(|| TypeStructure {
                tag,
                ..TypeStructure::default()
            }),
            ..typed(Type::clone(&kind))
        })
    };
    variants
        .prop_shuffle()
        .prop_flat_map(move |variants| variants.into_iter().map(tagged).collect::<Vec<_>>())
        .prop_map(|variants| typed(Type::UnionType(UnionType { variants })))
}

fn simple(kind: SimpleType) -> Type {
    Type::Simple(kind.into())
}
