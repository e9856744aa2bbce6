//! A fingerprint of a process's command line. A container that kubelet starts again runs the same command
//! line, and in another pid namespace nothing else shows that.

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use copilot_common::Offset;

use crate::{fields::read, maps};

/// The fingerprint covers the command line's length and its first words: more would cost each exec more.
pub const WORDS: usize = 64;
const WORD: u32 = 8;
const LONGEST: u32 = 64 * WORD;

/// An odd number whose bits are spread evenly (2^64 divided by the golden ratio).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The fingerprint; 0 if the command line cannot be read. `thread` is the current task.
#[inline(always)]
pub fn fingerprint(thread: *const u8) -> u64 {
    read_fingerprint(thread).unwrap_or(0)
}

#[inline(always)]
fn read_fingerprint(thread: *const u8) -> Option<u64> {
    let mm: *const u8 = read(thread, Offset::TaskMm)?;
    let start: u64 = read(mm, Offset::MmArgStart)?;
    let end: u64 = read(mm, Offset::MmArgEnd)?;
    let length = end.checked_sub(start)?;
    #[expect(clippy::cast_possible_truncation, reason = "at most `LONGEST`")]
    let size = length.min(u64::from(LONGEST)) as u32;
    let words = maps::COMMAND.get_ptr_mut(0)?.cast::<u64>();
    // SAFETY: the slot has room for `LONGEST` bytes, and is this CPU's own. The helper checks the address
    // that it reads from.
    if unsafe { bpf_probe_read_user(words.cast(), size, start as *const _) } != 0 {
        return None;
    }
    let mut hash = length;
    for index in 0..LONGEST / WORD {
        let at = index * WORD;
        if at >= size {
            break;
        }
        // SAFETY: the index is below `WORDS`.
        let mut word = unsafe { words.add(index as usize).read_volatile() };
        let left = size - at;
        if left < WORD {
            // The slot still holds bytes of a longer command line.
            word &= (1 << (left * 8)) - 1;
        }
        hash = (hash ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    }
    Some(hash | 1)
}
