//! Standard error on a terminal, where a progress bar may stand in the current line.

use std::io::{self, IsTerminal as _, Write};
use std::sync::OnceLock;

use crate::report::{EscapeForm, escaped};
use crate::transfer::Display;

/// Where to show progress: on a terminal that can clear a line, else in the log.
pub(in crate::command) fn display() -> Display {
    static FOUND: OnceLock<Display> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let kind = std::env::var_os("TERM").filter(|kind| kind != "dumb");
        let can_clear = kind.is_some_and(|kind| !kind.is_empty());
        if can_clear && io::stderr().is_terminal() {
            Display::Terminal
        } else {
            Display::Log
        }
    })
}

/// Standard error, for the log.
pub(super) fn stderr(form: EscapeForm) -> StderrLines {
    StderrLines {
        form,
        clears: display() == Display::Terminal,
    }
}

/// Writes whole events, each in one harmless line. It replaces a progress bar in the current line.
pub(super) struct StderrLines {
    form: EscapeForm,
    clears: bool,
}

impl Write for StderrLines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.clears {
            io::stderr().write_all(b"\r\x1b[K")?;
        }
        let line = String::from_utf8_lossy(text);
        let line = escaped(line.trim_end_matches('\n'), self.form);
        // In one call: lines of two processes do not mix.
        io::stderr().write_all(format!("{line}\n").as_bytes())?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
