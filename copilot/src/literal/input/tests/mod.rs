//! Tests of the planner; the builders that they share are here.

mod binaries;
mod offloaded_literals;
mod planning;
mod properties;

use std::path::{Path, PathBuf};

use super::*;
use crate::idl::{
    Blob, BlobMetadata, BlobType, Literal, LiteralCollection, LiteralMap, LiteralOffloadedMetadata,
    Union, literal, primitive, scalar,
};
use crate::literal::render::{Binaries, MetadataFormat};

pub fn map<const N: usize>(entries: [(&str, Literal); N]) -> LiteralMap {
    LiteralMap {
        literals: entries
            .into_iter()
            .map(|(name, literal)| (name.to_owned(), literal))
            .collect(),
    }
}

pub fn list(literals: Vec<Literal>) -> Literal {
    literal::Value::Collection(LiteralCollection { literals }).into()
}

pub fn int(value: i64) -> Literal {
    primitive::Value::Integer(value).into()
}

pub fn blob(uri: &str, dimensionality: i32) -> Literal {
    let metadata = BlobMetadata {
        r#type: Some(BlobType {
            format: "csv".to_owned(),
            dimensionality,
        }),
    };
    scalar::Value::Blob(Blob {
        metadata: Some(metadata),
        uri: uri.to_owned(),
    })
    .into()
}

pub fn union(inner: Literal) -> Literal {
    scalar::Value::Union(Box::new(Union {
        value: Some(Box::new(inner)),
        r#type: None,
    }))
    .into()
}

pub fn offloaded(uri: &str) -> Literal {
    let offloaded = LiteralOffloadedMetadata {
        uri: uri.to_owned(),
        size_bytes: 7,
        inferred_type: None,
    };
    literal::Value::OffloadedMetadata(Box::new(offloaded)).into()
}

pub fn plan_in(literals: LiteralMap, layout: Layout) -> Result<InputPlan, InputError> {
    plan(
        literals,
        &Target {
            directory: Path::new("/in"),
            layout,
            metadata: MetadataFormat::Json,
            data: Arrival::Before,
            binaries: &Binaries::default(),
        },
    )
}

pub fn refused(literals: LiteralMap, layout: Layout) -> Vec<InputProblem> {
    plan_in(literals, layout).unwrap_err().0.kept().to_vec()
}

pub fn blob_paths(plan: &InputPlan) -> Vec<(&str, &str)> {
    plan.blobs
        .iter()
        .map(|blob| (blob.path.to_str().unwrap(), blob.uri.as_str()))
        .collect()
}

pub fn value_paths(plan: &InputPlan) -> Vec<PathBuf> {
    plan.values().map(|value| value.path).collect()
}
