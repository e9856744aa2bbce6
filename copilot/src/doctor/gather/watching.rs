//! How main would be watched: each watcher is started and stopped, then the selected ones take one look.

use crate::beneath::SharedDirectory;
use crate::doctor::facts::{Reason, WatcherFacts, WatchingFacts};
use crate::track::place::{Place, PlaceError};
use crate::track::source::selection::{Surroundings, try_each};
use crate::track::watch::glance;
use crate::track::{TrackOptions, Watch, Watcher, attach};

/// Tries the watchers, and what the sidecar with these options would see. The watch is attached until it is dropped;
/// none if it cannot be attached.
pub async fn watching(
    options: &TrackOptions,
    place: &Result<Place, PlaceError>,
    outputs: Option<&SharedDirectory>,
) -> (WatchingFacts, Option<Watch>) {
    let around = Surroundings {
        place,
        polling: options.polling,
        output: outputs,
        api: &options.api,
    };
    let tried = try_each(&around).into_iter().map(|trial| WatcherFacts {
        name: trial.watcher.name(),
        outcome: trial.outcome.map_err(|refusal| Reason(refusal.0)),
    });
    let tried = tried.collect();
    let mut attached = attach(options, outputs).await;
    let glance = match &mut attached {
        Ok(watch) => Ok(glance(watch).await),
        Err(error) => Err(Reason(error.to_string())),
    };
    let facts = WatchingFacts {
        wanted: options
            .watchers
            .iter()
            .map(|it| Watcher::name(*it))
            .collect(),
        tried,
        glance,
        main_container: options.main_container.clone(),
    };
    (facts, attached.ok())
}
