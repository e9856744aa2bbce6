//! Which source works here? The best that does, each step down logged with its reason.

use std::fmt;

use thiserror::Error;
use tracing::warn;

#[cfg(feature = "ebpf")]
use super::ebpf::EbpfSource;
use super::{Source, proc::ProcSource};
use crate::track::place::{Place, PlaceError};

/// `--watcher`: which source is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watcher {
    /// The best that works.
    #[default]
    Auto,
    /// The kernel's events.
    Ebpf,
    /// Looking at `/proc`.
    Proc,
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
        ("proc", Self::Proc),
        ("signal", Self::Signal),
        ("noop", Self::Noop),
    ];

    /// The watcher of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, watcher)| *watcher)
    }
}

/// A source at work, and why it is this one.
pub struct Rung {
    /// The source.
    pub source: Source,
    /// Why it was taken: for a person who wonders.
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

/// Takes the source that was named, or the best that works.
pub fn climb(wanted: Watcher, place: &Result<Place, PlaceError>) -> Result<Rung, WatcherError> {
    let named = |source: Result<Source, Refusal>, wanted| match source {
        Ok(source) => Ok(Rung {
            source,
            reason: "named by --watcher".to_owned(),
        }),
        Err(Refusal(reason)) => Err(WatcherError {
            wanted,
            reason,
            advice: advice(place),
        }),
    };
    match wanted {
        Watcher::Auto => Ok(best(place)),
        Watcher::Ebpf => named(ebpf(place), "ebpf"),
        Watcher::Proc => named(proc(place), "proc"),
        Watcher::Signal => named(Ok(Source::Signal), "signal"),
        Watcher::Noop => named(Ok(Source::Noop), "noop"),
    }
}

fn best(place: &Result<Place, PlaceError>) -> Rung {
    let Refusal(no_ebpf) = match ebpf(place) {
        Ok(source) => {
            return Rung {
                source,
                reason: "the best there is works here".to_owned(),
            };
        }
        Err(refusal) => refusal,
    };
    warn!(
        rung = "ebpf",
        reason = no_ebpf,
        "a watcher does not work here: trying the next"
    );
    let Refusal(no_proc) = match proc(place) {
        Ok(source) => {
            return Rung {
                source,
                reason: format!("ebpf does not work here: {no_ebpf}"),
            };
        }
        Err(refusal) => refusal,
    };
    warn!(
        rung = "proc",
        reason = no_proc,
        "a watcher does not work here: only SIGTERM is left, which says that main has ended if we \
         are a native sidecar (an init container with `restartPolicy: Always`)"
    );
    Rung {
        source: Source::Signal,
        reason: format!("ebpf does not work here: {no_ebpf}; nor does proc: {no_proc}"),
    }
}

/// The nearest that works, for whoever named one that does not.
fn advice(place: &Result<Place, PlaceError>) -> String {
    let nearest = if proc(place).is_ok() {
        "proc"
    } else {
        "signal"
    };
    format!("The nearest that works is {nearest}; `--watcher auto` finds it by itself")
}

#[cfg(feature = "ebpf")]
fn ebpf(place: &Result<Place, PlaceError>) -> Result<Source, Refusal> {
    let place = place.as_ref().map_err(|error| Refusal(error.to_string()))?;
    Ok(Source::Ebpf(Box::new(EbpfSource::attach(place)?)))
}

#[cfg(not(feature = "ebpf"))]
fn ebpf(_place: &Result<Place, PlaceError>) -> Result<Source, Refusal> {
    Err(Refusal("this binary was built without it".to_owned()))
}

fn proc(place: &Result<Place, PlaceError>) -> Result<Source, Refusal> {
    let place = place.as_ref().map_err(|error| Refusal(error.to_string()))?;
    Ok(Source::Proc(Box::new(ProcSource::new(place)?)))
}
