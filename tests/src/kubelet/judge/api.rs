//! Additional checks for the watcher `kube-api`: that the scenario's trouble with the API really happened,
//! according to the sidecar's log.

use super::super::evidence::Evidence;
use super::super::scenario::{Act, Beside, Case};

/// The log text, at the lowest level, when the server has ended a watch.
const RESUMED: &str = "the watch was closed: resuming";

/// The log text when the server no longer knows the version at which a watch should continue.
const FORGOTTEN: &str = "the version is too old: listing again";

/// The log text when the API does not answer.
const SILENT: &str = "the API gives no usable answer";

/// The rights that a refusal names.
const WAY_OUT: [&str; 3] = ["403", "list and watch", "Role"];

/// Returns the checks that failed.
pub fn judge(case: &Case, evidence: &Evidence) -> Vec<String> {
    let mut wanted: Vec<&str> = Vec::new();
    if case.has(Beside::ShortWatches) {
        wanted.push(RESUMED);
        if !evidence.caches_watches {
            wanted.push(FORGOTTEN);
        }
    }
    if matches!(case.scenario.act, Act::RestartApi | Act::EndWithoutApi) {
        wanted.push(SILENT);
    }
    if case.has(Beside::NoRights) {
        wanted.extend(WAY_OUT);
    }
    wanted.retain(|words| !evidence.log.contains(words));
    wanted
        .into_iter()
        .map(|words| format!("the scenario did not happen, or the log does not contain: {words:?}"))
        .collect()
}
