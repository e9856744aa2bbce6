//! `copilot run`: from flags to a request. The command stands behind the first `--`.

use std::ffi::OsString;

use super::choice::{self, choose};
use super::describe::{given_as, texts};
use super::error::FlagError;
use super::flags::{self, Parsed, RunFlags};
use super::global::{given_path, global};
use super::rejection::Rejection;
use crate::command::{Command, Invocation};
use crate::trial::{Action, Runtime, TrialRequest};

/// `copilot run`.
pub(super) fn run(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    let end = arguments.iter().position(|argument| argument == "--");
    let (before, command) = match end {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    let mut flags = match flags::read::<RunFlags>(Some(Command::Run), "copilot run", before)? {
        Parsed::Answer(answer) => return Ok(answer),
        Parsed::Flags(flags) => *flags,
    };
    if let Some(word) = std::mem::take(&mut flags.global.words).first() {
        let word = word.to_string_lossy().into_owned();
        return Err(Rejection::usage(format!(
            "copilot run: the word {word:?} belongs to no flag; the command stands behind --: copilot run [OPTIONS] \
             -- {word} …"
        )));
    }
    let command = texts(command.to_vec())?;
    let action = action(&flags, command)?;
    let usage = |error: FlagError| Rejection::usage(error.to_string());
    let request = TrialRequest {
        action,
        given: given_as("--input", &flags.input)?,
        inputs: given_path(flags.inputs.as_deref()),
        outputs: given_as("--output", &flags.output)?,
        interface: flags.interface.clone().filter(|text| !text.is_empty()),
        to: flags.to.clone().filter(|text| !text.is_empty()),
        format: choose("--format", &flags.format, choice::FORMATS).map_err(usage)?,
        layout: choose(
            "--file-input-layout",
            &flags.file_input_layout,
            choice::LAYOUTS,
        )
        .map_err(usage)?,
        json: flags.json,
    };
    let global = global(flags.global, &[]);
    Ok(Invocation::Run(Box::new(global), Box::new(request)))
}

fn action(flags: &RunFlags, command: Vec<String>) -> Result<Action, Rejection> {
    if let Some(directory) = given_path(flags.check.as_deref()) {
        let others = [
            ("a command", !command.is_empty()),
            ("--image", flags.image.is_some()),
            ("--input", !flags.input.is_empty()),
            ("--inputs", flags.inputs.is_some()),
            ("--to", flags.to.is_some()),
            ("--keep", flags.keep),
            ("--work-dir", flags.work_dir.is_some()),
        ];
        if let Some((name, _)) = others.iter().find(|(_, given)| *given) {
            return Err(Rejection::usage(format!(
                "--check runs nothing and uploads nothing, so {name} has no effect: give one of them"
            )));
        }
        if flags.output.is_empty() && flags.interface.as_deref().is_none_or(str::is_empty) {
            return Err(Rejection::usage(
                "--check needs the types of the outputs: give --output NAME:TYPE for each, or --interface",
            ));
        }
        return Ok(Action::Check(directory));
    }
    let image = flags.image.clone().filter(|image| !image.is_empty());
    if command.is_empty() && image.is_none() {
        return Err(Rejection::usage(
            "copilot run: no command is given: write it behind --, for example copilot run --input x=3 -- ./train.sh \
             {{.inputs.x}}",
        ));
    }
    for (flag, path) in [
        ("--input-data-dir", &flags.input_data_dir),
        ("--output-data-dir", &flags.output_data_dir),
    ] {
        if !path.starts_with('/') || path.trim_matches('/').is_empty() || path.contains("//") {
            return Err(Rejection::usage(format!(
                "{flag} {path:?} must be an absolute path and not the root, such as /var/inputs"
            )));
        }
    }
    let trimmed = |path: &str| path.trim_end_matches('/').to_owned();
    Ok(Action::Run(Box::new(Runtime {
        command,
        image,
        keep: flags.keep,
        work_dir: given_path(flags.work_dir.as_deref()),
        input_data_dir: trimmed(&flags.input_data_dir),
        output_data_dir: trimmed(&flags.output_data_dir),
        term_wait: flags.term_wait,
    })))
}
