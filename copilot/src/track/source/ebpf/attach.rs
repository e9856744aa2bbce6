//! Loading the programs, telling them which pod is ours, attaching them.
//!
//! Two things differ between kernels: how a task's cgroup is found (a helper from 5.14 on, a walk
//! before), and whether our own pod's id can be read from a file. The first is tried in turn; the
//! second, in a private cgroup namespace, is asked of the kernel on a thread of our own.

use std::{thread, time::Duration};

use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, HashMap, Map, MapData, MapError, PerCpuArray, RingBuf},
    programs::RawTracePoint,
    util::KernelVersion,
};
use aya_log::EbpfLogger;
use copilot_common::{LEVELS, ancestor, pod};
use rustix::{
    fs::{major, minor},
    thread::CapabilitySet,
};
use tracing::{debug, info};

use super::{
    EbpfError,
    fields::Fields,
    locked,
    refusal::{RIGHTS, load_failed, map_refused, refused},
};
use crate::track::place::{Place, PodPath};

/// The programs, as `copilot-ebpf` was compiled: an ELF object of BPF code.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/copilot-ebpf"));

/// How long the kernel may take to tell our own cgroups; it needs microseconds.
const LEARNING: Duration = Duration::from_secs(1);

/// The attached programs.
pub struct Attached {
    /// Keeps them attached.
    pub programs: Ebpf,
    /// The cgroup id of our own container, if we are in the pod.
    pub own_container: Option<u64>,
    /// The programs tell how a process ends.
    pub tells_status: bool,
}

/// Loads the programs and attaches them to the pod; `ring` is the ring buffer's size in bytes, if it
/// shall not be the object's own.
pub fn attach(place: &Place, ring: Option<u32>) -> Result<Attached, EbpfError> {
    if matches!(place.pod, PodPath::Untold { .. }) {
        return Err(EbpfError::NoPodCgroup);
    }
    if !place.unified && place.controllers.is_empty() {
        return Err(EbpfError::NoHierarchy);
    }
    raise_capabilities();
    locked::raise_limit();
    let fields = Fields::of_the_kernel(&place.controllers).unwrap_or_else(|error| {
        info!(reason = %error, "the kernel does not describe its structures: how main ends will not be known");
        Fields::unknown()
    });
    let mut programs = load_programs(&fields, ring, place.unified)?;
    let own_container = set_pod(&mut programs, place)?;
    for (program, tracepoint) in [
        ("process_exit", "sched_process_exit"),
        ("process_exec", "sched_process_exec"),
        ("process_fork", "sched_process_fork"),
    ] {
        program_of(&mut programs, program)?
            .attach(tracepoint)
            .map_err(refused)?;
    }
    Ok(Attached {
        programs,
        own_container,
        tells_status: fields.tell_status(),
    })
}

impl Attached {
    /// The ring buffer of records.
    pub fn ring(&mut self) -> Result<RingBuf<MapData>, EbpfError> {
        self.take("EVENTS", RingBuf::try_from)
    }

    /// The counters of what was not sent.
    pub fn lost(&mut self) -> Result<PerCpuArray<MapData, u64>, EbpfError> {
        self.take("LOST", PerCpuArray::try_from)
    }

    /// What is reported.
    pub fn filter(&mut self) -> Result<Array<MapData, [u64; pod::NUMBERS]>, EbpfError> {
        self.take("POD", Array::try_from)
    }

    /// The processes whose exit is reported when focused.
    pub fn watched(&mut self) -> Result<HashMap<MapData, u64, u8>, EbpfError> {
        self.take("WATCHED", HashMap::try_from)
    }

    /// The containers whose execs are not reported when focused.
    pub fn known(&mut self) -> Result<HashMap<MapData, u64, u8>, EbpfError> {
        self.take("KNOWN", HashMap::try_from)
    }

    fn take<T>(
        &mut self,
        name: &str,
        open: impl FnOnce(Map) -> Result<T, MapError>,
    ) -> Result<T, EbpfError> {
        let map = self
            .programs
            .take_map(name)
            .ok_or_else(|| EbpfError::Load(format!("the object has no map {name}")))?;
        open(map).map_err(load_failed)
    }
}

/// File capabilities may have left ours permitted but not effective; Kubernetes grants them to
/// uid 0 only.
fn raise_capabilities() {
    let wanted = RIGHTS | CapabilitySet::SYS_RESOURCE;
    let raised = rustix::thread::capabilities(None).and_then(|mut sets| {
        let add = sets.permitted & wanted;
        if sets.effective.contains(add) {
            return Ok(());
        }
        sets.effective |= add;
        rustix::thread::set_capabilities(None, sets)
    });
    if let Err(error) = raised {
        debug!(%error, "our capabilities cannot be raised");
    }
}

fn load_programs(fields: &Fields, ring: Option<u32>, unified: bool) -> Result<Ebpf, EbpfError> {
    if !unified {
        return load_walking(fields, ring, ancestor::WALK_V1);
    }
    match load(fields, ring, ancestor::HELPER) {
        Err(EbpfError::Load(reason)) if is_without_helper() => {
            debug!(
                reason,
                "loading with the kernel's helper for ancestors failed: walking instead"
            );
            load_walking(fields, ring, ancestor::WALK)
        }
        other => other,
    }
}

/// Whether this kernel may be one whose helper for ancestors is not open to tracing programs.
fn is_without_helper() -> bool {
    KernelVersion::current().map_or(true, |version| version < KernelVersion::new(5, 14, 0))
}

fn load_walking(fields: &Fields, ring: Option<u32>, ancestor: u32) -> Result<Ebpf, EbpfError> {
    // Without these the programs would load, and never see anybody.
    match fields.missing_for_a_walk(ancestor == ancestor::WALK_V1) {
        Some(missing) => Err(EbpfError::NoWay(missing)),
        None => load(fields, ring, ancestor),
    }
}

fn load(fields: &Fields, ring: Option<u32>, ancestor: u32) -> Result<Ebpf, EbpfError> {
    let namespace = own_pid_namespace()?;
    let own_pid = rustix::process::getpid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs();
    let log_level =
        u8::from(tracing::enabled!(tracing::Level::DEBUG)) * aya_log::Level::Debug as u8;
    let has_group_dead = u32::from(fields.has_group_dead);
    let mut loader = EbpfLoader::new();
    if let Some(bytes) = ring {
        loader.map_max_entries("EVENTS", bytes);
    }
    let mut programs = loader
        .override_global("OFFSETS_OF_FIELDS", &fields.offsets[..], true)
        .override_global("HAS_GROUP_DEAD", &has_group_dead, true)
        .override_global("PID_NAMESPACE", &namespace[..], true)
        .override_global("OWN_PID", &own_pid, true)
        .override_global("ANCESTOR", &ancestor, true)
        .override_global(aya_log::LEVEL, &log_level, true)
        .load(OBJECT)
        .map_err(|error| match error {
            aya::EbpfError::MapError(error) => map_refused(error),
            other => load_failed(other),
        })?;
    for program in ["process_exit", "process_exec", "process_fork"] {
        program_of(&mut programs, program)?
            .load()
            .map_err(refused)?;
    }
    Ok(programs)
}

fn program_of<'a>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut RawTracePoint, EbpfError> {
    programs
        .program_mut(name)
        .ok_or_else(|| EbpfError::Load(format!("the object has no program {name}")))?
        .try_into()
        .map_err(load_failed)
}

/// Device (in the kernel's own encoding) and inode of our pid namespace.
fn own_pid_namespace() -> Result<[u64; 2], EbpfError> {
    let found = rustix::fs::stat("/proc/self/ns/pid").map_err(std::io::Error::from)?;
    let device = (u64::from(major(found.st_dev)) << 20) | u64::from(minor(found.st_dev));
    Ok([device, found.st_ino])
}

/// Tells the programs which pod is ours; returns the cgroup id of our own container.
fn set_pod(programs: &mut Ebpf, place: &Place) -> Result<Option<u64>, EbpfError> {
    let (id, level, own) = match (place.pod_id(), place.level) {
        (Some(id), Some(level)) => (id, level, None),
        (id, _) => {
            let lineage = learn(programs)?;
            let level = pod_level(&lineage, id, place)?;
            (
                lineage[level],
                u32::try_from(level).unwrap_or(0),
                lineage.get(level + 1).copied(),
            )
        }
    };
    debug!(id, level, "the pod's cgroup in the kernel");
    let map = programs
        .map_mut("POD")
        .ok_or_else(|| EbpfError::Load("the object has no map POD".to_owned()))?;
    let mut filter: Array<_, [u64; pod::NUMBERS]> = map.try_into().map_err(load_failed)?;
    let mut numbers = [0; pod::NUMBERS];
    numbers[pod::LEVEL] = level.into();
    numbers[pod::ID] = id;
    filter.set(0, numbers, 0).map_err(load_failed)?;
    Ok(own)
}

fn pod_level(lineage: &[u64], id: Option<u64>, place: &Place) -> Result<usize, EbpfError> {
    if lineage.len() < 2 {
        return Err(EbpfError::NoHierarchy);
    }
    if let Some(id) = id {
        return lineage
            .iter()
            .position(|ancestor| *ancestor == id)
            .ok_or(EbpfError::Pod("we are not in the cgroup that was named"));
    }
    let above = place.above_us.ok_or(EbpfError::Pod(
        "we are not in the pod, and its directory is not mounted here",
    ))?;
    let leaf = lineage.len() - 1;
    leaf.checked_sub(above as usize)
        .filter(|level| *level > 0)
        .ok_or(EbpfError::Pod(
            "our own cgroup lies too near the root for a pod above it",
        ))
}

/// The cgroup ids of our own task, root first: what the program `learn` reports when a thread of
/// ours exits.
fn learn(programs: &mut Ebpf) -> Result<Vec<u64>, EbpfError> {
    let mut logger = EbpfLogger::init(programs)
        .inspect_err(|error| debug!(%error, "the programs' own messages cannot be read"))
        .ok();
    let program = program_of(programs, "learn")?;
    program.load().map_err(refused)?;
    let link = program.attach("sched_process_exit").map_err(refused)?;
    let lineage = read_lineage(programs);
    let program = program_of(programs, "learn")?;
    program
        .detach(link)
        .and_then(|()| program.unload())
        .map_err(load_failed)?;
    if let Some(logger) = &mut logger {
        logger.flush();
    }
    lineage
}

fn read_lineage(programs: &Ebpf) -> Result<Vec<u64>, EbpfError> {
    let map = programs
        .map("LINEAGE")
        .ok_or_else(|| EbpfError::Load("the object has no map LINEAGE".to_owned()))?;
    let map: Array<_, u64> = map.try_into().map_err(load_failed)?;
    thread::Builder::new()
        .spawn(|| ())?
        .join()
        .map_err(|_| EbpfError::Pod("a thread of ours failed"))?;
    let started = std::time::Instant::now();
    // Before 6.16 the tracepoint fires a moment after the thread can be joined.
    while started.elapsed() < LEARNING {
        let lineage: Vec<u64> = (0..LEVELS)
            .map_while(|level| map.get(&level, 0).ok().filter(|id| *id != 0))
            .collect();
        if !lineage.is_empty() {
            return Ok(lineage);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err(EbpfError::Pod(
        "the exit of a thread of ours was not reported",
    ))
}
