//! How a process ended.

use std::fmt;

/// `WCOREDUMP`: the bit of a wait status that tells of a core dump.
const CORE_DUMPED: i32 = 0x80;

/// How a process ended: as wait(2) reports it to the parent, or unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It ended, and its status is unknown: without BPF only the parent learns it.
    Unknown,
    /// Its program never began: the runtime made the container and could not run its command.
    NotStarted,
    /// It called exit with this code.
    Code(u8),
    /// It exited with this code, not 0, before a look showed which program it ran: either the runtime
    /// could not run the container's command, or that command ended at once.
    EarlyCode(u8),
    /// A signal ended it.
    Signal {
        /// The signal's number.
        number: u8,
        /// Whether it dumped core.
        core_dumped: bool,
        /// Whether the out-of-memory killer sent it.
        out_of_memory: bool,
    },
}

impl ExitStatus {
    /// From the layout of wait(2), with whether the OOM killer had chosen the process.
    #[must_use]
    pub fn from_wait(status: i32, out_of_memory: bool) -> Self {
        let signal = status & 0x7f;
        if signal == 0 {
            return Self::Code(u8::try_from((status >> 8) & 0xff).unwrap_or(0));
        }
        Self::Signal {
            number: u8::try_from(signal).unwrap_or(0),
            core_dumped: status & CORE_DUMPED != 0,
            out_of_memory,
        }
    }

    /// Whether the process is known to have failed.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Unknown | Self::Code(0))
    }

    /// The exit code as a container runtime reports it: 128 + n for a signal.
    #[must_use]
    pub fn exit_code(self) -> Option<i32> {
        match self {
            Self::Unknown => None,
            // As containerd reports it.
            Self::NotStarted => Some(128),
            Self::Code(code) | Self::EarlyCode(code) => Some(code.into()),
            Self::Signal { number, .. } => Some(128 + i32::from(number)),
        }
    }

    /// The worse of two, since one status is reported for several mains. A fatal signal is worse than a
    /// code, a failure is worse than an unknown status, and that is worse than success.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }

    fn rank(self) -> (u8, u8) {
        match self {
            Self::Code(0) => (0, 0),
            Self::Unknown => (1, 0),
            Self::Code(code) | Self::EarlyCode(code) => (2, code),
            Self::NotStarted => (3, 0),
            Self::Signal {
                number,
                out_of_memory,
                ..
            } => (4 + u8::from(out_of_memory), number),
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unknown => f.write_str("ended (how is not known)"),
            Self::NotStarted => f.write_str(
                "was made, but its program never began: the runtime could not run the container's \
                 command. Is it in the image, and executable?",
            ),
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::EarlyCode(code) => write!(
                f,
                "exited with code {code} before it was seen to run its program: either the runtime \
                 could not run the container's command, or the program ended at once"
            ),
            Self::Signal {
                out_of_memory: true,
                ..
            } => f.write_str("killed: out of memory"),
            Self::Signal {
                number,
                core_dumped,
                ..
            } => {
                write!(f, "killed by {}", signal_name(number))?;
                if core_dumped {
                    f.write_str(" (core dumped)")?;
                }
                Ok(())
            }
        }
    }
}

/// The name of a signal that commonly ends processes, or its number.
fn signal_name(number: u8) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return format!("signal {number}"),
    };
    format!("signal {number} ({name})")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wait_statuses_are_read_as_wait_2_lays_them_out() {
        let killed = |number, core_dumped, out_of_memory| ExitStatus::Signal {
            number,
            core_dumped,
            out_of_memory,
        };
        for (raw, oom, expected, words) in [
            (0, false, ExitStatus::Code(0), "exited with code 0"),
            (0x700, false, ExitStatus::Code(7), "exited with code 7"),
            (
                9,
                false,
                killed(9, false, false),
                "killed by signal 9 (SIGKILL)",
            ),
            (9, true, killed(9, false, true), "killed: out of memory"),
            (
                0x8b,
                false,
                killed(11, true, false),
                "killed by signal 11 (SIGSEGV) (core dumped)",
            ),
            (34, false, killed(34, false, false), "killed by signal 34"),
        ] {
            let status = ExitStatus::from_wait(raw, oom);
            assert_eq!(status, expected, "{raw:#x}");
            assert_eq!(status.to_string(), words);
        }
    }

    #[test]
    fn the_worse_status_wins_whatever_the_order() {
        let ranked = [
            ExitStatus::Code(0),
            ExitStatus::Unknown,
            ExitStatus::Code(1),
            ExitStatus::Code(7),
            ExitStatus::NotStarted,
            ExitStatus::from_wait(9, false),
            ExitStatus::from_wait(9, true),
        ];
        for (index, better) in ranked.iter().enumerate() {
            for worse in &ranked[index..] {
                assert_eq!(better.worse(*worse), *worse);
                assert_eq!(worse.worse(*better), *worse);
            }
        }
    }

    proptest! {
        #[test]
        fn every_wait_status_has_a_meaning_and_words(raw in any::<i32>(), oom in any::<bool>()) {
            let status = ExitStatus::from_wait(raw, oom);
            prop_assert_ne!(status, ExitStatus::Unknown);
            prop_assert!(!status.to_string().is_empty());
            prop_assert_eq!(status.is_failure(), status.exit_code() != Some(0));
        }

        #[test]
        fn the_worst_of_several_does_not_depend_on_their_order(
            raws in prop::collection::vec((any::<u16>(), any::<bool>()), 1..6),
        ) {
            let statuses = raws
                .into_iter()
                .map(|(raw, oom)| ExitStatus::from_wait(raw.into(), oom));
            let worst = |statuses: &mut dyn Iterator<Item = ExitStatus>| {
                let status = statuses.fold(ExitStatus::Code(0), ExitStatus::worse);
                (status.is_failure(), status.exit_code())
            };
            let forwards = worst(&mut statuses.clone());
            prop_assert_eq!(forwards, worst(&mut statuses.rev()));
        }
    }
}
