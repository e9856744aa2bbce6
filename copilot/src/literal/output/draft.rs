//! What the walk over the outputs has gathered so far: the data to upload, and how much stands in
//! `outputs.pb`. A failed attempt at a value can be taken back.

use super::plan::BlobOutput;
use super::problem::OutputRule;

/// How many values the outputs may hold. More would fit neither our memory nor the platform, which
/// limits all outputs together to a few MiB.
pub const MOST_VALUES: usize = 100_000;
/// How many bytes all values may have together, unless one value alone may have more.
const MOST_BYTES: u64 = 32 << 20;

/// How many members of a struct, by their weight, count as one value.
const MEMBERS: usize = 8;

/// The unfinished plan.
pub struct Draft {
    blobs: Vec<BlobOutput>,
    values: usize,
    /// The weight of all members of structs.
    members: usize,
    bytes: u64,
    most_bytes: u64,
}

/// A state of the draft to go back to.
#[derive(Clone, Copy)]
pub struct Mark {
    blobs: usize,
    values: usize,
    members: usize,
    bytes: u64,
}

impl Draft {
    /// An empty draft. `max_simple_size` is the size that one value may have.
    pub fn new(max_simple_size: u64) -> Self {
        Self {
            blobs: Vec::new(),
            values: 0,
            members: 0,
            bytes: 0,
            most_bytes: MOST_BYTES.max(max_simple_size),
        }
    }

    /// Marks where an attempt begins.
    pub fn mark(&self) -> Mark {
        Mark {
            blobs: self.blobs.len(),
            values: self.values,
            members: self.members,
            bytes: self.bytes,
        }
    }

    /// Takes back what an attempt added since the mark.
    pub fn go_back(&mut self, mark: Mark) {
        self.blobs.truncate(mark.blobs);
        self.values = mark.values;
        self.members = mark.members;
        self.bytes = mark.bytes;
    }

    /// Adds a file or directory to upload.
    pub fn add_blob(&mut self, blob: BlobOutput) {
        self.blobs.push(blob);
    }

    /// Counts one more value, which takes so many bytes in `outputs.pb`.
    pub fn count(&mut self, bytes: u64) -> Result<(), OutputRule> {
        self.room_for(1)?;
        self.values += 1;
        self.count_bytes(bytes)
    }

    /// Counts so many more bytes.
    pub fn count_bytes(&mut self, bytes: u64) -> Result<(), OutputRule> {
        self.bytes += bytes;
        if self.bytes > self.most_bytes {
            return Err(self.too_many());
        }
        Ok(())
    }

    /// Counts the members of a struct by their weight.
    pub fn count_members(&mut self, weight: usize) -> Result<(), OutputRule> {
        self.members += weight;
        self.room_for(0)
    }

    /// Fails if so many more values are too many.
    pub fn room_for(&self, values: usize) -> Result<(), OutputRule> {
        if self.values + self.members / MEMBERS + values > MOST_VALUES {
            return Err(self.too_many());
        }
        Ok(())
    }

    /// The files and directories to upload.
    pub fn into_blobs(self) -> Vec<BlobOutput> {
        self.blobs
    }

    fn too_many(&self) -> OutputRule {
        OutputRule::TooMany {
            values: MOST_VALUES,
            bytes: self.most_bytes,
        }
    }
}
