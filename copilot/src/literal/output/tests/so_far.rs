//! What would be uploaded if main ended now.

use super::types::{list_of, map_of, typed};
use super::*;
use crate::idl::UnionType;
use crate::idl::literal_type::Type;

fn single() -> Type {
    blob(BlobDimensionality::Single)
}

#[test]
fn what_is_wrong_or_missing_hides_nothing_else() {
    let outputs = interface([
        ("gone", single()),
        ("o", single()),
        ("two", single()),
        ("gap", list_of(single())),
        ("list", list_of(single())),
        ("count", simple(SimpleType::Integer)),
    ]);
    let view = Fake::new([
        ("o.csv", file("1")),
        ("two.a", file("1")),
        ("two.b", file("1")),
        ("gap/1", file("1")),
        ("list/0", file("1")),
        ("list/1", Node::Grows(b"12".to_vec())),
        ("count", file("no number")),
    ]);
    let blobs = data_so_far(&outputs, &view, OutputOptions::default());
    let names: Vec<String> = blobs.iter().map(|blob| blob.remote.join("/")).collect();
    assert_eq!(names, ["list/0", "list/1", "o.csv"]);
}

#[test]
fn it_is_what_the_plan_says_in_the_end() {
    let outputs = interface([
        ("a", single()),
        ("dir", blob(BlobDimensionality::Multipart)),
        ("files", map_of(list_of(single()))),
        ("word", simple(SimpleType::String)),
    ]);
    let view = Fake::new([
        ("a", file("1")),
        ("dir/x/y", file("1")),
        ("files/k/0.txt", file("1")),
        ("files/l/0", file("1")),
        ("word", file("1")),
    ]);
    let plan = run(&outputs, &view).unwrap();
    let blobs = data_so_far(&outputs, &view, OutputOptions::default());
    assert_eq!(blobs, plan.blobs);
    assert_eq!(blobs.len(), 4);
}

#[test]
fn types_have_data_if_any_part_of_them_may() {
    let union = |variants: Vec<Type>| {
        Type::UnionType(UnionType {
            variants: variants.into_iter().map(typed).collect(),
        })
    };
    for (kind, expected) in [
        (single(), true),
        (list_of(map_of(single())), true),
        (union(vec![simple(SimpleType::String), single()]), true),
        (Type::Schema(crate::idl::SchemaType::default()), true),
        (simple(SimpleType::Struct), false),
        (map_of(simple(SimpleType::String)), false),
        (union(vec![simple(SimpleType::String)]), false),
    ] {
        assert_eq!(has_data(&typed(kind.clone())), expected, "{kind:?}");
    }
    assert!(!has_data(&LiteralType::default()));
}
