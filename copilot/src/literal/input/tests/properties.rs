//! What holds for every map.

use proptest::prelude::*;

use super::*;
use crate::idl::decode_literal_map;

/// Any literal, references included.
fn any_literal() -> impl Strategy<Value = Literal> {
    let name = "[a-zA-Z0-9_./\u{0}é]{0,6}";
    let leaf = prop_oneof![
        any::<i64>().prop_map(int),
        (name, 0..3_i32).prop_map(|(uri, dimensionality)| blob(&uri, dimensionality)),
        Just(Literal::default()),
        Just(offloaded("s3://b/o")),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(list),
            prop::collection::btree_map(name, inner.clone(), 0..5)
                .prop_map(|literals| literal::Value::Map(LiteralMap { literals }).into()),
            inner.prop_map(union),
        ]
    })
}

proptest! {
    /// A plan exists or an error does; and what a plan names stays in the directory, once each.
    #[test]
    fn planning_is_total(literals in prop::collection::btree_map("[a-c/.]{0,3}", any_literal(), 0..4), named: bool) {
        let layout = if named { Layout::NamedDir } else { Layout::Direct };
        let Ok(plan) = plan_in(LiteralMap { literals }, layout) else { return Ok(()) };
        let mut taken: std::collections::HashSet<PathBuf> = ["inputs.pb", "inputs.json"].map(PathBuf::from).into();
        let prefixes = plan.blobs.iter().filter(|blob| blob.kind != BlobKind::Object).count();
        let objects = plan.blobs.iter().filter(|blob| blob.kind == BlobKind::Object).map(|blob| blob.path.clone());
        let files: Vec<PathBuf> = plan.values().map(|value| value.path).chain(objects).collect();
        prop_assert!(plan.directories.len() >= prefixes);
        for path in plan.directories.iter().chain(&files) {
            let normal = path.components().all(|component| matches!(component, std::path::Component::Normal(_)));
            prop_assert!(normal && !path.as_os_str().is_empty(), "{path:?}");
            prop_assert!(taken.insert(path.clone()), "{path:?} twice");
            let parent = path.parent().unwrap();
            prop_assert!(parent.as_os_str().is_empty() || plan.directories.iter().any(|directory| directory == parent));
        }
    }

    #[test]
    fn whatever_decodes_can_be_planned(bytes: Vec<u8>) {
        if let Ok(literals) = decode_literal_map(&bytes[..]) {
            let _ = plan_in(literals, Layout::NamedDir);
        }
    }
}
