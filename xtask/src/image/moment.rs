//! The one time that the image carries: that of its input, not that of its build.

use std::{env, process::Command};

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat};

use crate::command::{output, workspace};

/// The variable that says when the input was made (reproducible-builds.org, `SOURCE_DATE_EPOCH`).
const VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// A time in whole seconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(u64);

impl Moment {
    /// What `SOURCE_DATE_EPOCH` says; without it the time of the commit that is checked out; without a repository 0.
    ///
    /// # Errors
    /// The variable holds something else than such a number.
    pub fn of_the_input() -> Result<Self> {
        match env::var(VARIABLE) {
            Ok(text) => Self::parse(&text),
            Err(env::VarError::NotPresent) => Ok(Self::of_the_commit().unwrap_or(Self(0))),
            Err(error) => Err(error).context(VARIABLE),
        }
    }

    /// Reads the value of the variable.
    ///
    /// # Errors
    /// It is not a number of seconds, or lies after the year 9999.
    pub fn parse(text: &str) -> Result<Self> {
        let number: Option<u64> = text.parse().ok();
        let moment = number.map(Self).filter(|moment| moment.date().is_some());
        moment.with_context(|| {
            format!("{VARIABLE} is {text:?}: it must be a number of seconds since 1970-01-01 UTC, such as 1767225600")
        })
    }

    fn of_the_commit() -> Option<Self> {
        let mut git = Command::new("git");
        git.current_dir(workspace())
            .args(["log", "-1", "--format=%ct"]);
        Self::parse(output(&mut git).ok()?.trim()).ok()
    }

    /// Seconds since 1970-01-01 UTC.
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// The time as images write it (RFC 3339).
    pub fn text(self) -> String {
        let date = self.date().unwrap_or_default();
        date.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// Nothing for a year that RFC 3339 cannot write.
    fn date(self) -> Option<DateTime<chrono::Utc>> {
        const YEAR_10000: i64 = 253_402_300_800;
        let seconds = i64::try_from(self.0).ok()?;
        let date = DateTime::from_timestamp(seconds, 0);
        date.filter(|_| seconds < YEAR_10000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_a_date() {
        let moment = Moment::parse("1767225600").expect("it is a number");
        assert_eq!(moment.text(), "2026-01-01T00:00:00Z");
        assert_eq!(moment.seconds(), 1_767_225_600);
    }

    #[test]
    fn anything_else_is_refused_with_the_rule() {
        for text in ["", "-1", "1e9", "2026-01-01", "253402300800"] {
            let error = Moment::parse(text).expect_err(text).to_string();
            assert!(error.contains("SOURCE_DATE_EPOCH"), "{error}");
            assert!(error.contains("seconds since 1970-01-01"), "{error}");
        }
    }
}
