//! A file that is written through a mapping.

use std::fs::OpenOptions;
use std::path::Path;

use memmap2::MmapMut;

/// Maps a whole file for writing, and closes its descriptor.
pub fn map(path: &Path) -> MmapMut {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).open(path).unwrap();
    // SAFETY: the file does not become shorter while it is mapped, and its other reader (the
    // sidecar) can read any bytes.
    unsafe { MmapMut::map_mut(&file) }.unwrap()
}
