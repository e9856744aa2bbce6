//! One look at the pod, without a wait for main: what the sources report within a moment, and what follows from it.
//! Called by `doctor`.

use std::time::Duration;

use tokio::time::timeout;

use super::Watch;

/// How long the sources may take for what they know already: a scan of `/proc`, or one answer of the API.
const MOMENT: Duration = Duration::from_millis(500);

/// What a look has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// The names of the sources.
    pub watcher: String,
    /// Why they were selected.
    pub reason: String,
    /// The names of the main containers, and the rule that found them.
    pub main: Option<(Vec<String>, String)>,
    /// Whether no other container can turn out to be main.
    pub is_certain: bool,
    /// The names of all containers that were seen, but our own; the id if a name is unknown.
    pub containers: Vec<String>,
}

/// Looks at the pod.
pub async fn glance(watch: &mut Watch) -> Glance {
    let reports = async {
        loop {
            let (source, event) = watch.sources.next().await;
            watch.observe(source, event);
        }
    };
    // It never ends by itself.
    let _: Result<(), _> = timeout(MOMENT, reports).await;
    let tracker = watch.state.tracker();
    let main = watch.state.main();
    Glance {
        watcher: watch.sources.names(),
        reason: watch.reason.clone(),
        main: main.map(|(ids, why)| (tracker.names(ids), why.to_string())),
        is_certain: tracker.is_main_certain(),
        containers: tracker.names_seen(),
    }
}
