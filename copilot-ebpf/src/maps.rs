//! The maps: the ring buffer for the records, the filter that user space sets, and the counters of
//! records that were not sent.

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP, BPF_RB_RING_SIZE},
    macros::map,
    maps::{Array, HashMap, PerCpuArray, RingBuf},
};
use copilot_common::{Ancestor, LEVELS, NAME_WORDS, PodName, lost, pod};

use crate::command::WORDS;

/// Flag of `bpf_ringbuf_submit`: wake the reader even if it has not caught up.
pub const WAKE_READER: u64 = BPF_RB_FORCE_WAKEUP as u64;

/// Flag of `bpf_ringbuf_submit`: let the reader sleep.
pub const LET_SLEEP: u64 = BPF_RB_NO_WAKEUP as u64;

/// The records. 256 KiB hold about 2,900 of them: no loss in a storm of 2,000 execs and exits a
/// second. User space may set another size before loading.
#[map]
pub static EVENTS: RingBuf = RingBuf::with_byte_size(256 * 1024, 0);

/// Which processes are reported: see [`pod`].
#[map]
pub static POD: Array<[u64; pod::NUMBERS]> = Array::with_max_entries(1, 0);

/// Thread groups whose exit is reported even of containers in [`KNOWN`], by their id in our own pid
/// namespace or, with [`FOREIGN`](copilot_common::FOREIGN) added, in the initial one.
#[map]
pub static WATCHED: HashMap<u64, u8> = HashMap::with_max_entries(256, 0);

/// Containers (cgroup ids) of which only the exits of [`WATCHED`] are reported once user space has set
/// [`pod::FOCUS`].
#[map]
pub static KNOWN: HashMap<u64, u8> = HashMap::with_max_entries(256, 0);

/// Containers (cgroup ids) in which a process was created since the programs were attached. If the map
/// is full, the first exec identifies the other containers.
#[map]
pub static POPULATED: HashMap<u64, u8> = HashMap::with_max_entries(256, 0);

/// Records that were not sent, by reason: see [`lost`].
#[map]
pub static LOST: PerCpuArray<u64> = PerCpuArray::with_max_entries(lost::SLOTS, 0);

/// Room for a command line, and one word more.
#[map]
pub static COMMAND: PerCpuArray<[u64; WORDS + 1]> = PerCpuArray::with_max_entries(1, 0);

/// The name with which the cgroups of our pod's containers begin: see [`copilot_common::proof::NAME`].
#[map]
pub static POD_NAME: Array<PodName> = Array::with_max_entries(1, 0);

/// Room for a name.
#[map]
pub static NAME: PerCpuArray<[u64; NAME_WORDS]> = PerCpuArray::with_max_entries(1, 0);

/// Containers (cgroup ids) that have shown a namespace of our pod: a process of theirs may enter others
/// later. If the map is full, each first process of the other containers shows its own.
#[map]
pub static MEMBERS: HashMap<u64, u8> = HashMap::with_max_entries(256, 0);

/// Cgroups of our own task by level, filled by the program `learn`.
#[map]
pub static LINEAGE: Array<Ancestor> = Array::with_max_entries(LEVELS, 0);

/// Whether a quarter of the ring buffer waits to be read. Records that do not wake the reader must not
/// fill the buffer, because a full buffer loses important records.
#[inline(always)]
pub fn much_waits() -> bool {
    EVENTS.query(BPF_RB_AVAIL_DATA.into()) > EVENTS.query(BPF_RB_RING_SIZE.into()) / 4
}

/// Counts one record that was not sent.
pub fn count_lost(reason: u32) {
    if let Some(count) = LOST.get_ptr_mut(reason) {
        // SAFETY: the pointer comes from a successful look-up; the slot is this CPU's own, and a
        // tracing program is not interrupted by itself on the same CPU.
        unsafe { *count += 1 };
    }
}
