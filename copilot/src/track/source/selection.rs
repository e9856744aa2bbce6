//! Which sources work here? Those that were named, or the best that does, each step down logged with
//! its reason.
//!
//! `ebpf`, then `pidfd`, then `proc`, then `signal`. Whoever names a source that does not work here is
//! refused at once. Marker files never stand alone: a main that is killed writes none.

use std::{fmt, path::Path, sync::LazyLock};

use thiserror::Error;
use tracing::warn;

#[cfg(feature = "ebpf")]
use super::ebpf::EbpfSource;
#[cfg(feature = "kube-api")]
use super::kube::KubeSource;
use super::{
    Polling, Source, Sources, kube::ApiOptions, marker::MarkerSource, pidfd::PidfdSource,
    proc::ProcSource,
};
use crate::track::{
    decision::Sight,
    place::{Place, PlaceError},
};

/// One of `--watcher`: which source is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watcher {
    /// The best that works.
    #[default]
    Auto,
    /// The kernel's events.
    Ebpf,
    /// A descriptor of each process.
    Pidfd,
    /// Looking at `/proc`.
    Proc,
    /// Kubernetes' API; by name only, since it takes rights and is the slowest.
    KubeApi,
    /// Marker files in the output directory, beside the best that works.
    Marker,
    /// SIGTERM only.
    Signal,
    /// No waiting at all.
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

/// For whoever has no flags.
static NO_OPTIONS: LazyLock<ApiOptions> = LazyLock::new(ApiOptions::default);

/// What a source may need.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Where we are.
    pub place: &'a Result<Place, PlaceError>,
    /// How often to look where nobody tells.
    pub polling: Polling,
    /// Main's output directory.
    pub output: Option<&'a Path>,
    /// The way to the API, as far as flags tell it.
    pub api: &'a ApiOptions,
}

impl<'a> Surroundings<'a> {
    /// Nothing but a place.
    #[must_use]
    pub fn of(place: &'a Result<Place, PlaceError>) -> Self {
        Self {
            place,
            polling: Polling::default(),
            output: None,
            api: &NO_OPTIONS,
        }
    }

    fn place(&self) -> Result<&'a Place, Refusal> {
        self.place.as_ref().map_err(Refusal::from)
    }
}

/// The sources at work, and why it is these.
pub struct Selection {
    /// The sources.
    pub sources: Sources,
    /// Why they were taken: for a person who wonders.
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

/// What a rung lacks, in words.
struct Refusal(String);

impl<E: fmt::Display> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Takes the sources that were named; the best that works for `auto`, and beside `marker`.
pub async fn select(
    wanted: &[Watcher],
    around: &Surroundings<'_>,
) -> Result<Selection, WatcherError> {
    let mut rung: Option<Selection> = None;
    let mut add = |source: Source, reason: String| match &mut rung {
        Some(rung) => {
            rung.sources.push(source);
            if !rung.reason.contains(&reason) {
                rung.reason = format!("{}; {reason}", rung.reason);
            }
        }
        None => {
            rung = Some(Selection {
                sources: Sources::one(source),
                reason,
            });
        }
    };
    for watcher in wanted.iter().filter(|watcher| **watcher != Watcher::Auto) {
        let source = match watcher {
            Watcher::KubeApi => kube_api(around).await,
            watcher => try_one(*watcher, around),
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
    Ok(rung.unwrap_or_else(|| Selection {
        sources: Sources::one(Source::Signal),
        reason: "no watcher was named".to_owned(),
    }))
}

fn best(around: &Surroundings<'_>) -> (Source, String) {
    let mut steps: Vec<String> = Vec::new();
    for watcher in [Watcher::Ebpf, Watcher::Pidfd, Watcher::Proc] {
        match try_one(watcher, around).and_then(|source| unless_worse(source, around)) {
            Ok(source) if steps.is_empty() => {
                return (source, "the best there is works here".to_owned());
            }
            Ok(source) => return (source, steps.join("; ")),
            Err(Refusal(reason)) => {
                let rung = watcher.name();
                warn!(
                    rung,
                    reason, "a watcher does not work here: trying the next"
                );
                steps.push(format!("{rung} does not work here: {reason}"));
            }
        }
    }
    warn!(
        "only SIGTERM is left, which says that main has ended if we are a native sidecar (an init \
         container with `restartPolicy: Always`); with CAP_BPF and CAP_PERFMON, or with \
         `shareProcessNamespace: true`, main itself could be watched"
    );
    (Source::Signal, steps.join("; "))
}

/// Refuses eBPF that cannot tell how main ends, where the next rung can.
fn unless_worse(source: Source, around: &Surroundings<'_>) -> Result<Source, Refusal> {
    let knows = |source: &Source| source.sight() == Sight::Knows;
    let next_knows = || try_one(Watcher::Pidfd, around).is_ok_and(|next| knows(&next));
    if source.name() == Watcher::Ebpf.name() && !knows(&source) && next_knows() {
        return Err(Refusal(
            "the kernel does not describe its structures, so it does not tell how main ends, and pidfd does"
                .to_owned(),
        ));
    }
    Ok(source)
}

fn try_one(watcher: Watcher, around: &Surroundings<'_>) -> Result<Source, Refusal> {
    Ok(match watcher {
        Watcher::Auto => best(around).0,
        Watcher::Ebpf => ebpf(around.place()?)?,
        Watcher::Pidfd => {
            Source::Pidfd(Box::new(PidfdSource::new(around.place()?, around.polling)?))
        }
        Watcher::Proc => Source::Proc(Box::new(ProcSource::new(around.place()?, around.polling)?)),
        Watcher::KubeApi => return Err("only a watcher that was named asks the API".into()),
        Watcher::Marker => Source::Marker(Box::new(MarkerSource::new(around.output)?)),
        Watcher::Signal => Source::Signal,
        Watcher::Noop => Source::Noop,
    })
}

/// The nearest that works, for whoever named one that does not.
fn advice(around: &Surroundings<'_>) -> String {
    let works = |watcher: &Watcher| try_one(*watcher, around).is_ok();
    let nearest = [Watcher::Pidfd, Watcher::Proc].into_iter().find(works);
    format!(
        "The nearest that works is {}; `--watcher auto` finds it by itself",
        nearest.unwrap_or(Watcher::Signal).name()
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
