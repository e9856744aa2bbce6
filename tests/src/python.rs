//! Python, with the libraries that `cargo xtask setup --tests` installs below `target/`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fails if a library is missing. It imports only what loads quickly.
const PROBE: &str = "import flyteidl.core.literals_pb2, yaml; from importlib.metadata import version; \
                     [version(name) for name in ('flytekit', 's3fs', 'pandas', 'pyarrow', 'pydantic')]";

/// The interpreter: `COPILOT_PYTHON`, else the one that set-up installed. `None` if it does not exist or
/// lacks the libraries.
#[must_use]
pub fn path() -> Option<PathBuf> {
    let named = env::var_os("COPILOT_PYTHON").map(PathBuf::from);
    named.or_else(set_up).filter(|python| has_libraries(python))
}

fn set_up() -> Option<PathBuf> {
    let test = env::current_exe().ok()?;
    let mut candidates = test
        .ancestors()
        .map(|folder| folder.join("python/bin/python"));
    candidates.find(|candidate| candidate.is_file())
}

fn has_libraries(python: &Path) -> bool {
    let run = Command::new(python).args(["-c", PROBE]).output();
    run.is_ok_and(|run| run.status.success())
}
