//! The files that are moved: writes them, and checks the copies.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::site::bytes;

/// A number of files of one size.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Its name.
    pub name: &'static str,
    /// How many files.
    pub count: u64,
    /// The size of each file in bytes.
    pub size: u64,
}

/// The cost is in the bytes.
pub const LARGE: &str = "large";
/// The cost is in the bytes, but there are many files.
pub const MEDIUM: &str = "medium";
/// The cost is in the number of requests.
pub const SMALL: &str = "small";

/// All shapes.
pub const SHAPES: [Shape; 3] = [
    Shape {
        name: LARGE,
        count: 1,
        size: 1 << 30,
    },
    Shape {
        name: MEDIUM,
        count: 200,
        size: 5 << 20,
    },
    Shape {
        name: SMALL,
        count: 10_000,
        size: 10 << 10,
    },
];

/// The size of the pieces in which files are written and compared.
const PIECE: u64 = 1 << 20;

impl Shape {
    /// The same with few bytes, for `--part`. A large file still takes more than one request.
    pub fn part(self) -> Self {
        let (count, size) = match self.name {
            LARGE => (1, 20 << 20),
            MEDIUM => (2, self.size),
            _ => (20, self.size),
        };
        Self {
            count,
            size,
            ..self
        }
    }

    /// Writes the files.
    pub fn write(&self, directory: &Path) -> Result<()> {
        fs::create_dir_all(directory)?;
        for number in 0..self.count {
            let file = File::create(directory.join(name(number)))?;
            let mut out = io::BufWriter::new(file);
            for piece in self.pieces(number) {
                io::Write::write_all(&mut out, &piece)?;
            }
            out.into_inner()?;
        }
        Ok(())
    }

    /// The content of a file, different for each file.
    fn pieces(&self, number: u64) -> impl Iterator<Item = Vec<u8>> {
        let size = self.size;
        (0..size.div_ceil(PIECE)).map(move |index| {
            let length = PIECE.min(size - index * PIECE);
            bytes(
                usize::try_from(length).unwrap_or(0),
                number * 10_000 + index,
            )
        })
    }

    /// Whether a directory contains the files; compares all bytes if `thorough`.
    pub fn check(&self, directory: &Path, thorough: bool) -> Result<Result<(), String>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            found.insert(name, entry.metadata()?.len());
        }
        if let Err(loss) = self.compare(&found) {
            return Ok(Err(loss));
        }
        if thorough {
            for number in 0..self.count {
                let mut file = File::open(directory.join(name(number)))?;
                let mut read = Vec::new();
                for piece in self.pieces(number) {
                    read.resize(piece.len(), 0);
                    file.read_exact(&mut read)?;
                    if read != piece {
                        return Ok(Err(format!("{} has other bytes", name(number))));
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    /// Whether these names and sizes are exactly those of the files.
    pub fn compare(&self, found: &BTreeMap<String, u64>) -> Result<(), String> {
        for number in 0..self.count {
            match found.get(&name(number)) {
                Some(size) if *size == self.size => {}
                Some(size) => return Err(format!("{} has {size} bytes", name(number))),
                None => return Err(format!("{} is missing", name(number))),
            }
        }
        if found.len() as u64 == self.count {
            Ok(())
        } else {
            Err(format!("{} files, not {}", found.len(), self.count))
        }
    }
}

fn name(number: u64) -> String {
    format!("part-{number:05}.bin")
}
