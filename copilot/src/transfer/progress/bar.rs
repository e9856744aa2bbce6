//! The bar on a terminal: one line of standard error, drawn over itself and wiped at the end.
//!
//! The log wipes the line before it writes to the terminal; the next update draws the bar again.

use std::io::{self, Write as _};
use std::time::Instant;

use super::Reached;
use super::text::{ByteCount, Left};

/// To the line's beginning, and all of it wiped.
const WIPE: &str = "\r\x1b[K";

/// Characters of the bar itself.
const WIDTH: usize = 10;

/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 80;

/// A bar that is wiped when it is dropped.
#[derive(Debug)]
pub(super) struct Bar {
    /// When it was drawn last, or begun, and how many bytes there were.
    last: (Instant, u64),
    is_drawn: bool,
    /// Bytes a second, smoothed.
    rate: Option<u64>,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self {
            last: (Instant::now(), 0),
            is_drawn: false,
            rate: None,
        }
    }

    /// Draws the bar over the last one.
    pub(super) fn show(&mut self, now: Instant, reached: &Reached) {
        let (then, bytes) = self.last;
        let bytes = reached.bytes.saturating_sub(bytes);
        let rate = ByteCount::per_second(bytes, now.duration_since(then)).0;
        // An average over some seconds: a person must be able to read the number.
        let smooth = |before: u64| before - before / 8 + rate / 8;
        let rate = self.rate.map_or(rate, smooth);
        self.rate = Some(rate);
        self.last = (now, reached.bytes);
        self.is_drawn = true;
        let columns = rustix::termios::tcgetwinsize(io::stderr());
        let columns = columns.ok().map(|size| usize::from(size.ws_col));
        let columns = columns.filter(|columns| *columns > 0).unwrap_or(COLUMNS);
        let line: String = line(reached, rate).chars().take(columns - 1).collect();
        // If the terminal is gone, the next log line fails as well.
        let _ = write!(io::stderr(), "{WIPE}{line}");
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.is_drawn {
            let _ = write!(io::stderr(), "{WIPE}");
        }
    }
}

/// The text of the bar. It fills by bytes, or by objects if no object has bytes.
fn line(reached: &Reached, rate: u64) -> String {
    let (done, all) = match reached.known_bytes {
        0 => (reached.objects, reached.known_objects),
        all => (reached.bytes, all),
    };
    let filled = u128::from(done) * WIDTH as u128 / u128::from(all.max(1));
    let filled = usize::try_from(filled).unwrap_or_default().min(WIDTH);
    let left = reached.known_bytes.saturating_sub(reached.bytes);
    let left = match rate {
        0 => String::new(),
        rate => format!(", {} left", Left(left.div_ceil(rate))),
    };
    format!(
        "[{:<WIDTH$}] {} of {}, {}/s{left}, {} of {} objects",
        "#".repeat(filled),
        ByteCount(reached.bytes),
        ByteCount(reached.known_bytes),
        ByteCount(rate),
        reached.objects,
        reached.known_objects,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        let reached = Reached {
            objects: 3,
            known_objects: 8,
            bytes: 5 << 20,
            known_bytes: 20 << 20,
            ..Reached::default()
        };
        assert_eq!(
            line(&reached, 1 << 20),
            "[##        ] 5.00 MiB of 20.0 MiB, 1.00 MiB/s, 15 s left, 3 of 8 objects"
        );
        // Without a rate no time is left to show.
        assert_eq!(
            line(&reached, 0),
            "[##        ] 5.00 MiB of 20.0 MiB, 0 bytes/s, 3 of 8 objects"
        );
    }

    #[test]
    fn a_line_needs_no_known_size() {
        assert_eq!(
            line(&Reached::default(), 0),
            "[          ] 0 bytes of 0 bytes, 0 bytes/s, 0 of 0 objects"
        );
        // A web server that does not say how large an object is.
        let unknown = Reached {
            bytes: 7,
            known_bytes: 3,
            ..Reached::default()
        };
        assert!(line(&unknown, 1).starts_with("[##########] 7 bytes of 3 bytes"));
    }
}
