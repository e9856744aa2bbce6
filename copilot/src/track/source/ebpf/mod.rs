//! Watching the pod through the kernel: raw tracepoints on exec, exit and fork, read from a
//! ring buffer.
//!
//! Sees every process of the pod, its exit status and OOM kills, within microseconds and without
//! polling, whatever pid namespace it lives in. Needs `CAP_BPF` and `CAP_PERFMON` (effective), a
//! kernel from 5.8 on; before 5.14, and where containers lie in cgroup v1 only, its BTF as well.
//! Cannot see what ended before it was attached: for that it scans `/proc` once, after attaching.
//!
//! [`attach`] loads the programs ([`locked`]: where memory for them is scarce; [`refusal`]: what the
//! kernel means by its noes), [`records`] turns records into events, [`newcomers`] names containers
//! while they are made, [`fields`] and [`btf`] tell the programs where the kernel keeps what they read.

mod attach;
#[cfg(test)]
mod bpftool;
pub mod btf;
pub mod fields;
mod locked;
mod newcomers;
mod records;
mod refusal;

pub use attach::OBJECT;

use std::{collections::VecDeque, time::Duration};

use aya::maps::{Array, HashMap, MapData, MapError, PerCpuArray, RingBuf};
use copilot_common::{Offset, Record, kind, lost, pod};
use thiserror::Error;
use tokio::io::unix::AsyncFd;
use tracing::{debug, warn};

use self::newcomers::Newcomers;
use self::records::Records;
use super::{Focus, register, tick::Tick};
use crate::track::{Event, Timestamp, place::Place, scan::Scanner};

/// How often the ring and the loss counters are read when nothing happens. What matters wakes us, so
/// this is for a loss after which nothing more comes; main must not pay for more than a wake-up in ten seconds.
const SAFETY_TICK: Duration = Duration::from_secs(20);

/// How many records are taken before what they tell is passed on: a storm that never ends must not
/// keep us from telling, nor from noticing a loss. The ring buffer holds fewer.
const AT_ONCE: usize = 4096;

/// After a look that may have overlooked somebody.
const UNTIL_NEXT_LOOK: Duration = Duration::from_millis(200);

/// Why the kernel could not be asked.
#[derive(Debug, Error)]
pub enum EbpfError {
    /// The kernel knows no cgroup of our pod.
    #[error(
        "no hierarchy of cgroups tells the kernel which processes are our pod's: neither cgroup2 nor \
         that of a controller of cgroup v1"
    )]
    NoHierarchy,
    /// No cgroup is our pod's.
    #[error("all containers share one cgroup, so the kernel cannot tell our pod's from others")]
    NoPodCgroup,
    /// The rights are missing.
    #[error(
        "the kernel refuses BPF ({0}): the container needs CAP_BPF and CAP_PERFMON, effective \
         (uid 0 with `capabilities: add: [BPF, PERFMON]`, or privileged)"
    )]
    Refused(String),
    /// The rights are there, but memory is not.
    #[error(
        "the kernel refuses BPF ({cause}): before Linux 5.11 it counts all BPF of one user on the \
         node against the limit of locked memory (RLIMIT_MEMLOCK), which is {limit} bytes here. Add \
         SYS_RESOURCE to the container's capabilities, or raise the limit that the node's container \
         runtime gives (LimitMEMLOCK of its systemd unit) to 8 MiB or more"
    )]
    LockedMemory {
        /// The kernel's word.
        cause: String,
        /// In bytes.
        limit: u64,
    },
    /// The object was not accepted.
    #[error("the BPF programs could not be loaded: {0}")]
    Load(String),
    /// The kernel's description of its structures is needed, and is not there.
    #[error(
        "the kernel does not describe its structures ({0:?} is unknown), by which a process's cgroups \
         are found where no helper tells them: before Linux 5.14 and in cgroup v1"
    )]
    NoWay(Offset),
    /// Our pod's cgroup could not be found in the kernel.
    #[error("the kernel did not tell the cgroup of our pod: {0}")]
    Pod(&'static str),
    /// Something else of the operating system failed.
    #[error("the BPF programs could not be set up: {0}")]
    System(#[from] std::io::Error),
}

/// What the programs still report once main runs: the exits of these processes, and the execs of all
/// containers but these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Narrowed {
    processes: Vec<u64>,
    cgroups: Vec<u64>,
}

/// The attached programs and what they have said.
pub struct EbpfSource {
    ring: AsyncFd<RingBuf<MapData>>,
    lost: PerCpuArray<MapData, u64>,
    filter: Array<MapData, [u64; pod::NUMBERS]>,
    watched: HashMap<MapData, u64, u8>,
    known: HashMap<MapData, u64, u8>,
    records: Records,
    scanner: Scanner,
    newcomers: Newcomers,
    queue: VecDeque<Event>,
    lost_before: u64,
    /// A complete look at all processes is owed.
    must_look: bool,
    /// The ring buffer held more than was taken from it at once.
    has_more: bool,
    /// What the programs were last told to leave out.
    narrowed: Option<Narrowed>,
    tick: Tick,
    tells_status: bool,
    /// Keeps the programs attached.
    _programs: aya::Ebpf,
}

impl EbpfSource {
    /// Attaches the programs to our pod, then looks for whoever runs already.
    pub fn attach(place: &Place) -> Result<Self, EbpfError> {
        Self::begin(attach::attach(place, None)?, place)
    }

    /// The same with a ring buffer of so many bytes: a power of two, and whole pages. A small one
    /// soon loses events, which costs a look at all processes each time, and no end of main.
    pub fn attach_with_ring(place: &Place, bytes: u32) -> Result<Self, EbpfError> {
        Self::begin(attach::attach(place, Some(bytes))?, place)
    }

    fn begin(mut attached: attach::Attached, place: &Place) -> Result<Self, EbpfError> {
        let sees = place.shows_others();
        let mut source = Self {
            ring: register(attached.ring()?)?,
            lost: attached.lost()?,
            filter: attached.filter()?,
            watched: attached.watched()?,
            known: attached.known()?,
            records: Records::new(place.clone(), attached.own_container),
            newcomers: Newcomers::beside(Scanner::new(place.clone()), sees),
            scanner: Scanner::new(place.clone()),
            queue: VecDeque::new(),
            lost_before: 0,
            must_look: true,
            has_more: false,
            narrowed: None,
            tick: Tick::every(SAFETY_TICK)?,
            tells_status: attached.tells_status,
            _programs: attached.programs,
        };
        source.collect();
        source.newcomers = Newcomers::beside(source.scanner.clone(), sees);
        give_back_freed_memory();
        Ok(source)
    }

    /// Whether the programs tell how a process ends: only if the kernel describes its structures.
    #[must_use]
    pub fn tells_status(&self) -> bool {
        self.tells_status
    }

    /// The next event; waits in the kernel until there is one.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            if !self.has_more {
                self.wait().await;
            }
            self.collect();
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            guard = self.ring.readable_mut() => match guard {
                Ok(mut guard) => guard.clear_ready(),
                Err(error) => {
                    // The runtime is going down: there is nothing left to wait with.
                    debug!(%error, "the ring buffer cannot be waited for");
                    std::future::pending::<()>().await;
                }
            },
            () = self.tick.passed() => {}
            () = tokio::time::sleep(UNTIL_NEXT_LOOK), if self.must_look => {}
            () = self.newcomers.due() => {}
        }
    }

    /// Main is known. From now on only new containers are of interest, and the ends of first
    /// processes: whatever else main does costs us no wake-up. The ends of all of them, since
    /// their order tells who main is. Should it turn out that main has yet to come, all is of
    /// interest again.
    pub fn focus(&mut self, focus: &Focus) {
        if !focus.main_runs {
            if self.narrowed.take().is_some() {
                self.widen();
            }
            return;
        }
        let firsts = focus.first_processes.iter();
        let wanted = Narrowed {
            processes: firsts
                .clone()
                .map(|(_, process)| self.records.kernel_pid(*process))
                .collect(),
            cgroups: self
                .records
                .cgroup_ids(firsts.map(|(container, _)| container)),
        };
        if self.narrowed.as_ref() == Some(&wanted) {
            return;
        }
        if let Err(error) = self.narrow(&wanted) {
            // Unfocused the programs send more than is needed, and nothing is missed.
            warn!(%error, "the programs could not be told to send less");
            self.widen();
        }
        self.narrowed = Some(wanted);
    }

    fn widen(&mut self) {
        if let Err(error) = self.set_focus(false) {
            warn!(%error, "the programs could not be told to send all");
        }
    }

    fn narrow(&mut self, wanted: &Narrowed) -> Result<(), MapError> {
        for process in &wanted.processes {
            self.watched.insert(process, 1, 0)?;
        }
        // After their processes, else an end between the two would not be told.
        for id in &wanted.cgroups {
            self.known.insert(id, 1, 0)?;
        }
        self.set_focus(true)
    }

    fn set_focus(&mut self, focused: bool) -> Result<(), MapError> {
        let mut numbers = self.filter.get(&0, 0)?;
        numbers[pod::FOCUS] = focused.into();
        self.filter.set(0, numbers, 0)
    }

    /// Takes what the kernel has told. The counter of losses is read after the records: no record
    /// that came after a loss may be told before it.
    fn collect(&mut self) {
        let told = self.drain();
        let lost = self.count_lost();
        if lost != self.lost_before {
            let count = lost - self.lost_before;
            self.lost_before = lost;
            self.must_look = true;
            self.records.expect_gaps();
            warn!(
                count,
                "events were lost in the kernel; looking at all processes instead"
            );
            self.queue.push_back(Event::Lost {
                count,
                at: Timestamp::now(),
            });
        }
        // Who is in a container, before what is done there.
        self.queue.extend(self.newcomers.look());
        self.queue.extend(told);
        if self.must_look {
            self.look();
        }
    }

    fn look(&mut self) {
        let mut seen = self.scanner.scan();
        // Whoever started or ended before the look has left its record by now, unless that was
        // lost: it knows the order, and the status, and must come before the look's "gone".
        let told = self.drain();
        self.queue.extend(told);
        self.records.learn(&seen);
        if self.has_more {
            // Its ends have records that are not read yet: they know how.
            seen.retain(|event| !matches!(event, Event::Scanned { .. }));
        }
        self.must_look = !matches!(seen.last(), Some(Event::Scanned { .. }));
        self.queue.extend(seen);
    }

    fn drain(&mut self) -> VecDeque<Event> {
        let mut events = VecDeque::new();
        self.has_more = false;
        let mut taken = 0;
        while let Some(item) = self.ring.get_mut().next() {
            taken += 1;
            match bytemuck::try_pod_read_unaligned::<Record>(&item) {
                Ok(record) if record.kind == kind::FORK => {
                    if !self.records.is_own(record.cgroup) {
                        self.records.expect_one(&record);
                        self.newcomers.expect(record.cgroup);
                    }
                }
                Ok(record) => self
                    .records
                    .translate(&record, &mut self.newcomers, &mut events),
                Err(error) => warn!(%error, "a record of the ring buffer has a wrong size"),
            }
            if taken == AT_ONCE {
                self.has_more = true;
                break;
            }
        }
        events
    }

    fn count_lost(&self) -> u64 {
        (0..lost::SLOTS)
            .filter_map(|slot| self.lost.get(&slot, 0).ok())
            .flat_map(|counts| counts.iter().copied().collect::<Vec<u64>>())
            .sum()
    }
}

/// The kernel's description of itself, ours and aya's copy of it, is gone by now; the allocator
/// keeps such memory for later, and there is no later while main runs.
fn give_back_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes no pointer and may be made at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
