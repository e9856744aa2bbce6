//! Ways of learning what happens in the pod: one file each.
//!
//! A source only *emits* events, in the one vocabulary, and says at its head what it can and cannot
//! see. It decides nothing: who main is and when it is over is the tracker's word.

#[cfg(feature = "ebpf")]
pub mod ebpf;
pub mod ladder;
pub mod proc;

use super::{Event, Tracker};

/// A source that is at work.
pub enum Source {
    /// The kernel tells.
    #[cfg(feature = "ebpf")]
    Ebpf(Box<ebpf::EbpfSource>),
    /// `/proc` is looked at, again and again.
    Proc(Box<proc::ProcSource>),
    /// Nobody can be seen; SIGTERM, which a native sidecar gets after main, is all there is.
    Signal,
    /// Nobody is waited for.
    Noop,
}

impl Source {
    /// Its name, as `--watcher` takes it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            #[cfg(feature = "ebpf")]
            Self::Ebpf(_) => "ebpf",
            Self::Proc(_) => "proc",
            Self::Signal => "signal",
            Self::Noop => "noop",
        }
    }

    /// Whether it can see main at all.
    #[must_use]
    pub fn sees_processes(&self) -> bool {
        !matches!(self, Self::Signal | Self::Noop)
    }

    /// The next event; never for a source that sees nobody.
    pub async fn next(&mut self) -> Event {
        match self {
            #[cfg(feature = "ebpf")]
            Self::Ebpf(source) => source.next().await,
            Self::Proc(source) => source.next().await,
            Self::Signal | Self::Noop => std::future::pending().await,
        }
    }

    /// Main is known: whatever is of no more interest need not be told.
    pub fn focus(&mut self, tracker: &Tracker) {
        match self {
            #[cfg(feature = "ebpf")]
            Self::Ebpf(source) => source.focus(tracker),
            Self::Proc(source) => source.focus(tracker),
            Self::Signal | Self::Noop => {}
        }
    }
}
