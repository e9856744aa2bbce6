//! What a process's command line shows: a fingerprint, and whether it is that of a sidecar as we are. A container
//! that kubelet starts again runs the same command line, and in another pid namespace nothing else shows either.

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use copilot_common::Offset;

use crate::{fields::read, maps};

/// We look at the command line's length and its first words: more would cost each exec more.
pub const WORDS: usize = 64;
const WORD: u32 = 8;
const LONGEST: u32 = 64 * WORD;

/// An odd number whose bits are spread evenly (2^64 divided by the golden ratio).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The names of our program and of the reference's as the kernel keeps a command name: 16 bytes, padded with NUL.
const OURS: [u8; 16] = *b"copilot\0\0\0\0\0\0\0\0\0";
const REFERENCE: [u8; 16] = *b"flyte-copilot\0\0\0";

/// The argument that makes such a process a sidecar, with the end of the argument before it; another end follows.
const SIDECAR: u64 = u64::from_le_bytes(*b"\0sidecar");

/// What a command line shows.
#[derive(Clone, Copy, Default)]
pub struct Command {
    /// Its fingerprint; 0 if it cannot be read.
    pub fingerprint: u64,
    /// Whether it is a sidecar's: 1 or 0.
    pub is_sidecar: u64,
}

/// What the command line of the current task shows; `thread` is that task, `name` its command name.
#[inline(always)]
pub fn look(thread: *const u8, name: [u8; 16]) -> Command {
    read_command(thread, is_our_name(name)).unwrap_or_default()
}

#[inline(always)]
fn is_our_name(name: [u8; 16]) -> bool {
    let name = u128::from_ne_bytes(name);
    name == u128::from_ne_bytes(OURS) || name == u128::from_ne_bytes(REFERENCE)
}

#[inline(always)]
fn read_command(thread: *const u8, is_ours: bool) -> Option<Command> {
    let mm: *const u8 = read(thread, Offset::TaskMm)?;
    let start: u64 = read(mm, Offset::MmArgStart)?;
    let end: u64 = read(mm, Offset::MmArgEnd)?;
    let length = end.checked_sub(start)?;
    #[expect(clippy::cast_possible_truncation, reason = "at most `LONGEST`")]
    let size = length.min(u64::from(LONGEST)) as u32;
    let words = maps::COMMAND.get_ptr_mut(0)?.cast::<u64>();
    if is_ours {
        for index in 0..WORDS {
            // SAFETY: the index is below `WORDS`, and the slot is this CPU's own.
            unsafe { words.add(index).write_volatile(0) };
        }
    }
    // SAFETY: the slot has room for `LONGEST` bytes, and is this CPU's own. The helper checks the address
    // that it reads from.
    if unsafe { bpf_probe_read_user(words.cast(), size, start as *const _) } != 0 {
        return None;
    }
    // First, because the verifier follows each length through the loop of the fingerprint.
    let is_sidecar = if is_ours { holds_sidecar(words) } else { 0 };
    Some(Command {
        fingerprint: fingerprint(words, length, size),
        is_sidecar,
    })
}

#[inline(always)]
fn fingerprint(words: *mut u64, length: u64, size: u32) -> u64 {
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
    hash | 1
}

/// Whether one of the arguments is `sidecar`: 1 or 0. The bytes behind the command line are 0.
#[inline(always)]
fn holds_sidecar(words: *mut u64) -> u64 {
    let mut found = 0;
    let mut word = 0;
    for index in 0..WORDS {
        // SAFETY: the index is below `WORDS`.
        let next = unsafe { words.add(index).read_volatile() };
        found |= begins_in(word, next);
        word = next;
    }
    found | begins_in(word, 0)
}

/// Whether that argument begins in `word`, of which `next` is the next one: 1 or 0. Bytes are in the order of
/// memory, the first one lowest.
#[inline(always)]
fn begins_in(word: u64, next: u64) -> u64 {
    let mut found = u64::from(word == SIDECAR && next & 0xff == 0);
    for byte in 1..8 {
        let window = (word >> (8 * byte)) | (next << (64 - 8 * byte));
        let behind = (next >> (8 * byte)) & 0xff;
        found |= u64::from(window == SIDECAR && behind == 0);
    }
    found
}
