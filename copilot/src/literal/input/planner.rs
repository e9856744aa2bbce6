//! The walk that makes a plan: it gives everything a place, lists what to fetch, and puts local paths
//! into the map.

use std::path::{Component, Path, PathBuf};

use super::file_name::{ObjectKeys, file_name};
use super::members;
use super::paths::{CaseClashes, element_names, join, single_blob};
use super::plan::{Arrival, BlobInput, BlobKind, InputPlan, Layout, MARKERS, Target};
use super::problem::{DEPTH, InputError, InputProblem, InputRule, LONGEST_PATH, MOST_PATHS};
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::{Blob, Literal, LiteralCollection, LiteralMap, Scalar, literal, scalar};
use crate::literal::name::{self, Shown};
use crate::literal::problems::Problems;

/// Lays out the inputs. Takes the map over, so large values are not copied.
///
/// `hash`, `metadata` and `artifact_id` of each literal stay; only URIs change, and members that refer to
/// data become references. Fails with every name and value that breaks a rule.
pub fn plan(literals: LiteralMap, target: &Target<'_>) -> Result<InputPlan, InputError> {
    plan_found(literals, target, &ObjectKeys::new())
}

/// The same, with the keys of objects that were found by references with two keys: under `NAMED_DIR`, a
/// file has its object's name.
pub fn plan_found(
    mut literals: LiteralMap,
    target: &Target<'_>,
    keys: &ObjectKeys,
) -> Result<InputPlan, InputError> {
    let mut planner = InputPlanner {
        keys,
        prefix: String::new(),
        // The layout only names fetched data, and nothing is fetched.
        layout: match target.data {
            Arrival::Never => Layout::Direct,
            Arrival::Before | Arrival::During => target.layout,
        },
        data: target.data,
        plan: InputPlan {
            binaries: target.binaries.clone(),
            ..InputPlan::default()
        },
        paths: 0,
        problems: Problems::default(),
    };
    match prefix(target.directory) {
        Some(prefix) => planner.prefix = prefix,
        None => planner.problem(&target.directory.to_string_lossy(), InputRule::Directory),
    }
    for file in target.metadata.files() {
        if literals.literals.contains_key(file.name()) {
            planner.problem(file.name(), InputRule::MetadataName);
        }
    }
    if target.data == Arrival::During {
        for marker in MARKERS {
            if literals.literals.contains_key(marker) {
                planner.problem(marker, InputRule::MarkerName);
            }
        }
    }
    members::restore(&mut literals, target.binaries, &mut planner.plan.warnings);
    planner.map(&mut literals, "", 0);
    planner.plan.literals = literals;
    planner.problems.or(planner.plan).map_err(InputError)
}

/// The beginning of the paths in the metadata, with its last `/`: the directory without `.` and without
/// doubled or final `/`. None if it is not UTF-8.
fn prefix(directory: &Path) -> Option<String> {
    let kept = directory
        .components()
        .filter(|component| *component != Component::CurDir);
    let mut text = kept
        .collect::<PathBuf>()
        .into_os_string()
        .into_string()
        .ok()?;
    if !text.is_empty() && !text.ends_with('/') {
        text.push('/');
    }
    Some(text)
}

struct InputPlanner<'a> {
    keys: &'a ObjectKeys,
    prefix: String,
    layout: Layout,
    data: Arrival,
    plan: InputPlan,
    /// Bytes of all paths in the plan.
    paths: usize,
    problems: Problems<InputProblem>,
}

impl InputPlanner<'_> {
    fn problem(&mut self, variable: &str, rule: InputRule) {
        self.problems.push_with(|| InputProblem {
            variable: variable.to_owned(),
            rule,
        });
    }

    fn directory(&mut self, path: &str) {
        if self.has_room(path) {
            self.plan.directories.push(path.into());
        }
    }

    /// Counts a path of the plan; reports once that the paths are too long together.
    fn has_room(&mut self, path: &str) -> bool {
        let before = self.paths;
        self.paths = before.saturating_add(path.len());
        if before <= MOST_PATHS && self.paths > MOST_PATHS {
            self.problem(path, InputRule::TooManyPaths);
        }
        self.paths <= MOST_PATHS
    }

    fn case_warning(&mut self, parent: &str, one: &str, other: &str) {
        self.plan.warnings.push_with(|| {
            let (one, other) = (join(parent, one), join(parent, other));
            format!(
                "the inputs {} and {} differ in case only: some file systems keep one of them",
                Shown(&one),
                Shown(&other)
            )
        });
    }

    /// Variables, or the entries of a map in the directory `parent`.
    fn map(&mut self, map: &mut LiteralMap, parent: &str, depth: usize) {
        let mut folded = CaseClashes::default();
        for (key, literal) in &mut map.literals {
            let mut path = join(parent, key);
            if let Err(error) = name::check(key) {
                self.problem(&path, error.into());
                continue;
            }
            if let Some(other) = folded.insert(key) {
                self.case_warning(parent, other, key);
            }
            if self.layout == Layout::NamedDir
                && let Some(uri) = single_blob(literal)
            {
                let name = file_name(uri, self.keys);
                self.directory(&path);
                path = join(&path, &name);
            }
            self.literal(literal, path, depth);
        }
    }

    /// The elements of a list in the directory `parent`.
    fn collection(&mut self, list: &mut LiteralCollection, parent: &str, depth: usize) {
        let names = element_names(&list.literals, self.layout, self.keys);
        let mut folded = CaseClashes::default();
        for (index, (literal, name)) in list.literals.iter_mut().zip(&names).enumerate() {
            match name {
                Err(rule) => self.problem(&join(parent, &index.to_string()), rule.clone()),
                Ok(name) => {
                    if let Some(other) = folded.insert(name) {
                        self.case_warning(parent, other, name);
                    }
                    self.literal(literal, join(parent, name), depth);
                }
            }
        }
    }

    /// One literal at `path`.
    fn literal(&mut self, literal: &mut Literal, path: String, depth: usize) {
        if depth > DEPTH {
            return self.problem(&path, InputRule::TooDeep);
        }
        let length = self.prefix.len() + path.len();
        if length > LONGEST_PATH {
            return self.problem(&path, InputRule::PathTooLong(length));
        }
        match &mut literal.value {
            None => self.problem(&path, InputRule::NoValue),
            Some(literal::Value::OffloadedMetadata(offloaded)) => {
                self.problem(&path, InputRule::Offloaded(offloaded.uri.clone()));
            }
            Some(literal::Value::Collection(list)) => {
                self.directory(&path);
                self.collection(list, &path, depth + 1);
            }
            Some(literal::Value::Map(map)) => {
                self.directory(&path);
                self.map(map, &path, depth + 1);
            }
            Some(literal::Value::Scalar(scalar)) => self.scalar(scalar, path, depth),
        }
    }

    fn scalar(&mut self, scalar: &mut Scalar, path: String, depth: usize) {
        match &mut scalar.value {
            None => self.problem(&path, InputRule::NoValue),
            // `InputPlan::values` makes their files from the map itself.
            Some(
                scalar::Value::Primitive(_)
                | scalar::Value::Binary(_)
                | scalar::Value::NoneType(_)
                | scalar::Value::Error(_)
                | scalar::Value::Generic(_),
            ) => {}
            Some(scalar::Value::Blob(blob)) => self.blob(blob, path),
            Some(scalar::Value::Schema(schema)) => {
                self.fetch(&mut schema.uri, path, BlobKind::Table);
            }
            Some(scalar::Value::StructuredDataset(dataset)) => {
                self.fetch(&mut dataset.uri, path, BlobKind::Table);
            }
            Some(scalar::Value::Union(union)) => match &mut union.value {
                None => self.problem(&path, InputRule::NoValue),
                Some(inner) => self.literal(inner, path, depth + 1),
            },
        }
    }

    fn blob(&mut self, blob: &mut Blob, path: String) {
        let declared = blob
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.r#type.as_ref());
        let number = declared.map_or(0, |declared| declared.dimensionality);
        match BlobDimensionality::try_from(number) {
            Ok(BlobDimensionality::Single) => self.fetch(&mut blob.uri, path, BlobKind::Object),
            Ok(BlobDimensionality::Multipart) => self.fetch(&mut blob.uri, path, BlobKind::Prefix),
            Err(_) => self.problem(&path, InputRule::Dimensionality(number)),
        }
    }

    /// Lists what to fetch and puts the local path in the place of the reference.
    fn fetch(&mut self, uri: &mut String, path: String, kind: BlobKind) {
        if uri.is_empty() {
            return self.problem(&path, InputRule::NoUri);
        }
        if self.data == Arrival::Never {
            return;
        }
        if kind != BlobKind::Object && self.data == Arrival::Before {
            self.directory(&path);
        }
        if !self.has_room(&path) {
            return;
        }
        let local = format!("{}{path}", self.prefix);
        let uri = std::mem::replace(uri, local);
        self.plan.blobs.push(BlobInput {
            path: path.into(),
            uri,
            kind,
        });
    }
}
