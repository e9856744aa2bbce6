//! Finds the file of a variable, by its name or its name with an extension (spec §4.5), and the files
//! of a list's elements and a map's values, which are the entries of a directory.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::item::{FoundFile, Item};
use super::problem::{DirectoryNames, OutputRule};
use super::view::{OutputEntry, OutputView};
use crate::idl::VariableMap;
use crate::literal::name;

/// How many candidates a message names.
const SHOWN: usize = 8;

/// Whether every declared variable has its file or directory.
pub fn are_present(declared: &VariableMap, view: &impl OutputView) -> bool {
    let mut variables = declared.variables.iter();
    variables.all(|variable| find(&variable.key, view).is_ok())
}

/// Looks for `variable`, then for the only name that begins with it and a dot.
pub fn find(variable: &str, view: &impl OutputView) -> Result<FoundFile, OutputRule> {
    name::check(variable)?;
    let path = PathBuf::from(variable);
    if let Some(entry) = stat(&path, view)? {
        return Ok(FoundFile { path, entry });
    }
    let pattern = format!("{variable}.");
    let mut candidates: Vec<PathBuf> = Vec::new();
    let mut there = DirectoryNames::default();
    see_names(Path::new(""), view, |name| {
        there.add(name);
        if name.as_encoded_bytes().starts_with(pattern.as_bytes()) {
            candidates.push(name.into());
        }
        // One more than a message names is enough.
        flow(candidates.len() <= SHOWN)
    })?;
    candidates.sort();
    let missing = || OutputRule::Missing {
        path: view.root().join(variable),
        pattern: format!("{pattern}*"),
        there: there.clone(),
    };
    match candidates.as_slice() {
        [] => Err(missing()),
        [only] => {
            let entry = stat(only, view)?.ok_or_else(missing)?;
            Ok(FoundFile {
                path: only.clone(),
                entry,
            })
        }
        several => Err(ambiguous(&view.root().join(variable), several)),
    }
}

/// The file names of a list's elements, in order: `0`, `1`, …, each with or without an extension.
pub fn elements(
    list: &Item<'_>,
    view: &impl OutputView,
    most: usize,
) -> Result<Vec<String>, OutputRule> {
    let path = list.shown(view);
    let mut found: BTreeMap<usize, Vec<PathBuf>> = BTreeMap::new();
    let files = entries(list, view, most)?;
    if files.len() > most {
        // The list is cut, so gaps cannot be told. The caller counts the files, and refuses.
        return Ok(files);
    }
    for file in files {
        let index = index(&file).ok_or_else(|| OutputRule::Stray {
            path: path.clone(),
            name: file.clone(),
        })?;
        found.entry(index).or_default().push(file.into());
    }
    let count = found.len();
    let mut files = Vec::with_capacity(count);
    for (expected, (index, mut candidates)) in found.into_iter().enumerate() {
        candidates.sort();
        match candidates.as_slice() {
            _ if index != expected => {
                return Err(OutputRule::Gap {
                    path,
                    index: expected,
                    count,
                });
            }
            [only] => files.push(only.to_string_lossy().into_owned()),
            several => return Err(ambiguous(&path.join(index.to_string()), several)),
        }
    }
    Ok(files)
}

/// The names in a directory, sorted: the keys of a map, or the files of a list's elements. Stops at one
/// more than `most`.
pub fn entries(
    directory: &Item<'_>,
    view: &impl OutputView,
    most: usize,
) -> Result<Vec<String>, OutputRule> {
    let mut found = Vec::new();
    let mut odd = None;
    see_names(&directory.found.path, view, |name| {
        match name.to_str() {
            Some(name) => found.push(name.to_owned()),
            None => odd = Some(directory.shown(view).join(name)),
        }
        flow(odd.is_none() && found.len() <= most)
    })?;
    if let Some(path) = odd {
        return Err(OutputRule::FileName { path });
    }
    found.sort_unstable();
    Ok(found)
}

/// What a listed entry of a directory is. It is gone only if main still writes.
pub fn entry(path: &Path, view: &impl OutputView) -> Result<OutputEntry, OutputRule> {
    stat(path, view)?.ok_or_else(|| OutputRule::Vanished {
        path: view.root().join(path),
    })
}

/// The index at the beginning of a file name: decimal digits without leading zeros, up to a dot.
fn index(file: &str) -> Option<usize> {
    let digits = file.split_once('.').map_or(file, |(digits, _)| digits);
    let index: usize = digits.parse().ok()?;
    (index.to_string() == digits).then_some(index)
}

fn ambiguous(path: &Path, candidates: &[PathBuf]) -> OutputRule {
    let shown = candidates.iter().take(SHOWN);
    OutputRule::Ambiguous {
        path: path.to_owned(),
        candidates: shown.map(|path| path.display().to_string()).collect(),
    }
}

fn flow(goes_on: bool) -> ControlFlow<()> {
    if goes_on {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}

fn see_names(
    directory: &Path,
    view: &impl OutputView,
    mut see: impl FnMut(&OsStr) -> ControlFlow<()>,
) -> Result<(), OutputRule> {
    view.names(directory, &mut see)
        .map_err(|cause| OutputRule::Unreadable {
            path: view.root().join(directory),
            cause,
        })
}

fn stat(path: &Path, view: &impl OutputView) -> Result<Option<OutputEntry>, OutputRule> {
    view.stat(path).map_err(|cause| OutputRule::Unreadable {
        path: view.root().join(path),
        cause,
    })
}
