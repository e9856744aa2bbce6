//! The bytes of the kernel's BTF: mapped where the kernel allows that (Linux 6.16), else read.
//!
//! Reading copies several MiB, which takes as long as all that follows, and memory.

use std::fs;
use std::io::Read as _;
use std::ops::Deref;
use std::path::Path;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A file's bytes.
pub enum File {
    /// In our memory.
    Read(Vec<u8>),
    /// In the kernel's.
    Mapped(Mapped),
}

/// A mapping of a whole file; undone when dropped.
pub struct Mapped {
    start: NonNull<u8>,
    length: usize,
}

impl File {
    /// Opens a file whose bytes never change.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = fs::File::open(path)?;
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        if let Some(mapped) = Mapped::new(&file, length) {
            return Ok(Self::Mapped(mapped));
        }
        let mut bytes = Vec::with_capacity(length);
        file.read_to_end(&mut bytes)?;
        Ok(Self::Read(bytes))
    }
}

impl Mapped {
    fn new(file: &fs::File, length: usize) -> Option<Self> {
        let (protection, flags) = (ProtFlags::READ, MapFlags::PRIVATE);
        // SAFETY: the kernel chooses the place, so that nothing else is mapped there.
        let start = unsafe { mmap(ptr::null_mut(), length, protection, flags, file, 0) }.ok()?;
        Some(Self {
            start: NonNull::new(start.cast())?,
            length,
        })
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: this is the whole mapping, and nothing borrows from it any more.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}

impl Deref for File {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            // SAFETY: the mapping has that many bytes for as long as `self` lives. They are the kernel's own, and
            // never change.
            Self::Mapped(mapped) => unsafe {
                std::slice::from_raw_parts(mapped.start.as_ptr(), mapped.length)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_btf_is_the_same_mapped_and_read() {
        let path = Path::new("/sys/kernel/btf/vmlinux");
        let Ok(read) = fs::read(path) else {
            println!("SKIPPED: this kernel has no BTF");
            return;
        };
        let file = File::open(path).unwrap();
        assert!(*file == *read);
        if crate::kernel::is_at_least((6, 16)) {
            assert!(matches!(file, File::Mapped(_)));
        }
    }

    #[test]
    fn a_file_that_cannot_be_mapped_is_read() {
        let file = File::open("/proc/sys/kernel/ostype".as_ref()).unwrap();
        assert!(matches!(file, File::Read(_)));
        assert_eq!(*file, *b"Linux\n");
    }
}
