//! What must hold for the watcher `kube-api` beyond that: that the API was the trouble that a scenario makes
//! it, by the sidecar's own log.

use super::super::evidence::Evidence;
use super::super::scenario::{Act, Beside, Case};

/// What the log says, at its most talkative, when the server has ended a watch.
const RESUMED: &str = "the watch was closed: resuming";

/// When the server has forgotten the version that a watch was to go on from.
const FORGOTTEN: &str = "the version is too old: listing again";

/// When the API does not answer.
const SILENT: &str = "the API gives no usable answer";

/// What a refusal names.
const WAY_OUT: [&str; 3] = ["403", "list and watch", "Role"];

/// What does not hold.
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
        .map(|words| format!("badly staged, or not said: {words:?}"))
        .collect()
}
