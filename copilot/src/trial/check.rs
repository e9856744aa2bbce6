//! `copilot run --check`: reads an output directory against the types, and says what would be uploaded.

use std::fs;
use std::path::Path;

use super::error::TrialError;
use super::interface;
use super::request::TrialRequest;
use super::result::{OutputsFound, TrialResult, problems_of};
use crate::beneath::SharedDirectory;
use crate::idl::VariableMap;
use crate::literal::output::OutputOptions;
use crate::upload::{self, UploadError};

/// Checks the outputs in a directory.
///
/// # Errors
/// The types cannot be read, or the directory cannot.
pub fn check(request: &TrialRequest, directory: &Path) -> Result<TrialResult, TrialError> {
    let declared = interface::types(request)?.outputs;
    // The upload's own message speaks of a volume.
    fs::read_dir(directory).map_err(|cause| TrialError::Directory {
        path: directory.to_owned(),
        rule: "(--check) cannot be read",
        cause,
    })?;
    let shared = SharedDirectory::at(directory);
    let (outputs, problems) = look(&declared, &shared, None)?;
    Ok(TrialResult {
        command: None,
        outputs,
        problems,
        committed: None,
        work_dir: None,
    })
}

/// Reads the outputs as an upload does: what it would send, or what is wrong.
///
/// # Errors
/// Nothing of the directory can be read.
pub(super) fn look(
    declared: &VariableMap,
    shared: &SharedDirectory,
    raw_prefix: Option<&str>,
) -> Result<(Option<OutputsFound>, Vec<String>), TrialError> {
    match upload::preview(declared, shared, OutputOptions::default(), raw_prefix) {
        Ok(preview) => {
            let problems = problems_of(&preview);
            let declared = declared.clone();
            Ok((Some(OutputsFound { declared, preview }), problems))
        }
        Err(error) => Ok((None, problems(error)?)),
    }
}

/// What is wrong with the outputs; an error if they cannot be read at all.
pub(super) fn problems(error: UploadError) -> Result<Vec<String>, TrialError> {
    match error {
        UploadError::User(error) => Ok(vec![format!(
            "the program reports a failure in _ERROR: {error}"
        )]),
        UploadError::Outputs(error) => {
            let more = error.0.count() - error.0.kept().len();
            let kept = error.0.kept().iter().map(ToString::to_string);
            let more = (more > 0).then(|| format!("and {more} more"));
            Ok(kept.chain(more).collect())
        }
        error => Err(error.into()),
    }
}
