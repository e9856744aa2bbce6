//! From the options to an attached [`Watch`]: our place, the sources that work here, the rules.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;
use tracing::info;

use super::{
    ContainerId, Polling, Until, Watch, Watcher,
    identify::Rules,
    place::{Place, PlaceError},
    source::{
        ChildSource, Source, Sources,
        kube::ApiOptions,
        selection::{Selection, Surroundings, WatcherError, select},
    },
    watch::Limits,
};
use crate::beneath::SharedDirectory;

/// How main is found and watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackOptions {
    /// `--watcher`, else the reference's watcher types; not empty.
    pub watchers: Vec<Watcher>,
    /// Until when main is watched.
    pub until: Until,
    /// `--poll-fast` and `--poll-slow`.
    pub polling: Polling,
    /// `--main-container`: a name, or the beginning of an id.
    pub main_container: Option<String>,
    /// `--ignore-container`: names of containers that are not main.
    pub ignore_containers: Vec<String>,
    /// `--pod-cgroup`: the pod's cgroup directory.
    pub pod_cgroup: Option<PathBuf>,
    /// `--proc-root`: the node's `/proc`.
    pub proc_root: Option<PathBuf>,
    /// The way to Kubernetes' API, for the watcher `kube-api`.
    pub api: ApiOptions,
    /// `--main-start-timeout`: how long to wait for main's start; none for no limit.
    pub main_start_timeout: Option<Duration>,
    /// `--term-wait`: how long to wait for main's end after SIGTERM.
    pub term_wait: Duration,
    /// `--settle`: how long to wait for main's remaining processes after its end.
    pub settle: Duration,
}

/// Why main cannot be watched.
#[derive(Debug, Error)]
pub enum AttachError {
    /// The watcher that was named does not work here.
    #[error(transparent)]
    Watcher(#[from] WatcherError),
    /// `--pod-cgroup` or `--proc-root` names the wrong directory.
    #[error(transparent)]
    Place(PlaceError),
}

/// Attached sources, and what they are used with.
pub struct Attachment {
    /// The sources, and why they were selected.
    pub selection: Selection,
    /// Who is main.
    pub rules: Rules,
    /// Our place, if it was found.
    pub place: Result<Place, PlaceError>,
}

/// Attaches the watchers. `directory` is shared with main: the mount that holds it tells who main is.
///
/// # Errors
///
/// A watcher that was named does not work here, or a flag names a wrong directory.
pub async fn attach(
    options: &TrackOptions,
    directory: Option<&SharedDirectory>,
) -> Result<Watch, AttachError> {
    let attached = attach_sources(options, directory).await?;
    let limits = Limits {
        start: options.main_start_timeout,
        term_wait: options.term_wait,
        settle: options.settle,
        until: options.until,
    };
    let Attachment {
        selection,
        rules,
        place,
    } = attached;
    Ok(Watch::new(selection, rules, place, limits))
}

/// The same, for a caller that reads the sources itself.
///
/// # Errors
///
/// As [`attach`].
pub async fn attach_sources(
    options: &TrackOptions,
    directory: Option<&SharedDirectory>,
) -> Result<Attachment, AttachError> {
    let place = find_place(options)?;
    let around = Surroundings {
        place: &place,
        polling: options.polling,
        output: directory,
        api: &options.api,
    };
    let selection = select(&options.watchers, &around).await?;
    info!(
        watcher = selection.sources.names(),
        reason = selection.reason,
        "watching"
    );
    let mut rules = rules(options, place.as_ref().ok(), directory);
    if let Some(manifest) = selection.sources.manifest() {
        rules = rules.with_manifest(manifest);
    }
    Ok(Attachment {
        selection,
        rules,
        place,
    })
}

/// Watches a process that we have started ourselves, as main. `cgroup` holds the cgroup of its container, if it has
/// one of its own: then its children are seen as well, and kills for memory are counted.
#[must_use]
pub fn attach_child(
    child: ChildSource,
    container: &ContainerId,
    cgroup: Option<&Path>,
    limits: Limits,
) -> Watch {
    let place = match cgroup {
        Some(cgroup) => Place::find(Some(cgroup)),
        None => Err(PlaceError::NoPod {
            path: "/".to_owned(),
        }),
    };
    let rules = Rules {
        main_container: Some(container.as_str().to_owned()),
        ..Rules::default()
    };
    let selection = Selection {
        sources: Sources::one(Source::Child(Box::new(child))),
        reason: "we have started main ourselves".to_owned(),
    };
    Watch::new(selection, rules, place, limits)
}

/// Our place. That no pod surrounds us is not an error here: some watchers work without one.
///
/// # Errors
///
/// A flag names a wrong directory.
pub fn find_place(options: &TrackOptions) -> Result<Result<Place, PlaceError>, AttachError> {
    let place = Place::find(options.pod_cgroup.as_deref());
    let place = match (place, &options.proc_root) {
        (Ok(place), Some(root)) => place.with_proc_root(root),
        (place, _) => place,
    };
    match place {
        Err(error @ (PlaceError::NoSuchCgroup { .. } | PlaceError::NoSuchProc { .. })) => {
            Err(AttachError::Place(error))
        }
        place => Ok(place),
    }
}

fn rules(
    options: &TrackOptions,
    place: Option<&Place>,
    directory: Option<&SharedDirectory>,
) -> Rules {
    let host_name = rustix::system::uname()
        .nodename()
        .to_str()
        .ok()
        .map(str::to_owned);
    let mut rules = place.map_or_else(Rules::default, |place| {
        // Mounts name directories without links. A directory that does not exist is in no mount.
        let output = directory.and_then(SharedDirectory::real_path);
        Rules::from_place(place, &output.unwrap_or_default())
    });
    // Outside Kubernetes every process on our file systems shares this mount.
    if place.is_some_and(|place| !place.evidence.is_of_a_pod()) {
        rules.output_mount = None;
    }
    Rules {
        main_container: options.main_container.clone(),
        ignored: options.ignore_containers.clone(),
        host_name,
        ..rules
    }
}
