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
use crate::track::source::ladder::{Rung, Watcher, WatcherError, climb};
use crate::track::watch::{Ending, Limits, Watched, watch};

/// Why nobody can be watched.
#[derive(Debug, Error)]
pub enum WatchingError {
    /// The watcher that was named does not work here.
    #[error(transparent)]
    Watcher(#[from] WatcherError),
    /// The cgroup that was named is none.
    #[error(transparent)]
    PodCgroup(PlaceError),
}

/// An attached watcher.
pub struct Watching {
    rung: Rung,
    place: Option<Place>,
    rules: Rules,
    limits: Limits,
    /// No pod is around us, so nobody would ever end or send us a signal.
    alone: bool,
}

impl Watching {
    /// Attaches a watcher and says so to whoever asks (`copilot ready`).
    pub fn attach(request: &SidecarRequest) -> Result<Self, WatchingError> {
        let options = &request.track;
        let place = match Place::find(options.pod_cgroup.as_deref()) {
            Err(error @ PlaceError::NoSuchCgroup { .. }) => {
                return Err(WatchingError::PodCgroup(error));
            }
            place => place,
        };
        let rung = climb(options.watcher, &place)?;
        info!(
            watcher = rung.source.name(),
            reason = rung.reason,
            "watching"
        );
        if let Err(error) = readiness::announce() {
            warn!(%error, "`copilot ready` will not see that the watcher is attached");
        }
        let alone = matches!(place, Err(PlaceError::NoPod { .. }))
            && options.watcher == Watcher::Auto
            && request.upload.is_none();
        let place = place.ok();
        let directory = request
            .upload
            .as_ref()
            .map(|target| target.from_local_dir.as_path());
        Ok(Self {
            rung,
            rules: rules(options, place.as_ref(), directory),
            place,
            limits: Limits {
                start: options.main_start_timeout,
                term_wait: options.term_wait,
                settle: options.settle,
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

    /// Watches until main is over.
    pub(super) async fn until_over(
        self,
        termination: &mut Termination,
        timeline: &mut Timeline,
    ) -> Watched {
        let watched = watch(
            self.rung,
            self.place.as_ref(),
            self.rules,
            self.limits,
            termination,
        )
        .await;
        debug!(?watched, "the wait is over");
        note(&watched, timeline);
        watched
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
    timeline.note("watcher", watched.watcher);
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
