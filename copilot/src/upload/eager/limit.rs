//! How many names the early upload holds: each of its lists counts by one of these.

/// The most names in one list: the rest waits for main's end.
pub(super) const MOST_FILES: usize = 20_000;

/// The most bytes of names in one list: two hundred for each.
pub(super) const MOST_BYTES: usize = 4 << 20;

/// How many names a list holds, and how many bytes they have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NameCount {
    names: usize,
    bytes: usize,
}

impl NameCount {
    /// Whether there is room for a name of this length in bytes.
    pub(super) fn fits(self, length: usize) -> bool {
        self.names < MOST_FILES && self.bytes + length <= MOST_BYTES
    }

    /// Whether half of the room is taken.
    pub(super) fn is_half_full(self) -> bool {
        self.names >= MOST_FILES / 2 || self.bytes >= MOST_BYTES / 2
    }

    /// Counts a name, if there is room for it.
    #[must_use]
    pub(super) fn add(&mut self, length: usize) -> bool {
        let fits = self.fits(length);
        if fits {
            self.take(length);
        }
        fits
    }

    /// Counts a name that has its place already, whether there is room or not.
    pub(super) fn take(&mut self, length: usize) {
        self.names += 1;
        self.bytes += length;
    }

    /// A name that was counted leaves the list.
    pub(super) fn remove(&mut self, length: usize) {
        self.names -= 1;
        self.bytes -= length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_full_by_names_or_by_bytes() {
        let mut short = NameCount::default();
        let added = (0..MOST_FILES + 5).filter(|_| short.add(1)).count();
        assert_eq!(added, MOST_FILES);
        short.remove(1);
        assert!(short.add(1) && !short.add(1));
        let mut long = NameCount::default();
        let added = (0..MOST_FILES).filter(|_| long.add(1 << 10)).count();
        assert_eq!(added, MOST_BYTES >> 10);
    }
}
