//! Numbers for people: times, sizes, counts.

/// A number of milliseconds: `0.4 ms`, `41 ms`, `9.8 s`, `12 m 4 s`, `2 h 3 m`.
pub(super) fn milliseconds(milliseconds: f64) -> String {
    let seconds = milliseconds / 1e3;
    match seconds {
        _ if milliseconds < 0.95 => format!("{milliseconds:.1} ms"),
        _ if milliseconds < 999.5 => format!("{milliseconds:.0} ms"),
        _ if seconds < 59.95 => format!("{seconds:.1} s"),
        _ if seconds < 3_599.5 => {
            let seconds = seconds.round();
            format!("{} m {} s", (seconds / 60.0).floor(), seconds % 60.0)
        }
        _ => {
            let minutes = (seconds / 60.0).round();
            format!("{} h {} m", (minutes / 60.0).floor(), minutes % 60.0)
        }
    }
}

/// A number of bytes in binary units: `512 bytes`, `2.1 GiB`.
#[expect(clippy::cast_precision_loss, reason = "one decimal for a person")]
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return counted(bytes, "byte", "bytes");
    }
    let (mut size, mut unit) = (bytes as f64 / 1024.0, 0);
    while size >= 1023.95 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let decimals = usize::from(size < 100.0);
    format!("{size:.decimals$} {}", UNITS[unit])
}

/// Bytes in a second, in binary units.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate for a person; it is positive, and far below 2^64"
)]
pub(super) fn rate(moved: u64, milliseconds: f64) -> String {
    bytes((moved as f64 * 1e3 / milliseconds.max(1e-3)) as u64)
}

/// A count with its noun.
pub(super) fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (value, expected) in [
            (0.0, "0.0 ms"),
            (0.94, "0.9 ms"),
            (1.0, "1 ms"),
            (999.4, "999 ms"),
            (999.6, "1.0 s"),
            (59_940.0, "59.9 s"),
            (59_960.0, "1 m 0 s"),
            (724_000.0, "12 m 4 s"),
            (3_599_900.0, "1 h 0 m"),
            (7_380_000.0, "2 h 3 m"),
        ] {
            assert_eq!(milliseconds(value), expected, "{value}");
        }
    }

    #[test]
    fn sizes() {
        for (value, expected) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (219 << 20, "219 MiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(bytes(value), expected, "{value}");
        }
        assert_eq!(rate(1 << 20, 500.0), "2.0 MiB");
        assert_eq!(rate(5, 0.0), "4.8 MiB");
    }
}
