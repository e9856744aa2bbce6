//! What is checked of each refusal: exit code, documents, message, log, files and objects.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use copilot::idl::container_error::Kind;
use copilot_tests::binary::{self, Ended};
use copilot_tests::task::{DOCUMENTS, Task, files};

/// The expected end of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct End {
    exit: i32,
    kind: Kind,
    is_documented: bool,
}

/// A failure with both error documents, which another try may solve.
pub const REPORTED: End = End {
    exit: 1,
    kind: Kind::Recoverable,
    is_documented: true,
};
/// The same, but another try cannot solve it.
pub const REPORTED_FOR_GOOD: End = End {
    exit: 1,
    kind: Kind::NonRecoverable,
    is_documented: true,
};
/// Wrong flags or settings: no document.
pub const REFUSED: End = End {
    exit: 2,
    kind: Kind::NonRecoverable,
    is_documented: false,
};
/// A wrong value of a flag, with both error documents: the prefix for them is known.
pub const MISUSED: End = End {
    exit: 2,
    kind: Kind::NonRecoverable,
    is_documented: true,
};
/// A failure whose document could not be written; the table gives its kind.
pub const UNREPORTED: End = End {
    exit: 3,
    kind: Kind::NonRecoverable,
    is_documented: false,
};

/// The time limit of each failure, including that of an unreachable store: its retries take up to
/// 3 s for the inputs, and as long for each error document. The rest is for a busy machine.
const SOON: Duration = Duration::from_mins(1);

/// One kind of bad input.
pub struct Bad {
    /// Its description.
    pub what: &'static str,
    /// Prepares it, and returns the command that uses it.
    pub arrange: fn(&Task) -> Command,
    /// The exit code, and the kind of the failure.
    pub code: End,
    /// What the message must contain: the input, the rule, the solution.
    pub says: &'static [&'static str],
}

/// Runs all of a table; `code` is that of the error documents.
pub fn check_all(table: &[Bad], code: &str) {
    let mut wrong = Vec::new();
    for bad in table {
        let task = Task::start().unwrap();
        let log = task.site.work("termination-log");
        fs::write(&log, "").unwrap();
        // Writable for all users, like the one from kubelet.
        fs::set_permissions(&log, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        let mut command = (bad.arrange)(&task);
        let begun = Instant::now();
        let ended = binary::run(command.arg("--termination-log").arg(&log));
        if begun.elapsed() > SOON {
            wrong.push(format!("{}: told after {:?}", bad.what, begun.elapsed()));
        }
        if let Err(difference) = check(bad, code, &task, &ended) {
            wrong.push(format!("{}: {difference}\n{}", bad.what, ended.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(bad: &Bad, code: &str, task: &Task, ended: &Ended) -> Result<(), String> {
    if ended.code() != bad.code.exit {
        return Err(format!("exit {}, expected {}", ended.code(), bad.code.exit));
    }
    let last = ended.message();
    if last.to_lowercase().contains("usage:") {
        return Err("usage text hides the message".to_owned());
    }
    if let Some(word) = bad.says.iter().find(|word| !last.contains(*word)) {
        return Err(format!("the last words are {last:?}, without {word:?}"));
    }
    if last.contains(&task.site.server.secret_key) {
        return Err("the message holds a secret".to_owned());
    }
    documents(bad, code, task, last)?;
    termination_log(bad, code, task, last)?;
    nothing_left(task)
}

fn documents(bad: &Bad, code: &str, task: &Task, last: &str) -> Result<(), String> {
    for name in DOCUMENTS {
        let document = task.document(name);
        match (bad.code.is_documented, document) {
            (true, Some(document)) => {
                if document.code != code || document.kind() != bad.code.kind {
                    return Err(format!("{document:?}"));
                }
                if !last.ends_with(document.message.trim_end()) {
                    return Err(format!("the document says {:?}", document.message));
                }
            }
            (true, None) => return Err(format!("{name} is missing")),
            (false, Some(document)) => return Err(format!("{name}: {document:?}")),
            (false, None) => {}
        }
    }
    Ok(())
}

fn termination_log(bad: &Bad, code: &str, task: &Task, last: &str) -> Result<(), String> {
    let left = fs::read_to_string(task.site.work("termination-log")).unwrap();
    let head = match bad.code {
        // The store is the cause, and the table gives the kind.
        UNREPORTED => format!("{code} ("),
        REPORTED_FOR_GOOD | MISUSED => format!("{code} (not recoverable): "),
        // What is missing or wrong is the user's; what cannot be read may be the node's fault.
        _ if left.contains("): output \"") && !left.contains(": cannot read ") => {
            format!("{code} (recoverable, user): output \"")
        }
        _ => format!("{code} (recoverable): "),
    };
    let right = match bad.code {
        // If the flags cannot be parsed, the path of the message file is unknown, too.
        REFUSED => left.is_empty() || last.ends_with(&left),
        _ => left.starts_with(&head) && last.ends_with(&left) && left.len() <= 4096,
    };
    if right {
        Ok(())
    } else {
        Err(format!("the termination message is {left:?}"))
    }
}

/// Checks that there are no unfinished files, no metadata without data, and no objects but the documents.
fn nothing_left(task: &Task) -> Result<(), String> {
    let on_disk = files(&task.site.work(""));
    let unfinished = on_disk
        .keys()
        .find(|name| name.contains(".copilot-partial") || name.starts_with("inputs/inputs."));
    if let Some(name) = unfinished {
        return Err(format!("{name} was left on disk"));
    }
    let results = task.objects("task/out");
    let object = results
        .keys()
        .find(|name| !DOCUMENTS.contains(&name.as_str()));
    if let Some(name) = object {
        return Err(format!("{name} was left among the results"));
    }
    if let Some((name, _)) = task.objects("task/raw").first_key_value() {
        return Err(format!("{name} was left among the data"));
    }
    if task.site.server.unfinished_uploads().unwrap().is_empty() {
        Ok(())
    } else {
        Err("an unfinished upload was left".to_owned())
    }
}
