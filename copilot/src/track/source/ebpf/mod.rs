//! The `ebpf` source: raw tracepoints on exec, exit and fork, read from a ring buffer.
//!
//! Sees every process of the pod in any pid namespace, with its exit status and OOM kills, within
//! microseconds and without polling. Needs `CAP_BPF` and `CAP_PERFMON` (effective) and Linux 5.8 or
//! newer; before 5.14, and where containers lie in cgroup v1 only, the kernel's BTF as well. Cannot see
//! a process that ended before the programs were attached; it scans `/proc` once after it attaches.
//!
//! [`attach`] loads the programs with [`loader`], and [`programs`] keeps them attached; [`locked`] raises the memory
//! limit for them, [`refusal`] explains the kernel's errors. [`records`] turns records into events, [`newcomers`]
//! names containers while they are made, [`fields`] and [`btf`] find the offsets of kernel fields that the programs
//! read. Never here: who main is.

mod attach;
#[cfg(test)]
mod bpftool;
mod btf;
mod copilots;
mod error;
mod fields;
mod lineage;
mod loader;
mod locked;
mod newcomers;
mod programs;
mod promptness;
mod records;
mod refusal;

pub use attach::{LoadOptions, OBJECT};
pub use btf::BtfError;
pub use error::{EbpfError, LoadError, Refuser};

use std::{collections::VecDeque, time::Duration};

use aya::maps::{Array, HashMap, MapData, MapError, PerCpuArray, RingBuf};
use copilot_common::{CommandLine, Record, kind, lost, pod};
use tokio::io::unix::AsyncFd;
use tracing::{debug, warn};

use self::newcomers::Newcomers;
use self::promptness::Promptness;
use self::records::Records;
use super::{Focus, register, tick::Tick};
use crate::track::{Event, Timestamp, place::Place, scan::Scanner};

/// Whether the kernel describes the structures that show how a process ended. For `doctor`.
///
/// # Errors
///
/// Its description, the BTF, cannot be read.
pub fn describes_ends() -> Result<bool, BtfError> {
    let fields = fields::FieldOffsets::from_kernel(&[])?;
    give_back_freed_memory();
    Ok(fields.include_status())
}

/// How often the ring buffer and the loss counters are read when nothing happens. Events that matter
/// wake us, so this only finds a loss after which no event comes. A wake-up costs CPU time that main
/// could use: our limit is one in ten seconds.
const SAFETY_TICK: Duration = Duration::from_secs(20);

/// How many records are read before their events are emitted: an endless storm of records must not keep
/// us from emitting events, nor from noticing a loss. The ring buffer holds fewer.
const AT_ONCE: usize = 4096;

/// The pause after a scan that may have missed a process.
const UNTIL_NEXT_SCAN: Duration = Duration::from_millis(200);

/// What the programs still report once main runs: the exits of these processes, and the execs of all
/// containers except these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Narrowed {
    processes: Vec<u64>,
    cgroups: Vec<u64>,
}

/// The attached programs, and the events from their records.
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
    /// A full scan of all processes is due.
    must_scan: bool,
    /// The ring buffer holds more records than were read at once.
    has_more: bool,
    /// What the programs still report; `None` if they report everything.
    narrowed: Option<Narrowed>,
    tick: Tick,
    learns_status: bool,
    /// As long as main is waited for.
    promptness: Option<Promptness>,
    /// Keeps the programs attached.
    programs: programs::Programs,
}

impl EbpfSource {
    /// Attaches the programs to our pod, then scans for processes that run already.
    ///
    /// # Errors
    ///
    /// The kernel refuses the programs, or cannot tell our pod's processes from others.
    pub fn attach(place: &Place) -> Result<Self, EbpfError> {
        Self::attach_with(place, LoadOptions::default())
    }

    /// The same with these options.
    ///
    /// # Errors
    ///
    /// As [`EbpfSource::attach`].
    pub fn attach_with(place: &Place, options: LoadOptions) -> Result<Self, EbpfError> {
        Self::begin(attach::attach(place, options)?)
    }

    fn begin(mut attached: attach::Attached) -> Result<Self, EbpfError> {
        let place = attached.place.clone();
        let sees = place.shows_others();
        let mut source = Self {
            ring: register(attached.ring()?)?,
            lost: attached.lost()?,
            filter: attached.filter()?,
            watched: attached.watched()?,
            known: attached.known()?,
            records: Records::new(place.clone(), attached.own_container),
            newcomers: Newcomers::new(Scanner::new(place.clone()), sees),
            scanner: Scanner::new(place),
            queue: VecDeque::new(),
            lost_before: 0,
            must_scan: true,
            has_more: false,
            narrowed: None,
            tick: Tick::every(SAFETY_TICK)?,
            learns_status: attached.learns_status,
            promptness: Some(Promptness::begin()),
            programs: attached.programs,
        };
        source.collect();
        source.newcomers = Newcomers::new(source.scanner.clone(), sees);
        give_back_freed_memory();
        Ok(source)
    }

    /// Whether the records show how a process ended: only if the kernel describes its structures.
    #[must_use]
    pub fn learns_status(&self) -> bool {
        self.learns_status
    }

    /// Why the last scan did not show all processes, in words. Those that began before it may be unknown then.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.scanner.failure()
    }

    /// The wait for main is over: this thread has other work now, which need not interrupt others.
    pub fn wait_is_over(&mut self) {
        self.promptness = None;
    }

    /// The next event. Cancel safe: no event is lost.
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
                    // Tokio shuts down.
                    debug!(%error, "the wait for the ring buffer failed");
                    std::future::pending::<()>().await;
                }
            },
            () = self.tick.passed() => {}
            () = tokio::time::sleep(UNTIL_NEXT_SCAN), if self.must_scan => {}
            () = self.newcomers.due() => {}
        }
    }

    /// Narrows the programs once main runs, to new containers and the ends of first processes, so that
    /// nothing else that main does wakes us. The ends of all first processes count, because their order
    /// shows who main is. If main turns out not to have started yet, the programs report everything
    /// again. The program that runs at each fork of the node is attached only while they do.
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
            // Without the focus the programs report more than we need, and nothing is missed.
            warn!(%error, "the BPF programs could not be narrowed: they go on to report every event");
            self.widen();
        } else {
            // Narrowed programs send no fork.
            self.programs.stop_watching_forks(focus.main_is_certain);
        }
        self.narrowed = Some(wanted);
    }

    fn widen(&mut self) {
        if let Err(error) = self.set_focus(false) {
            warn!(%error, "the BPF programs could not be widened: they report only part of the events");
        }
        self.programs.watch_forks();
    }

    fn narrow(&mut self, wanted: &Narrowed) -> Result<(), MapError> {
        for process in &wanted.processes {
            self.watched.insert(process, 1, 0)?;
        }
        // After their processes, or an end between the two would not be reported.
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

    /// Reads the records. Reads the loss counters after them: events from after a loss must not come
    /// before [`Event::Lost`].
    fn collect(&mut self) {
        let events = self.drain();
        let lost = self.count_lost();
        if lost != self.lost_before {
            let count = lost - self.lost_before;
            self.lost_before = lost;
            self.must_scan = true;
            self.records.expect_gaps();
            warn!(
                count,
                "events were lost in the kernel; scanning all processes instead"
            );
            self.queue.push_back(Event::Lost {
                count,
                at: Timestamp::now(),
            });
        }
        // The names of containers come before what happens in them.
        self.queue.extend(self.newcomers.look());
        self.queue.extend(events);
        if self.must_scan {
            self.scan();
        }
    }

    fn scan(&mut self) {
        let mut seen = self.scanner.scan();
        // Each start and end before the scan has its record by now, unless it was lost. Records hold the
        // order and the status, so their events come before the scan's, which show only absence.
        let events = self.drain();
        self.queue.extend(events);
        self.records.learn(&seen);
        if self.has_more {
            // Records that are not read yet hold the status of processes that the scan misses.
            seen.retain(|event| !matches!(event, Event::Scanned { .. }));
        }
        // Where `/proc` hides processes no scan is complete.
        self.must_scan =
            self.scanner.can_be_complete() && !matches!(seen.last(), Some(Event::Scanned { .. }));
        self.queue.extend(seen);
    }

    fn drain(&mut self) -> VecDeque<Event> {
        let Self {
            ring,
            records,
            newcomers,
            ..
        } = self;
        let mut events = VecDeque::new();
        self.has_more = false;
        let mut read = 0;
        while let Some(item) = ring.get_mut().next() {
            read += 1;
            take(&item, records, newcomers, &mut events);
            if read == AT_ONCE {
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

/// Takes one item of the ring buffer.
fn take(
    item: &[u8],
    records: &mut Records,
    newcomers: &mut Newcomers,
    events: &mut VecDeque<Event>,
) {
    if let Ok(line) = bytemuck::try_pod_read_unaligned::<CommandLine>(item) {
        records.expect_copilot(&line);
        return;
    }
    match bytemuck::try_pod_read_unaligned::<Record>(item) {
        Ok(record) if record.kind == kind::FORK => {
            if !records.is_own(record.cgroup) {
                records.expect_container(&record);
                newcomers.expect(record.cgroup);
            }
        }
        Ok(record) => records.translate(&record, newcomers, events),
        Err(error) => warn!(%error, "a record of the ring buffer has the wrong size"),
    }
}

/// Returns freed memory to the system. Our copy and aya's copy of the kernel's BTF are freed by now, and
/// the allocator would keep their memory for later use, which never comes while main runs.
fn give_back_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes no pointer, and is allowed at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
