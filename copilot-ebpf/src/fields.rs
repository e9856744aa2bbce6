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
