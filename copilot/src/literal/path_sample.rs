//! Some of many paths, for messages.

use std::fmt;
use std::path::Path;

use super::Shown;

/// How many paths are named. The others are only counted.
const NAMED: usize = 10;

/// The first paths of a set, and the number of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathSample {
    named: Vec<String>,
    count: u64,
}

impl PathSample {
    /// Adds a path.
    pub fn push(&mut self, path: &Path) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(Shown(&path.to_string_lossy()).to_string());
        }
    }

    /// The number of all paths.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl fmt::Display for PathSample {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.named.join(", "))?;
        match self.count - self.named.len() as u64 {
            0 => Ok(()),
            more => write!(out, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ten_are_named_and_all_are_counted() {
        let mut sample = PathSample::default();
        assert_eq!(sample.to_string(), "");
        sample.push(Path::new("a b/\n"));
        sample.push(Path::new("c"));
        assert_eq!(sample.to_string(), r#""a b/\n", "c""#);
        for _ in 2..1000 {
            sample.push(Path::new("x"));
        }
        assert_eq!(sample.count(), 1000);
        let text = sample.to_string();
        assert!(text.ends_with(r#""x" and 990 more"#), "{text}");
    }
}
