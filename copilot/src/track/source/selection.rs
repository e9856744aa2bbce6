//! Watcher selection: starts the sources that `--watcher` names, or the best one that works here.
//!
//! `auto` tries `ebpf`, then `pidfd`, then `proc`, and falls back to `signal`. The log says why a
//! watcher did not work. A named watcher that does not work here is an error. A lone `marker`
//! gets the best watcher beside it, because a killed main writes no file.

use std::{error::Error as StdError, io, iter::successors, sync::LazyLock};

use thiserror::Error;
use tracing::{info, warn};

#[cfg(feature = "ebpf")]
use super::ebpf::EbpfSource;
#[cfg(feature = "kube-api")]
use super::kube::KubeSource;
use super::{
    Polling, Source, Sources, causes::with_causes, kube::ApiOptions, marker::MarkerSource,
    pidfd::PidfdSource, proc::ProcSource,
};
use crate::beneath::SharedDirectory;
use crate::limits;
use crate::track::decision::Sight;
use crate::track::place::{Place, PlaceError, is_in_a_cluster};

/// One name of `--watcher`: the source to start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watcher {
    /// The best source that works here.
    #[default]
    Auto,
    /// The kernel's events.
    Ebpf,
    /// A descriptor of each first process.
    Pidfd,
    /// Repeated scans of `/proc`.
    Proc,
    /// The Kubernetes API; never part of `auto`, because it needs rights and is the slowest.
    KubeApi,
    /// Marker files in the output directory, beside the best source that works here.
    Marker,
    /// SIGTERM only.
    Signal,
    /// No wait for main.
    Noop,
}

impl Watcher {
    /// The names that `--watcher` takes.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("ebpf", Self::Ebpf),
        ("pidfd", Self::Pidfd),
        ("proc", Self::Proc),
        ("kube-api", Self::KubeApi),
        ("marker", Self::Marker),
        ("signal", Self::Signal),
        ("noop", Self::Noop),
    ];

    /// Its name, as `--watcher` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(_, watcher)| *watcher == self);
        named.map_or("", |(name, _)| name)
    }
}

/// The options of a caller without flags.
static NO_OPTIONS: LazyLock<ApiOptions> = LazyLock::new(ApiOptions::default);

/// Everything that a source may need to start.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Our place among the cgroups, if it was found.
    pub place: &'a Result<Place, PlaceError>,
    /// How often to scan `/proc`.
    pub polling: Polling,
    /// Main's output directory.
    pub output: Option<&'a SharedDirectory>,
    /// How to reach the Kubernetes API, as far as flags say it.
    pub api: &'a ApiOptions,
}

impl<'a> Surroundings<'a> {
    /// A place, and the defaults of everything else.
    #[must_use]
    pub fn from_place(place: &'a Result<Place, PlaceError>) -> Self {
        Self {
            place,
            polling: Polling::default(),
            output: None,
            api: &NO_OPTIONS,
        }
    }

    fn place(&self) -> Result<&'a Place, Refusal> {
        self.place.as_ref().map_err(|error| Refusal::of(error))
    }
}

/// The selected sources, and why they were selected.
pub struct Selection {
    /// The sources; they run already.
    pub sources: Sources,
    /// Why they were selected, for the log.
    pub reason: String,
}

/// The watcher that was named does not work here.
#[derive(Debug, Error)]
#[error("--watcher {wanted} does not work here: {reason}. {advice}")]
pub struct WatcherError {
    wanted: &'static str,
    reason: String,
    advice: String,
}

/// Why a watcher does not work here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl Refusal {
    /// An error with its causes, and what to do about a limit that is behind it.
    fn of(error: &(dyn StdError + 'static)) -> Self {
        let text = with_causes(error);
        let causes = successors(Some(error), |error| (*error).source());
        let advice = causes
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .find_map(limits::advice);
        Self(match advice {
            Some(advice) if !text.contains(&advice) => format!("{text}. {advice}"),
            _ => text,
        })
    }
}

impl<E: StdError + 'static> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::of(&error)
    }
}

/// Starts the named sources; for `auto`, and beside `marker`, the best source that works here.
///
/// # Errors
///
/// A named watcher does not work here.
pub async fn select(
    wanted: &[Watcher],
    around: &Surroundings<'_>,
) -> Result<Selection, WatcherError> {
    let mut selection: Option<Selection> = None;
    let mut add = |source: Source, reason: String| match &mut selection {
        Some(selection) => {
            selection.sources.push(source);
            if !selection.reason.contains(&reason) {
                selection.reason = format!("{}; {reason}", selection.reason);
            }
        }
        None => {
            selection = Some(Selection {
                sources: Sources::one(source),
                reason,
            });
        }
    };
    for watcher in wanted.iter().filter(|watcher| **watcher != Watcher::Auto) {
        let source = match watcher {
            Watcher::KubeApi => kube_api(around).await,
            watcher => start(*watcher, around),
        };
        let source = source.map_err(|Refusal(reason)| WatcherError {
            wanted: watcher.name(),
            reason,
            advice: advice(around),
        })?;
        add(source, "named by --watcher".to_owned());
    }
    let wants_best = wanted.contains(&Watcher::Auto) || wanted == [Watcher::Marker];
    if wants_best || wanted.is_empty() {
        let (source, reason) = best(around);
        add(source, reason);
    }
    Ok(selection.unwrap_or_else(|| Selection {
        sources: Sources::one(Source::Signal),
        reason: "no watcher was named".to_owned(),
    }))
}

/// One watcher of `auto`, tried on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The watcher.
    pub watcher: Watcher,
    /// How much it would see; or why it does not work here, with what to do about it.
    pub outcome: Result<Sight, Refusal>,
}

/// Starts each watcher that `auto` may take, best first, and stops it again. For `doctor`. Needs a running
/// tokio runtime.
#[must_use]
pub fn try_each(around: &Surroundings<'_>) -> Vec<Trial> {
    let trial = |watcher| Trial {
        watcher,
        outcome: start(watcher, around).map(|source| source.sight()),
    };
    LADDER.into_iter().map(trial).collect()
}

/// What `auto` tries, best first. The last resort is SIGTERM.
const LADDER: [Watcher; 3] = [Watcher::Ebpf, Watcher::Pidfd, Watcher::Proc];

fn best(around: &Surroundings<'_>) -> (Source, String) {
    let mut refusals: Vec<String> = Vec::new();
    for watcher in LADDER {
        match start(watcher, around).and_then(|source| unless_pidfd_is_better(source, around)) {
            Ok(source) if refusals.is_empty() => {
                return (source, "the preferred watcher works here".to_owned());
            }
            Ok(source) => return (source, refusals.join("; ")),
            Err(Refusal(reason)) => {
                let watcher = watcher.name();
                warn!(
                    watcher,
                    reason, "a watcher does not work here: trying the next"
                );
                refusals.push(format!("{watcher} does not work here: {reason}"));
            }
        }
    }
    let is_downloader = around.place.as_ref().is_ok_and(Place::is_flytes_downloader);
    if is_downloader {
        // It needs main's end only to stop.
        info!(
            "no watcher works here, so main's end is known from SIGTERM alone: a download needs no more"
        );
    } else {
        warn!(
            "no watcher works here, so main's end is known from SIGTERM alone: {}",
            what_helps(around.place)
        );
    }
    (Source::Signal, refusals.join("; "))
}

/// What would make it better than SIGTERM alone, in one sentence.
fn what_helps(place: &Result<Place, PlaceError>) -> &'static str {
    match place {
        Err(PlaceError::NoPod { .. }) if !is_in_a_cluster() => {
            "no pod surrounds this process, so nobody else may send it; SIGTERM or Ctrl-C starts the upload, \
             --watcher noop uploads at once, and --pod-cgroup names a pod elsewhere"
        }
        Ok(place) if place.is_flytes() => {
            "a main that fails looks like one that ends well; the PodTemplate that `copilot template --flyte VERSION` \
             prints lets the kernel tell how main ends, and docs/flyte.md says how to use it"
        }
        _ => {
            "only a native sidecar (an init container with `restartPolicy: Always`) gets it after main; to watch \
             main itself, give the sidecar CAP_BPF and CAP_PERFMON, or set `shareProcessNamespace: true` in the pod"
        }
    }
}

/// Refuses an eBPF source that does not learn how main ends, where pidfd learns it.
fn unless_pidfd_is_better(source: Source, around: &Surroundings<'_>) -> Result<Source, Refusal> {
    let pidfd_knows = || start(Watcher::Pidfd, around).is_ok_and(|pidfd| pidfd.learns_status());
    if source.name() == Watcher::Ebpf.name() && !source.learns_status() && pidfd_knows() {
        return Err(Refusal(
            "the kernel does not describe its structures, so eBPF does not learn how main ends, and \
             pidfd does"
                .to_owned(),
        ));
    }
    Ok(source)
}

fn start(watcher: Watcher, around: &Surroundings<'_>) -> Result<Source, Refusal> {
    Ok(match watcher {
        Watcher::Auto => best(around).0,
        Watcher::Ebpf => ebpf(around.place()?)?,
        Watcher::Pidfd => {
            Source::Pidfd(Box::new(PidfdSource::new(around.place()?, around.polling)?))
        }
        Watcher::Proc => Source::Proc(Box::new(ProcSource::new(around.place()?, around.polling)?)),
        // `select` connects to the API itself, because that takes a wait.
        Watcher::KubeApi => return Err(Refusal("it must be named by --watcher".to_owned())),
        Watcher::Marker => Source::Marker(Box::new(MarkerSource::new(around.output)?)),
        Watcher::Signal => Source::Signal,
        Watcher::Noop => Source::Noop,
    })
}

/// What to use instead of a named watcher that does not work here.
fn advice(around: &Surroundings<'_>) -> String {
    let works = |watcher: &Watcher| start(*watcher, around).is_ok();
    let next = [Watcher::Pidfd, Watcher::Proc].into_iter().find(works);
    format!(
        "The next best watcher that works here is {}; `--watcher auto` selects it",
        next.unwrap_or(Watcher::Signal).name()
    )
}

#[cfg(feature = "kube-api")]
async fn kube_api(around: &Surroundings<'_>) -> Result<Source, Refusal> {
    let place = around.place.as_ref().ok();
    let source = KubeSource::connect(around.api, place, around.output).await?;
    Ok(Source::Kube(Box::new(source)))
}

#[cfg(not(feature = "kube-api"))]
#[expect(clippy::unused_async, reason = "with the feature it waits for the API")]
async fn kube_api(_around: &Surroundings<'_>) -> Result<Source, Refusal> {
    Err(Refusal("this binary was built without it".to_owned()))
}

#[cfg(feature = "ebpf")]
fn ebpf(place: &Place) -> Result<Source, Refusal> {
    Ok(Source::Ebpf(Box::new(EbpfSource::attach(place)?)))
}

#[cfg(not(feature = "ebpf"))]
fn ebpf(_place: &Place) -> Result<Source, Refusal> {
    Err(Refusal("this binary was built without it".to_owned()))
}
