//! Finding a variable's file: its name, or its name with one extension (spec §4.5).

use std::path::{Path, PathBuf};

use super::problem::OutputRule;
use super::view::{Entry, OutputView};
use crate::idl::VariableMap;
use crate::literal::name;

/// How many candidates a message names.
const SHOWN: usize = 8;

/// What stands for a variable.
pub struct Found {
    /// Relative to the output directory.
    pub path: PathBuf,
    /// What it is.
    pub entry: Entry,
}

/// Whether every declared variable has something that stands for it.
pub fn are_present(declared: &VariableMap, view: &impl OutputView) -> bool {
    let mut variables = declared.variables.iter();
    variables.all(|variable| find(&variable.key, view).is_ok())
}

/// Looks for `variable` and then for the only name that begins with it and a dot.
pub fn find(variable: &str, view: &impl OutputView) -> Result<Found, OutputRule> {
    name::check(variable)?;
    let path = PathBuf::from(variable);
    if let Some(entry) = stat(&path, view)? {
        return Ok(Found { path, entry });
    }
    let names = view
        .names(Path::new(""))
        .map_err(|cause| OutputRule::Unreadable {
            path: view.root().to_owned(),
            cause,
        })?;
    let pattern = format!("{variable}.");
    let mut candidates: Vec<PathBuf> = names
        .into_iter()
        .filter(|name| name.as_encoded_bytes().starts_with(pattern.as_bytes()))
        .map(PathBuf::from)
        .collect();
    candidates.sort();
    let missing = || OutputRule::Missing {
        path: view.root().join(variable),
        pattern: format!("{pattern}*"),
    };
    match candidates.as_slice() {
        [] => Err(missing()),
        [only] => {
            let entry = stat(only, view)?.ok_or_else(missing)?;
            Ok(Found {
                path: only.clone(),
                entry,
            })
        }
        several => {
            let shown = several
                .iter()
                .take(SHOWN)
                .map(|path| path.display().to_string());
            Err(OutputRule::Ambiguous {
                path: view.root().join(variable),
                candidates: shown.collect(),
            })
        }
    }
}

fn stat(path: &Path, view: &impl OutputView) -> Result<Option<Entry>, OutputRule> {
    view.stat(path).map_err(|cause| OutputRule::Unreadable {
        path: view.root().join(path),
        cause,
    })
}
