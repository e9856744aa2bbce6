//! Every problem of one run, reported at once and bounded in number.

use std::fmt;

/// How many problems are kept and shown. The others are only counted.
const KEPT: usize = 20;

/// The problems of one run, in the order in which they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems<P> {
    kept: Vec<P>,
    more: usize,
}

impl<P> Default for Problems<P> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            more: 0,
        }
    }
}

impl<P> Problems<P> {
    /// Adds a problem. Calls `problem` only if the result is kept.
    pub fn push_with(&mut self, problem: impl FnOnce() -> P) {
        if self.kept.len() < KEPT {
            self.kept.push(problem());
        } else {
            self.more += 1;
        }
    }

    /// The first problems.
    #[must_use]
    pub fn kept(&self) -> &[P] {
        &self.kept
    }

    /// The number of all problems.
    #[must_use]
    pub fn count(&self) -> usize {
        self.kept.len() + self.more
    }

    /// `value` without a problem, else the problems.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.kept.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl<P: fmt::Display> fmt::Display for Problems<P> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.kept.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(out, "{separator}{problem}")?;
        }
        if self.more > 0 {
            write!(out, "; and {} more", self.more)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_counted_and_few_are_shown() {
        let mut problems = Problems::default();
        for number in 0..1_000 {
            problems.push_with(|| number);
        }
        assert_eq!(problems.count(), 1_000);
        assert!(problems.to_string().starts_with("0; 1; 2; "));
        assert!(problems.to_string().ends_with("; 19; and 980 more"));
        assert!(problems.or(()).is_err());
    }
}
