//! Standard error where it is a terminal: a progress bar may stand in the line that is written to.

use std::io::{self, IsTerminal as _, Write};
use std::sync::OnceLock;

use crate::transfer::Display;

/// Where progress is to be shown: on a terminal that knows how to wipe a line, else in the log.
pub(in crate::command) fn display() -> Display {
    static FOUND: OnceLock<Display> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let kind = std::env::var_os("TERM").filter(|kind| kind != "dumb");
        let can_wipe = kind.is_some_and(|kind| !kind.is_empty());
        if can_wipe && io::stderr().is_terminal() {
            Display::Terminal
        } else {
            Display::Log
        }
    })
}

/// Standard error, for the log.
pub(super) fn stderr() -> Lines {
    Lines {
        wipes: display() == Display::Terminal,
    }
}

/// Writes whole lines, each in the place of what its line on the terminal may hold.
pub(super) struct Lines {
    wipes: bool,
}

impl Write for Lines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if self.wipes {
            io::stderr().write_all(b"\r\x1b[K")?;
        }
        io::stderr().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
