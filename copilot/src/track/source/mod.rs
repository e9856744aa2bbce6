//! Sources: the ways to learn what happens in the pod, one file or folder each.
//!
//! A source only *emits* [`Event`]s; the top of its file lists what it can and cannot see. Several may
//! run at once ([`Sources`]); [`selection`] chooses them. Never here: who main is, and when it is over,
//! which the tracker decides. Called by `attach` and `watch`.

mod causes;
mod child;
#[cfg(feature = "ebpf")]
pub mod ebpf;
pub mod kube;
mod marker;
mod pidfd;
mod polling;
mod proc;
pub mod selection;
mod tick;

pub use child::ChildSource;
pub use polling::Polling;
pub use selection::Watcher;

use std::{io, os::fd::AsRawFd, pin::Pin};

use futures_util::future::select_all;
use tokio::io::{Interest, unix::AsyncFd};

use super::{ContainerId, Event, ProcessId, Tracker, decision::Sight, identify::Manifest};

/// Why a source that looks at processes does not work where nothing tells our pod's from those of others.
const HIDDEN: &str = "we see the processes of other pods, and nothing shows which are our pod's: our cgroup \
                      namespace is private, kubelet mounts nothing here, and our ipc, uts and network \
                      namespaces are the node's; name the pod's cgroup with --pod-cgroup";

/// The same where `/proc` hides processes.
const HIDEPID: &str = "/proc is mounted with hidepid, which hides the processes of other containers from the sidecar; \
                       mount it without, or use --watcher ebpf, which does not need it";

/// Which events matter from now on. A source may leave out the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Focus {
    /// Main has started, so only the ends of first processes and new containers matter.
    pub main_runs: bool,
    /// No other container can turn out to be main.
    pub main_is_certain: bool,
    /// Each container whose first process is known, with that process.
    pub first_processes: Vec<(ContainerId, ProcessId)>,
}

impl From<&Tracker> for Focus {
    fn from(tracker: &Tracker) -> Self {
        let firsts = tracker.first_processes();
        Self {
            main_runs: tracker.has_started(),
            main_is_certain: tracker.is_main_certain(),
            first_processes: firsts.map(|(id, process)| (id.clone(), process)).collect(),
        }
    }
}

/// A source that runs.
pub enum Source {
    /// The kernel's events.
    #[cfg(feature = "ebpf")]
    Ebpf(Box<ebpf::EbpfSource>),
    /// A descriptor of each first process.
    Pidfd(Box<pidfd::PidfdSource>),
    /// Repeated scans of `/proc`.
    Proc(Box<proc::ProcSource>),
    /// A watch of our pod through the Kubernetes API.
    #[cfg(feature = "kube-api")]
    Kube(Box<kube::KubeSource>),
    /// A process that we have started ourselves.
    Child(Box<ChildSource>),
    /// Marker files in the output directory.
    Marker(Box<marker::MarkerSource>),
    /// No events: only SIGTERM, which a native sidecar gets after main.
    Signal,
    /// No events, and no wait for main.
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
            Self::Child(_) => "child",
            Self::Marker(_) => "marker",
            Self::Signal => "signal",
            Self::Noop => "noop",
        }
    }

    /// Whether it can emit events.
    fn emits(&self) -> bool {
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
            Self::Child(source) => source.next().await,
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
            Self::Child(_) | Self::Marker(_) | Self::Signal | Self::Noop => {}
        }
    }

    /// Whether it learns how a process ended, without a report of the API.
    fn learns_status(&self) -> bool {
        match self {
            #[cfg(feature = "ebpf")]
            Self::Ebpf(source) => source.learns_status(),
            Self::Pidfd(_) => pidfd::learns_status(),
            _ => false,
        }
    }

    /// Why it does not see all processes at this moment, in words; nothing if it sees them, or never does.
    fn failure(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "ebpf")]
            Self::Ebpf(source) => source.failure(),
            Self::Pidfd(source) => source.failure(),
            Self::Proc(source) => source.failure(),
            _ => None,
        }
    }

    /// How much it sees of the pod's processes at this moment. Files and signals show none.
    fn sight(&self) -> Sight {
        match self {
            // That main is not seen proves nothing then.
            _ if self.failure().is_some() => Sight::Lost,
            _ if self.learns_status() => Sight::Knows,
            #[cfg(feature = "ebpf")]
            Self::Ebpf(_) => Sight::Sees,
            Self::Pidfd(_) | Self::Proc(_) => Sight::Sees,
            Self::Child(_) => Sight::Knows,
            #[cfg(feature = "kube-api")]
            Self::Kube(source) => source.sight(),
            Self::Marker(_) | Self::Signal | Self::Noop => Sight::Blind,
        }
    }
}

/// The sources that run together; at least one.
pub struct Sources(Vec<Source>);

impl Sources {
    /// A single source.
    #[must_use]
    pub fn one(source: Source) -> Self {
        Self(vec![source])
    }

    /// Adds a source.
    pub fn push(&mut self, source: Source) {
        self.0.push(source);
    }

    /// Their names, as `--watcher` takes them.
    #[must_use]
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(Source::name).collect();
        names.join(",")
    }

    /// Whether any of them can emit events; otherwise only SIGTERM shows that main is over.
    #[must_use]
    pub fn emit(&self) -> bool {
        self.0.iter().any(Source::emits)
    }

    /// Whether one of them sees if the out-of-memory killer has ended a process.
    #[must_use]
    pub fn explain_kills(&self) -> bool {
        self.0.iter().any(|source| match source {
            #[cfg(feature = "ebpf")]
            Source::Ebpf(source) => source.learns_status(),
            #[cfg(feature = "kube-api")]
            Source::Kube(_) => true,
            _ => false,
        })
    }

    /// Whether one of them reads and updates BPF maps.
    #[must_use]
    pub fn use_bpf(&self) -> bool {
        self.0.iter().any(|source| match source {
            #[cfg(feature = "ebpf")]
            Source::Ebpf(_) => true,
            _ => false,
        })
    }

    /// Whether main must not be waited for.
    #[must_use]
    pub fn are_noop(&self) -> bool {
        self.0.iter().all(|source| matches!(source, Source::Noop))
    }

    /// The next event of any of them, with the name of its source; waits for ever if none emits events.
    /// Cancel safe: no event is lost.
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

    /// How much the best of them sees of the pod's processes at this moment.
    #[must_use]
    pub fn sight(&self) -> Sight {
        let sights = self.0.iter().map(Source::sight);
        sights.reduce(Sight::better).unwrap_or(Sight::Blind)
    }

    /// Why for a while one of them could not see all processes, in words: one that came and went meanwhile is not
    /// known. The kernel's events show that one all the same, unless they could never be seen.
    #[must_use]
    pub fn gap(&self) -> Option<&str> {
        self.0.iter().find_map(|source| match source {
            Source::Pidfd(source) => source.gap(),
            Source::Proc(source) => source.gap(),
            source => source.failure(),
        })
    }

    /// Makes each source check, before a decision, whether it still sees the pod: a connection may have
    /// died unnoticed.
    pub fn look_again(&mut self) {
        #[cfg(feature = "kube-api")]
        for source in &mut self.0 {
            if let Source::Kube(source) = source {
                source.look_again();
            }
        }
    }

    /// The facts about main in the pod's manifest, if one of them has read it.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        self.0.iter().find_map(|source| match source {
            #[cfg(feature = "kube-api")]
            Source::Kube(source) => Some(source.manifest()),
            _ => None,
        })
    }

    /// The wait for main is over: what made its events come soon ends.
    pub fn wait_is_over(&mut self) {
        #[cfg(feature = "ebpf")]
        for source in &mut self.0 {
            if let Source::Ebpf(source) = source {
                source.wait_is_over();
            }
        }
    }

    /// Sets which events matter from now on.
    pub fn focus(&mut self, focus: &Focus) {
        for source in &mut self.0 {
            source.focus(focus);
        }
    }
}

/// Registers a descriptor with tokio, to wait until the kernel makes it readable.
fn register<T: AsRawFd>(owner: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: each owner that is registered here (a pidfd, a timer, an inotify instance, a ring
    // buffer's map) owns its descriptor, always returns the same one, and keeps it open until it is
    // dropped, which ends the registration as well.
    unsafe { AsyncFd::register_with_interest(owner, Interest::READABLE) }
        .map_err(|error| error.into_parts().1)
}
