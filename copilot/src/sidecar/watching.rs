//! From the sidecar's options to a watcher at work.

use std::path::Path;

use thiserror::Error;
use tracing::{debug, info, warn};

use super::request::{SidecarRequest, TrackOptions};
use crate::report::Timeline;
use crate::termination::Termination;
use crate::track::identify::Rules;
use crate::track::place::{Place, PlaceError};
use crate::track::readiness;
use crate::track::source::ladder::{Surroundings, Watcher, WatcherError, climb};
use crate::track::watch::{Ending, Evidence, Limits, Watch, Watched};

/// Why nobody can be watched.
#[derive(Debug, Error)]
pub enum WatchingError {
    /// The watcher that was named does not work here.
    #[error(transparent)]
    Watcher(#[from] WatcherError),
    /// The cgroup or the `/proc` that was named is none.
    #[error(transparent)]
    Place(PlaceError),
}

/// An attached watcher.
pub struct Watching {
    watch: Watch,
    place: Option<Place>,
    limits: Limits,
    /// No pod is around us, so nobody would ever end or send us a signal.
    alone: bool,
}

impl Watching {
    /// Attaches a sidecar's watcher and says so to whoever asks (`copilot ready`).
    pub async fn attach(request: &SidecarRequest) -> Result<Self, WatchingError> {
        let target = request.upload.as_ref();
        let output = target.map(|target| target.from_local_dir.as_path());
        let watching = Self::of_sharers(&request.track, output).await?;
        if let Err(error) = readiness::announce() {
            warn!(%error, "`copilot ready` will not see that the watcher is attached");
        }
        Ok(Self {
            alone: watching.alone && request.upload.is_none(),
            ..watching
        })
    }

    /// Attaches a watcher of whoever shares this directory with us, and tells nobody.
    pub async fn of_sharers(
        options: &TrackOptions,
        output: Option<&Path>,
    ) -> Result<Self, WatchingError> {
        let place = find_place(options)?;
        let around = Surroundings {
            place: &place,
            polling: options.polling,
            output,
            api: &options.api,
        };
        let rung = climb(&options.watchers, &around).await?;
        info!(
            watcher = rung.sources.names(),
            reason = rung.reason,
            "watching"
        );
        let alone =
            matches!(place, Err(PlaceError::NoPod { .. })) && options.watchers == [Watcher::Auto];
        let place = place.ok();
        let mut rules = rules(options, place.as_ref(), output);
        if let Some(manifest) = rung.sources.manifest() {
            rules = rules.with_manifest(manifest);
        }
        Ok(Self {
            watch: Watch::new(rung, rules),
            place,
            limits: Limits {
                start: options.main_start_timeout,
                term_wait: options.term_wait,
                settle: options.settle,
                until: options.until,
            },
            alone,
        })
    }

    /// Whether there is nobody to wait for: no pod around us, and nothing to upload. (In a pod
    /// kubelet would start us again if we ended before main.)
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// Watches until main is over. `evidence` says what main has left, if it was never seen.
    pub(super) async fn until_over(
        &mut self,
        evidence: &Evidence<'_>,
        termination: &mut Termination,
        timeline: &mut Timeline,
    ) -> Watched {
        let watched = self.until_main_is_over(evidence, termination).await;
        note(&watched, timeline);
        watched
    }

    /// The same, and nothing is noted.
    pub async fn until_main_is_over(
        &mut self,
        evidence: &Evidence<'_>,
        termination: &mut Termination,
    ) -> Watched {
        let watched = self
            .watch
            .until_over(self.place.as_ref(), self.limits, evidence, termination)
            .await;
        debug!(?watched, "the wait is over");
        watched
    }

    /// Waits for the end of a main that runs although it has said that it is over.
    pub(super) async fn until_gone(&mut self, termination: &mut Termination) {
        self.watch.until_gone(termination).await;
    }
}

fn find_place(options: &TrackOptions) -> Result<Result<Place, PlaceError>, WatchingError> {
    let place = Place::find(options.pod_cgroup.as_deref());
    let place = match (place, &options.proc_root) {
        (Ok(place), Some(root)) => place.with_proc_root(root),
        (place, _) => place,
    };
    match place {
        Err(error @ (PlaceError::NoSuchCgroup { .. } | PlaceError::NoSuchProc { .. })) => {
            Err(WatchingError::Place(error))
        }
        place => Ok(place),
    }
}

fn rules(options: &TrackOptions, place: Option<&Place>, directory: Option<&Path>) -> Rules {
    let host_name = rustix::system::uname()
        .nodename()
        .to_str()
        .ok()
        .map(str::to_owned);
    let mut rules = place.map_or_else(Rules::default, |place| {
        // As the mounts name it: no link on the way. One that is not there is nobody's mount.
        let output = directory.and_then(|directory| directory.canonicalize().ok());
        Rules::of(place, &output.unwrap_or_default())
    });
    // Outside Kubernetes whoever shares our file systems shares this mount.
    if place.is_some_and(|place| !place.traits.is_of_a_pod()) {
        rules.output_mount = None;
    }
    Rules {
        main_container: options.main_container.clone(),
        ignored: options.ignore_containers.clone(),
        host_name,
        ..rules
    }
}

fn note(watched: &Watched, timeline: &mut Timeline) {
    timeline.note("watcher", watched.watcher.as_str());
    timeline.note("reason", watched.reason.as_str());
    if let Some((containers, why)) = &watched.main {
        let names: Vec<String> = containers.iter().map(ToString::to_string).collect();
        timeline.note("main", names);
        timeline.note("main_found", why.to_string());
    }
    let ending = match watched.ending {
        Ending::Exited(status) => {
            timeline.note("exit_code", status.exit_code());
            status.to_string()
        }
        other => format!("{other:?}"),
    };
    timeline.note("status", ending);
    timeline.mark_at("attached", watched.attached);
    if let Some(started) = watched.started {
        timeline.mark_at("started", started);
    }
    if let Some(exited) = watched.exited {
        timeline.mark_at("exited", exited);
    }
    timeline.mark_at("settled", watched.settled);
}
