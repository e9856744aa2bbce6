//! Ways of learning what happens in the pod: one file each.
//!
//! A source only *emits* events, in the one vocabulary, and says at its head what it can and cannot
//! see. It decides nothing: who main is and when it is over is the tracker's word. Several may be at
//! work at once ([`Sources`]); [`selection`] chooses them.

#[cfg(feature = "ebpf")]
pub mod ebpf;
pub mod kube;
pub mod marker;
pub mod pidfd;
mod polling;
pub mod proc;
pub mod selection;
mod tick;

pub use polling::Polling;
pub use selection::Watcher;

use std::{io, os::fd::AsRawFd, pin::Pin};

use futures_util::future::select_all;
use tokio::io::{Interest, unix::AsyncFd};

use super::{ContainerId, Event, ProcessId, Tracker, decision::Sight, identify::Manifest};

/// What matters from now on. A source may leave out the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Focus {
    /// Main has been seen to start, so only the ends of first processes and new containers matter.
    pub main_runs: bool,
    /// The containers whose first process is known, each with it.
    pub first_processes: Vec<(ContainerId, ProcessId)>,
}

impl From<&Tracker> for Focus {
    fn from(tracker: &Tracker) -> Self {
        let firsts = tracker.first_processes();
        Self {
            main_runs: tracker.has_started(),
            first_processes: firsts.map(|(id, process)| (id.clone(), process)).collect(),
        }
    }
}

/// A source that is at work.
pub enum Source {
    /// The kernel tells.
    #[cfg(feature = "ebpf")]
    Ebpf(Box<ebpf::EbpfSource>),
    /// A descriptor of each first process tells its end.
    Pidfd(Box<pidfd::PidfdSource>),
    /// `/proc` is looked at, again and again.
    Proc(Box<proc::ProcSource>),
    /// Kubernetes' API tells of our pod.
    #[cfg(feature = "kube-api")]
    Kube(Box<kube::KubeSource>),
    /// Files in the output directory.
    Marker(Box<marker::MarkerSource>),
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
            Self::Pidfd(_) => "pidfd",
            Self::Proc(_) => "proc",
            #[cfg(feature = "kube-api")]
            Self::Kube(_) => "kube-api",
            Self::Marker(_) => "marker",
            Self::Signal => "signal",
            Self::Noop => "noop",
        }
    }

    /// Whether anything can come of it but SIGTERM.
    fn tells(&self) -> bool {
        !matches!(self, Self::Signal | Self::Noop)
    }

    async fn next(&mut self) -> Event {
        match self {
            #[cfg(feature = "ebpf")]
            Self::Ebpf(source) => source.next().await,
            Self::Pidfd(source) => source.next().await,
            Self::Proc(source) => source.next().await,
            #[cfg(feature = "kube-api")]
            Self::Kube(source) => source.next().await,
            Self::Marker(source) => source.next().await,
            Self::Signal | Self::Noop => std::future::pending().await,
        }
    }

    fn focus(&mut self, focus: &Focus) {
        match self {
            #[cfg(feature = "ebpf")]
            Self::Ebpf(source) => source.focus(focus),
            Self::Pidfd(source) => source.focus(focus.main_runs),
            Self::Proc(source) => source.focus(focus.main_runs),
            #[cfg(feature = "kube-api")]
            Self::Kube(_) => {}
            Self::Marker(_) | Self::Signal | Self::Noop => {}
        }
    }

    /// What it sees, at this moment, of who lives: files and signals never show that.
    fn sight(&self) -> Sight {
        match self {
            #[cfg(feature = "ebpf")]
            Self::Ebpf(source) if source.tells_status() => Sight::Knows,
            #[cfg(feature = "ebpf")]
            Self::Ebpf(_) => Sight::Sees,
            Self::Pidfd(_) if pidfd::tells_status() => Sight::Knows,
            Self::Pidfd(_) | Self::Proc(_) => Sight::Sees,
            #[cfg(feature = "kube-api")]
            Self::Kube(source) => source.sight(),
            Self::Marker(_) | Self::Signal | Self::Noop => Sight::Blind,
        }
    }
}

/// The sources that are at work together. Never none.
pub struct Sources(Vec<Source>);

impl Sources {
    /// One source.
    #[must_use]
    pub fn one(source: Source) -> Self {
        Self(vec![source])
    }

    /// One more.
    pub fn push(&mut self, source: Source) {
        self.0.push(source);
    }

    /// Their names, as `--watcher` takes them.
    #[must_use]
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(Source::name).collect();
        names.join(",")
    }

    /// Whether main's end may be told by anything but SIGTERM.
    #[must_use]
    pub fn tell(&self) -> bool {
        self.0.iter().any(Source::tells)
    }

    /// Whether nobody shall be waited for.
    #[must_use]
    pub fn are_noop(&self) -> bool {
        self.0.iter().all(|source| matches!(source, Source::Noop))
    }

    /// The next event of any of them, and whose it is; never, if none of them tells anything.
    /// Nothing is lost if the wait is given up.
    pub async fn next(&mut self) -> (&'static str, Event) {
        if let [source] = self.0.as_mut_slice() {
            return (source.name(), source.next().await);
        }
        let each = self.0.iter_mut().map(|source| {
            let name = source.name();
            Box::pin(async move { (name, source.next().await) })
                as Pin<Box<dyn Future<Output = (&'static str, Event)>>>
        });
        select_all(each).await.0
    }

    /// What the best of them sees, at this moment, of who lives.
    #[must_use]
    pub fn sight(&self) -> Sight {
        let sights = self.0.iter().map(Source::sight);
        sights.reduce(Sight::better).unwrap_or(Sight::Blind)
    }

    /// A decision is near: whoever may have lost its sight unawares finds out.
    pub fn look_again(&mut self) {
        #[cfg(feature = "kube-api")]
        for source in &mut self.0 {
            if let Source::Kube(source) = source {
                source.look_again();
            }
        }
    }

    /// What the pod's manifest says of who is main, if one of them could read it.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        self.0.iter().find_map(|source| match source {
            #[cfg(feature = "kube-api")]
            Source::Kube(source) => Some(source.manifest()),
            _ => None,
        })
    }

    /// Main is known: whatever is of no more interest need not be told.
    pub fn focus(&mut self, focus: &Focus) {
        for source in &mut self.0 {
            source.focus(focus);
        }
    }
}

/// Makes a descriptor that the kernel makes readable something that can be waited for.
fn register<T: AsRawFd>(owner: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: what is registered here (a pidfd, a timer, an inotify instance, a ring buffer's map)
    // owns its descriptor, gives the same one each time it is asked, and keeps it open until it is
    // dropped, which is when the registration ends.
    unsafe { AsyncFd::register_with_interest(owner, Interest::READABLE) }
        .map_err(|error| error.into_parts().1)
}
