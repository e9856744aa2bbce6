//! A process's command line: a fingerprint of it, and all of it if the process has the name of our program. A
//! container that kubelet starts again runs the same command line, and another sidecar waits for main as we do: in
//! another pid namespace nothing else shows either.

use core::hint::black_box;

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use copilot_common::{COMMAND_BYTES, CommandLine, Offset, lost};

use crate::{fields::read, maps};

/// The fingerprint covers the command line's length and its first words: more would cost each exec more.
pub const WORDS: usize = 64;
/// The size of a word, in bytes.
const WORD: u32 = 8;
const LONGEST: u32 = 64 * WORD;

/// An odd number whose bits are spread evenly (2^64 divided by the golden ratio).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The names of our program and of the reference's as the kernel keeps a command name, in two words.
const OURS: [[u64; 2]; 2] = [
    words_of(*b"copilot\0\0\0\0\0\0\0\0\0"),
    words_of(*b"flyte-copilot\0\0\0"),
];

/// [`COMMAND_BYTES`] as the helper takes it.
const MOST: u32 = 2048;
const _: () = assert!(MOST as usize == COMMAND_BYTES);

const fn words_of(name: [u8; 16]) -> [u64; 2] {
    match name.as_chunks() {
        ([first, second], _) => [u64::from_ne_bytes(*first), u64::from_ne_bytes(*second)],
        _ => [0, 0],
    }
}

/// Sends the command line of the current task if `name`, its command name, is that of our program. `thread` is
/// that task, `host_pid` its process.
#[inline(always)]
pub fn send_ours(thread: *const u8, host_pid: u32, name: [u8; 16]) {
    let name = words_of(name);
    if name == OURS[0] || name == OURS[1] {
        let _ = send(thread, host_pid);
    }
}

#[inline(always)]
fn send(thread: *const u8, host_pid: u32) -> Option<()> {
    let mm: *const u8 = read(thread, Offset::TaskMm)?;
    let start: u64 = read(mm, Offset::MmArgStart)?;
    let end: u64 = read(mm, Offset::MmArgEnd)?;
    #[expect(clippy::cast_possible_truncation, reason = "at most `MOST`")]
    let size = end.checked_sub(start)?.min(u64::from(MOST)) as u32;
    let Some(mut entry) = maps::EVENTS.reserve::<CommandLine>(0) else {
        maps::count_lost(lost::RING_FULL);
        return None;
    };
    let line = entry.as_mut_ptr();
    // SAFETY: the entry has room for the structure, whose text has room for `MOST` bytes. The helper checks the
    // address that it reads from.
    let failed = unsafe {
        (*line).host_pid = host_pid;
        (*line).length = size;
        bpf_probe_read_user((&raw mut (*line).text).cast(), size, start as *const _)
    };
    // The record of the exec, which follows, wakes the reader.
    if failed == 0 {
        entry.submit(maps::LET_SLEEP);
    } else {
        entry.discard(maps::LET_SLEEP);
    }
    Some(())
}

/// The fingerprint; 0 if the command line cannot be read. `thread` is the current task.
#[inline(always)]
pub fn fingerprint(thread: *const u8) -> u64 {
    read_fingerprint(thread).unwrap_or(0)
}

#[inline(always)]
fn read_fingerprint(thread: *const u8) -> Option<u64> {
    let words = maps::COMMAND.get_ptr_mut(0)?.cast::<u64>();
    let mm: *const u8 = read(thread, Offset::TaskMm)?;
    let start: u64 = read(mm, Offset::MmArgStart)?;
    let end: u64 = read(mm, Offset::MmArgEnd)?;
    let length = end.checked_sub(start)?;
    // Directly before its use, twice: the verifier of Linux 5.10 forgets the bounds of a number that the compiler
    // keeps on the stack meanwhile.
    let size = at_most_longest(length);
    // SAFETY: the slot has room for `LONGEST` bytes, and is this CPU's own. The helper checks the address
    // that it reads from.
    if unsafe { bpf_probe_read_user(words.cast(), size, start as *const _) } != 0 {
        return None;
    }
    let size = at_most_longest(black_box(length));
    let rest = size % WORD;
    if rest != 0 {
        // The slot still holds bytes of a longer command line. Before the loop: in it the verifier would follow each
        // of its words in two ways.
        // SAFETY: `size` is at most `LONGEST`, and the slot has one word more.
        unsafe { *words.add((size / WORD) as usize) &= (1 << (rest * 8)) - 1 };
    }
    let mut hash = length;
    for index in 0..LONGEST / WORD {
        if index * WORD >= size {
            break;
        }
        // SAFETY: the index is below `WORDS`.
        let word = unsafe { words.add(index as usize).read_volatile() };
        hash = (hash ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    }
    Some(hash | 1)
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most `LONGEST`")]
fn at_most_longest(length: u64) -> u32 {
    length.min(u64::from(LONGEST)) as u32
}
