//! Looks at the machine and the stores, and gives facts. What can be tried is tried: programs are loaded and
//! attached, stores are asked. Nothing is changed, apart from the object of `--probe`.
//!
//! One file for each group of facts. Called by `command`. Never here: what a fact means.

mod cpu;
mod kernel;
mod limits;
mod place;
mod rights;
mod settings;
mod stores;
mod volumes;
mod watching;

pub use kernel::kernel;
pub use limits::limits;
pub use place::place;
pub use rights::rights;
pub use settings::settings;
pub use stores::{patience, stores};
pub use volumes::volumes;
pub use watching::watching;

use std::fs;

/// The text of a small file, without white space and null bytes at its end; `None` if it cannot be read or is empty.
fn line_of(path: &str) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end_matches(|letter: char| letter.is_whitespace() || letter == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}
