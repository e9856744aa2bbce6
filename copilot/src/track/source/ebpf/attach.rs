//! Loads the programs, sets their filter to our pod, attaches them.
//!
//! Two things differ between nodes. A task's cgroup is found by plain reads or a helper from Linux 5.14 on, and by a
//! walk before: we try them in turn. Our pod's cgroup id is the inode of its directory; in a private
//! cgroup namespace, which hides that directory, the kernel reports the cgroups above ours at the exit of a
//! thread of ours, and [`lineage`] finds the pod's among them.

use std::{thread, time::Duration};

use aya::{
    Ebpf,
    maps::{Array, HashMap, Map, MapData, MapError, PerCpuArray, RingBuf},
    util::KernelVersion,
};
use bytemuck::Zeroable as _;
use copilot_common::{Ancestor, LEVELS, PodName, ancestor, pod, proof};
use rustix::{
    fs::{major, minor},
    thread::CapabilitySet,
};
use tracing::{debug, info};

use super::{
    EbpfError,
    error::LoadError,
    fields::FieldOffsets,
    lineage::{self, PodFilter, Proof},
    loader::loader,
    locked,
    programs::{FORKS, Programs, program_of},
    refusal::{CAPABILITIES, load_failed, map_refused, refused},
};
use crate::track::{
    place::{Namespaces, Place, PodPath, visibility},
    source::causes::with_causes,
};

/// The programs, as `copilot-ebpf` was compiled: an ELF object of BPF code.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/copilot-ebpf"));

/// How long to wait until the kernel has reported our own cgroups; it needs microseconds.
const LEARNING: Duration = Duration::from_secs(1);

/// An element of a map that is a structure.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Shared<T>(T);

// SAFETY: any bytes are a value of the structure, and it has no padding.
unsafe impl<T: bytemuck::Pod> aya::Pod for Shared<T> {}

/// The attached programs, and what they have shown.
pub struct Attached {
    /// Keeps them attached until it is dropped.
    pub programs: Programs,
    /// The cgroup id of our own container, if we are in the pod.
    pub own_container: Option<u64>,
    /// Our place, with what the kernel has shown of it.
    pub place: Place,
    /// The records show how a process ended.
    pub learns_status: bool,
}

/// How the programs are loaded. Only tests choose.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    /// The ring buffer's size in bytes: a power of two, and whole pages. A small one soon loses records. Each loss
    /// costs a full scan, and never hides main's end.
    pub ring: Option<u32>,
    /// Finds cgroups by the kernel's helper, also where plain reads work.
    pub by_helpers: bool,
}

/// Loads the programs and attaches them to the pod.
pub fn attach(place: &Place, options: LoadOptions) -> Result<Attached, EbpfError> {
    if matches!(place.pod, PodPath::SharedCgroup { .. }) {
        return Err(EbpfError::NoPodCgroup);
    }
    if !place.unified && place.controllers.is_empty() {
        return Err(EbpfError::NoHierarchy);
    }
    raise_capabilities();
    locked::raise_limit();
    let fields = FieldOffsets::from_kernel(&place.controllers).unwrap_or_else(|error| {
        info!(
            reason = %error,
            "the kernel does not describe its structures, so eBPF does not learn how main ends"
        );
        FieldOffsets::unknown()
    });
    let mut programs = load_programs(&fields, options, place.unified)?;
    let found = set_pod(&mut programs, place, &fields)?;
    for (program, tracepoint) in [
        ("process_exit", "sched_process_exit"),
        ("process_exec", "sched_process_exec"),
    ] {
        program_of(&mut programs, program)?
            .attach(tracepoint)
            .map_err(refused)?;
    }
    // In our pod it shows the programs where the kernel keeps the pod's cgroup, so that they need fewer reads for
    // processes of other pods. They work without that, too.
    if let Err(error) = end_a_thread() {
        debug!(
            reason = with_causes(&error),
            "the programs were not shown our pod's cgroup"
        );
    }
    Ok(Attached {
        programs: Programs::with_forks(programs)?,
        place: found.place(place),
        own_container: found.own,
        learns_status: fields.include_status(),
    })
}

impl Attached {
    /// The ring buffer of records.
    pub fn ring(&mut self) -> Result<RingBuf<MapData>, EbpfError> {
        self.take("EVENTS", RingBuf::try_from)
    }

    /// The counters of lost records.
    pub fn lost(&mut self) -> Result<PerCpuArray<MapData, u64>, EbpfError> {
        self.take("LOST", PerCpuArray::try_from)
    }

    /// The filter: which pod is reported, and how much of it.
    pub fn filter(&mut self) -> Result<Array<MapData, [u64; pod::NUMBERS]>, EbpfError> {
        self.take("POD", Array::try_from)
    }

    /// The processes whose exits the narrowed programs report.
    pub fn watched(&mut self) -> Result<HashMap<MapData, u64, u8>, EbpfError> {
        self.take("WATCHED", HashMap::try_from)
    }

    /// The containers whose execs the narrowed programs leave out.
    pub fn known(&mut self) -> Result<HashMap<MapData, u64, u8>, EbpfError> {
        self.take("KNOWN", HashMap::try_from)
    }

    fn take<T>(
        &mut self,
        name: &str,
        open: impl FnOnce(Map) -> Result<T, MapError>,
    ) -> Result<T, EbpfError> {
        let map = self.programs.take_map(name).ok_or_else(|| no_map(name))?;
        open(map).map_err(load_failed)
    }
}

fn no_map(name: &str) -> EbpfError {
    EbpfError::Load(LoadError::NoMap(name.to_owned()))
}

/// Makes our permitted capabilities effective: file capabilities may leave them permitted only, and
/// Kubernetes makes them effective for uid 0 only.
fn raise_capabilities() {
    let wanted = CAPABILITIES | CapabilitySet::SYS_RESOURCE;
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

fn load_programs(
    fields: &FieldOffsets,
    options: LoadOptions,
    unified: bool,
) -> Result<Ebpf, EbpfError> {
    let ring = options.ring;
    if !unified {
        return load_walking(fields, ring, ancestor::WALK_V1);
    }
    let is_new = !may_lack_helper();
    if is_new && fields.allow_plain_reads() && !options.by_helpers {
        match load(fields, ring, ancestor::DIRECT) {
            Err(EbpfError::Load(error)) => debug!(
                reason = with_causes(&error),
                "loading with plain reads of cgroups failed: falling back to the kernel's helper"
            ),
            other => return other,
        }
    }
    match load(fields, ring, ancestor::HELPER) {
        Err(EbpfError::Load(error)) if !is_new => {
            debug!(
                reason = with_causes(&error),
                "loading with the kernel's helper for ancestor cgroups failed: falling back to the walk"
            );
            load_walking(fields, ring, ancestor::WALK)
        }
        other => other,
    }
}

/// Whether this kernel may lack the helper for ancestor cgroups in tracing programs.
fn may_lack_helper() -> bool {
    KernelVersion::current().map_or(true, |version| version < KernelVersion::new(5, 14, 0))
}

fn load_walking(
    fields: &FieldOffsets,
    ring: Option<u32>,
    ancestor: u32,
) -> Result<Ebpf, EbpfError> {
    // Without these fields the programs would load, and report no process.
    match fields.missing_for_a_walk(ancestor == ancestor::WALK_V1) {
        Some(missing) => Err(EbpfError::MissingField(missing)),
        None => load(fields, ring, ancestor),
    }
}

fn load(fields: &FieldOffsets, ring: Option<u32>, ancestor: u32) -> Result<Ebpf, EbpfError> {
    let namespace = own_pid_namespace()?;
    let own_pid = rustix::process::getpid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs();
    let has_group_dead = u32::from(fields.has_group_dead);
    let mut loader = loader();
    if let Some(bytes) = ring {
        loader.map_max_entries("EVENTS", bytes);
    }
    let mut programs = loader
        .override_global("OFFSETS_OF_FIELDS", &fields.offsets[..], true)
        .override_global("HAS_GROUP_DEAD", &has_group_dead, true)
        .override_global("PID_NAMESPACE", &namespace[..], true)
        .override_global("OWN_PID", &own_pid, true)
        .override_global("ANCESTOR", &ancestor, true)
        .load(OBJECT)
        .map_err(|error| match error {
            aya::EbpfError::MapError(error) => map_refused(error),
            other => load_failed(other),
        })?;
    for program in ["process_exit", "process_exec", FORKS] {
        program_of(&mut programs, program)?
            .load()
            .map_err(refused)?;
    }
    Ok(programs)
}

/// The device (in the kernel's own encoding) and inode of our pid namespace.
fn own_pid_namespace() -> Result<[u64; 2], EbpfError> {
    let found = rustix::fs::stat("/proc/self/ns/pid").map_err(std::io::Error::from)?;
    let device = (u64::from(major(found.st_dev)) << 20) | u64::from(minor(found.st_dev));
    Ok([device, found.st_ino])
}

/// Sets the programs' filter to our pod, and returns it.
fn set_pod(
    programs: &mut Ebpf,
    place: &Place,
    fields: &FieldOffsets,
) -> Result<PodFilter, EbpfError> {
    let found = match (place.pod_id(), place.level) {
        (Some(id), Some(level)) => PodFilter::of(id, level, &place.pod),
        (id, _) => lineage::find(&learn(programs)?, id, place)?,
    };
    let mut numbers = [0; pod::NUMBERS];
    numbers[pod::LEVEL] = found.level.into();
    numbers[pod::ID] = found.id;
    numbers[pod::STAYS] = (place.own.is_some() || found.own.is_some()).into();
    let mut name = PodName::zeroed();
    match &found.proof {
        Proof::Place => numbers[pod::PROOF] = proof::PLACE,
        Proof::Name(begin) => {
            numbers[pod::PROOF] = proof::NAME;
            if !fields.name_cgroups() {
                return Err(EbpfError::PodUntold);
            }
            bytemuck::bytes_of_mut(&mut name.name)[..begin.len()].copy_from_slice(begin.as_bytes());
            bytemuck::bytes_of_mut(&mut name.mask)[..begin.len()].fill(u8::MAX);
        }
        Proof::Namespaces => prove_by_namespaces(&mut numbers, place, fields)?,
    }
    debug!(?found, "the pod's cgroup in the kernel");
    let map = programs
        .map_mut("POD_NAME")
        .ok_or_else(|| no_map("POD_NAME"))?;
    let mut map: Array<_, Shared<PodName>> = map.try_into().map_err(load_failed)?;
    map.set(0, Shared(name), 0).map_err(load_failed)?;
    let map = programs.map_mut("POD").ok_or_else(|| no_map("POD"))?;
    let mut filter: Array<_, [u64; pod::NUMBERS]> = map.try_into().map_err(load_failed)?;
    filter.set(0, numbers, 0).map_err(load_failed)?;
    Ok(found)
}

/// Has the programs compare namespaces, because nothing names the pod's cgroup.
fn prove_by_namespaces(
    numbers: &mut [u64; pod::NUMBERS],
    place: &Place,
    fields: &FieldOffsets,
) -> Result<(), EbpfError> {
    let ours = if fields.show_namespaces() {
        Namespaces::of_our_pod()
    } else {
        Namespaces::default()
    };
    let shares_pids = place.shares_pids() && visibility::is_private_pid_namespace();
    if ours.are_none() && !shares_pids {
        return Err(EbpfError::PodUntold);
    }
    info!(
        shares_pids,
        "no cgroup above ours has a pod's name: the pod's containers are known by its namespaces"
    );
    numbers[pod::PROOF] = proof::NAMESPACE;
    numbers[pod::IPC] = ours.ipc.unwrap_or(0);
    numbers[pod::UTS] = ours.uts.unwrap_or(0);
    numbers[pod::NET] = ours.net.unwrap_or(0);
    numbers[pod::PIDS] = shares_pids.into();
    Ok(())
}

/// The cgroups of our own task, root first: the program `learn` reports them when a thread of ours exits.
fn learn(programs: &mut Ebpf) -> Result<Vec<Ancestor>, EbpfError> {
    let program = program_of(programs, "learn")?;
    program.load().map_err(refused)?;
    let link = program.attach("sched_process_exit").map_err(refused)?;
    let lineage = read_lineage(programs);
    let program = program_of(programs, "learn")?;
    program
        .detach(link)
        .and_then(|()| program.unload())
        .map_err(load_failed)?;
    lineage
}

fn read_lineage(programs: &Ebpf) -> Result<Vec<Ancestor>, EbpfError> {
    let map = programs.map("LINEAGE").ok_or_else(|| no_map("LINEAGE"))?;
    let map: Array<_, Shared<Ancestor>> = map.try_into().map_err(load_failed)?;
    end_a_thread()?;
    let started = std::time::Instant::now();
    // Before Linux 6.16 the tracepoint fires a moment after the join returns.
    while started.elapsed() < LEARNING {
        let lineage: Vec<Ancestor> = (0..LEVELS)
            .map_while(|level| map.get(&level, 0).ok())
            .map(|Shared(ancestor)| ancestor)
            .take_while(|ancestor| ancestor.id != 0)
            .collect();
        if !lineage.is_empty() {
            return Ok(lineage);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err(EbpfError::PodCgroup(
        "the programs did not report the exit of a thread of ours",
    ))
}

/// Lets a thread of ours exit.
fn end_a_thread() -> Result<(), EbpfError> {
    thread::Builder::new()
        .spawn(|| ())
        .map_err(EbpfError::Thread)?
        .join()
        .map_err(|_| EbpfError::PodCgroup("a thread of ours panicked"))
}

#[cfg(test)]
mod tests {
    use super::OBJECT;

    #[test]
    fn the_embedded_object_holds_no_debug_sections() {
        let holds = |name: &[u8]| OBJECT.windows(name.len()).any(|window| window == name);
        assert!(holds(b"raw_tp/sched_process_exit"));
        let size = OBJECT.len();
        assert!(size < 150_000, "{size} bytes");
        assert!(!holds(b"copilot-ebpf/src"), "it names source files");
    }
}
