//! Before the long wait: what only the start needed leaves our memory.
//!
//! The start runs most of the program once: settings, TLS, the attach. Its pages stay mapped for hours, and count as
//! ours, although the wait needs few of them. The kernel maps a page again when it is needed, from the page cache.
//! Called once the sidecar is attached.

use procfs::process::{MMPermissions, MMapPath, MemoryMap, Process};
use rustix::mm::{Advice, madvise};
use tracing::debug;

/// Gives up the pages that mirror the program's file.
pub(super) fn unmap_program() {
    let maps = match Process::myself().and_then(|myself| myself.smaps()) {
        Ok(maps) => maps,
        Err(error) => {
            debug!(%error, "the program stays in memory");
            return;
        }
    };
    for map in maps.iter().filter(|map| mirrors_a_file(map)) {
        if let Err(error) = unmap(map) {
            debug!(%error, ?map.address, "a part of the program stays in memory");
        }
    }
}

/// Whether each page of a mapping is as it is in its file. The loader writes addresses into some mappings, and
/// protects them then: those pages are anonymous.
fn mirrors_a_file(map: &MemoryMap) -> bool {
    let is_of_a_file = matches!(map.pathname, MMapPath::Path(_));
    let changes = map.perms.contains(MMPermissions::WRITE);
    let is_shared = map.perms.contains(MMPermissions::SHARED);
    let anonymous = map.extension.map.get("Anonymous");
    is_of_a_file && !changes && !is_shared && anonymous == Some(&0)
}

fn unmap(map: &MemoryMap) -> rustix::io::Result<()> {
    let (start, end) = map.address;
    let (Ok(address), Ok(length)) = (usize::try_from(start), usize::try_from(end - start)) else {
        return Ok(());
    };
    let start = std::ptr::with_exposed_provenance_mut(address);
    // SAFETY: nobody can write to the mapping, and each of its pages is as it is in the file: the kernel reads the
    // same bytes when they are needed again.
    unsafe { madvise(start, length, Advice::LinuxDontNeed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_goes_and_comes_back() {
        let maps = Process::myself().unwrap().smaps().unwrap();
        let mirrors: Vec<_> = maps.iter().filter(|map| mirrors_a_file(map)).collect();
        let runs = |map: &&&MemoryMap| map.perms.contains(MMPermissions::EXECUTE);
        assert!(mirrors.iter().find(runs).is_some(), "{maps:?}");
        for map in mirrors {
            unmap(map).unwrap();
        }
    }
}
