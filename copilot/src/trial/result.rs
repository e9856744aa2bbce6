//! What a run has found, for people and for programs. Pure.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::describe::{Document, Table, human_size, type_words};
use crate::idl::VariableMap;
use crate::report::{EscapeForm, escaped};
use crate::track::ExitStatus;
use crate::track::watch::{Ending, KillCause, Watched};
use crate::upload::{Preview, PreviewedData};

/// How a run, or a check, has ended.
#[derive(Debug)]
pub struct TrialResult {
    /// How the command ended; none for a check.
    pub command: Option<CommandEnd>,
    /// The outputs; none if they are wrong, or if the command failed.
    pub outputs: Option<OutputsFound>,
    /// What is wrong: each in one sentence.
    pub problems: Vec<String>,
    /// Where the outputs were uploaded: `outputs.pb`.
    pub committed: Option<String>,
    /// The directory of the run, if it stays.
    pub work_dir: Option<PathBuf>,
}

/// How a command ended.
#[derive(Debug)]
pub struct CommandEnd {
    /// Its exit code, 128 and the signal's number for a signal.
    pub exit_code: u8,
    /// In words.
    pub ending: String,
    /// How long it ran.
    pub duration: Duration,
}

/// The outputs, and what was declared.
#[derive(Debug)]
pub struct OutputsFound {
    /// The declared types.
    pub declared: VariableMap,
    /// The values and the data.
    pub preview: Preview,
}

impl CommandEnd {
    /// What the tracker has seen.
    pub(super) fn of(watched: &Watched) -> Self {
        let started = watched.started.unwrap_or(watched.attached);
        let (exit_code, ending) = match watched.ending {
            Ending::Exited(status @ ExitStatus::Signal { number: 9, .. })
                if watched.kill == KillCause::OutOfMemory =>
            {
                (code(status), "was killed: out of memory".to_owned())
            }
            Ending::Exited(status) => (code(status), status.to_string()),
            Ending::StillRunning => (137, "did not end after SIGTERM and was killed".to_owned()),
            _ => (1, "ended, and how is not known".to_owned()),
        };
        Self {
            exit_code,
            ending,
            duration: watched.exited.unwrap_or(watched.settled).since(started),
        }
    }
}

/// A status that is not known does not count as success.
fn code(status: ExitStatus) -> u8 {
    let code = status.exit_code().and_then(|code| u8::try_from(code).ok());
    code.unwrap_or(1)
}

impl TrialResult {
    /// The exit code of `copilot run`: the command's; 1 if that is 0 and something is wrong.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match &self.command {
            Some(command) if command.exit_code != 0 => command.exit_code,
            _ => u8::from(!self.problems.is_empty()),
        }
    }

    /// The result in words, ending with a line end.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut text = String::new();
        if let Some(command) = &self.command {
            let _ = writeln!(
                text,
                "the command {} after {}",
                command.ending,
                duration(command.duration)
            );
        }
        if let Some(found) = &self.outputs {
            text.push_str(&outputs_in_words(found, self.command.is_none()));
        }
        if !self.problems.is_empty() {
            text.push_str("wrong\n");
            for problem in &self.problems {
                let _ = writeln!(text, "  {}", escaped(problem, EscapeForm::Plain));
            }
        }
        if let Some(committed) = &self.committed {
            let _ = writeln!(text, "uploaded: {}", escaped(committed, EscapeForm::Plain));
        }
        if let Some(directory) = &self.work_dir {
            let directory = directory.display().to_string();
            let _ = writeln!(text, "kept: {}", escaped(&directory, EscapeForm::Plain));
        }
        text
    }

    /// The result as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut result = json!({ "problems": self.problems });
        if let Some(command) = &self.command {
            result["exit_code"] = command.exit_code.into();
            result["ending"] = command.ending.as_str().into();
            result["duration_seconds"] = command.duration.as_secs_f64().into();
        }
        if let Some(found) = &self.outputs {
            let mut outputs = Document::Values(found.preview.literals.clone()).to_json();
            if let Some(members) = outputs.as_object_mut() {
                members.remove("kind");
            }
            result["outputs"] = outputs;
            let data = found.preview.data.iter().map(|data| {
                json!({
                    "output": data.variable,
                    "path": data.path,
                    "files": data.files,
                    "bytes": data.bytes,
                })
            });
            result["data"] = data.collect();
            result["undeclared"] = found.preview.undeclared.clone().into();
        }
        if let Some(committed) = &self.committed {
            result["committed"] = committed.as_str().into();
        }
        if let Some(directory) = &self.work_dir {
            result["work_dir"] = directory.display().to_string().into();
        }
        result
    }
}

/// The problems of data that cannot be sent.
pub(super) fn problems_of(preview: &Preview) -> Vec<String> {
    let of_one = |data: &PreviewedData| {
        let more = data.problems.count() - data.problems.kept().len();
        let more = (more > 0).then(|| format!("and {more} more files"));
        let kept = data.problems.kept().iter().map(ToString::to_string);
        let all: Vec<String> = kept.chain(more).collect();
        let variable = data.variable.clone();
        all.into_iter()
            .map(move |problem| format!("output {variable}: {problem}"))
    };
    preview.data.iter().flat_map(of_one).collect()
}

fn outputs_in_words(found: &OutputsFound, is_check: bool) -> String {
    let mut table = Table::default();
    let types = found.declared.types();
    for (name, literal) in &found.preview.literals.literals {
        let words = types
            .get(name.as_str())
            .map_or_else(String::new, type_words);
        table.value(name, &words, literal);
    }
    let mut text = match table.text() {
        lines if lines.is_empty() => "outputs: none are declared\n".to_owned(),
        lines => format!("outputs\n{lines}"),
    };
    if !found.preview.data.is_empty() {
        text.push_str(if is_check {
            "would be uploaded\n"
        } else {
            "data\n"
        });
        let mut table = Table::default();
        for data in &found.preview.data {
            let noun = if data.files == 1 { "file" } else { "files" };
            let count = format!("{} {noun}", data.files);
            table.line([&data.variable, &data.path, &count, &human_size(data.bytes)]);
        }
        text.push_str(&table.text());
    }
    if !found.preview.undeclared.is_empty() {
        text.push_str("not an output, and not uploaded\n");
        let mut table = Table::default();
        for name in &found.preview.undeclared {
            table.line([name]);
        }
        text.push_str(&table.text());
    }
    text
}

/// A time for people.
fn duration(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds @ 1..60 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        seconds @ 60..3600 => format!("{} m {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(exit_code: u8, problems: &[&str]) -> TrialResult {
        TrialResult {
            command: Some(CommandEnd {
                exit_code,
                ending: format!("exited with code {exit_code}"),
                duration: Duration::from_millis(12),
            }),
            outputs: None,
            problems: problems.iter().map(|text| (*text).to_owned()).collect(),
            committed: None,
            work_dir: None,
        }
    }

    #[test]
    fn the_exit_code_is_the_commands_unless_that_would_hide_a_problem() {
        assert_eq!(result(0, &[]).exit_code(), 0);
        assert_eq!(result(7, &["x"]).exit_code(), 7);
        assert_eq!(result(0, &["x"]).exit_code(), 1);
    }

    #[test]
    fn the_words_name_what_is_wrong() {
        assert_eq!(
            result(0, &["output y: it is missing"]).in_words(),
            "the command exited with code 0 after 12 ms\nwrong\n  output y: it is missing\n"
        );
        assert_eq!(duration(Duration::from_millis(1500)), "1.5 s");
        assert_eq!(duration(Duration::from_secs(724)), "12 m 4 s");
        assert_eq!(duration(Duration::from_secs(7300)), "2 h 1 m");
    }
}
