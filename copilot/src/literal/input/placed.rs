//! The single files that a download has put below its directory, as its own metadata names them.

use std::path::{Component, Path, PathBuf};

use super::paths::single_blob;
use crate::idl::{Literal, LiteralMap, literal, scalar};

/// The paths of these files, relative to the directory. Paths that lead elsewhere are left out.
#[must_use]
pub fn placed_files(literals: &LiteralMap, directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for literal in literals.literals.values() {
        collect(literal, directory, &mut found);
    }
    found
}

fn collect(literal: &Literal, directory: &Path, found: &mut Vec<PathBuf>) {
    if let Some(uri) = single_blob(literal) {
        let path = Path::new(uri).strip_prefix(directory);
        let beneath = path.ok().filter(|path| {
            let mut parts = path.components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        });
        found.extend(beneath.map(Path::to_owned));
        return;
    }
    match &literal.value {
        Some(literal::Value::Collection(list)) => {
            for literal in &list.literals {
                collect(literal, directory, found);
            }
        }
        Some(literal::Value::Map(map)) => {
            for literal in map.literals.values() {
                collect(literal, directory, found);
            }
        }
        Some(literal::Value::Scalar(scalar)) => {
            if let Some(scalar::Value::Union(union)) = &scalar.value
                && let Some(inner) = &union.value
            {
                collect(inner, directory, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{blob, list, map, union};
    use super::*;

    #[test]
    fn only_single_files_beneath_the_directory_are_found() {
        let elements = vec![blob("/in/l/a", 0), blob("/in/l/tree", 1)];
        let literals = map([
            ("d", blob("/in/d", 1)),
            ("l", list(elements)),
            ("u", union(blob("/in/u", 0))),
            ("v", blob("/elsewhere/v", 0)),
            ("w", blob("/in/../w", 0)),
            ("x", blob("/in/x/name", 0)),
            ("y", blob("s3://b/y", 0)),
        ]);
        let found = placed_files(&literals, Path::new("/in"));
        assert_eq!(found, ["l/a", "u", "x/name"].map(PathBuf::from));
    }
}
