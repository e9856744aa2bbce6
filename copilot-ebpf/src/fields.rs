//! Reads fields of the kernel's structures, at the offsets that user space found in its BTF.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use copilot_common::{ABSENT, OFFSETS, Offset};

use crate::maps::count_lost;

/// Set by user space before loading, then frozen: one slot for each [`Offset`].
#[unsafe(no_mangle)]
static OFFSETS_OF_FIELDS: [u32; OFFSETS] = [ABSENT; OFFSETS];

/// The offset of a field; none if this kernel lacks the field.
#[inline(always)]
pub fn offset(field: Offset) -> Option<usize> {
    // SAFETY: the reference is valid and aligned. A volatile read keeps the compiler from using the
    // initial value, which user space replaces.
    let value = unsafe { core::ptr::read_volatile(&raw const OFFSETS_OF_FIELDS[field as usize]) };
    (value != ABSENT).then_some(value as usize)
}

/// Reads a field of the structure at `base`. A field that cannot be read is counted, never guessed.
#[inline(always)]
pub fn read<T>(base: *const u8, field: Offset) -> Option<T> {
    read_at(base, offset(field)?)
}

/// Reads a field with an instruction in place of a helper. The verifier must know the type of `base`: it comes from
/// `bpf_get_current_task_btf`, or from such a read. User space has made sure that this kernel has the field.
///
/// Only for what each event of the node costs: to look up a type takes the verifier up to a millisecond.
#[inline(always)]
pub fn read_typed<T>(base: *const u8, field: Offset) -> T {
    // SAFETY: the verifier has checked that the structure has a field of this size there, or refuses the program.
    // Should the structure be gone, the kernel reads zeros.
    unsafe { inner(base, field).cast::<T>().read_volatile() }
}

/// A structure that is a field of another one, under the conditions of [`read_typed`].
#[inline(always)]
pub fn inner(base: *const u8, field: Offset) -> *const u8 {
    // SAFETY: as in `offset`.
    let offset = unsafe { core::ptr::read_volatile(&raw const OFFSETS_OF_FIELDS[field as usize]) };
    base.wrapping_add(offset as usize)
}

/// Reads a value at a byte offset of the structure at `base`.
#[inline(always)]
pub fn read_at<T>(base: *const u8, offset: usize) -> Option<T> {
    // SAFETY: the helper checks the address itself and fails on one that cannot be read.
    if let Ok(value) = unsafe { bpf_probe_read_kernel(base.wrapping_add(offset).cast::<T>()) } {
        return Some(value);
    }
    count_lost(copilot_common::lost::UNREADABLE);
    None
}
