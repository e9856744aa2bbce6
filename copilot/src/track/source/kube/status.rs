//! Kubelet's word on a container's end, as an exit status.

use super::pod::Terminated;
use crate::track::ExitStatus;

/// The greatest number of a signal.
const LAST_SIGNAL: i32 = 64;

const SIGKILL: u8 = 9;

/// How a container ended. A code of 128 and more is how runtimes tell a signal; a program that exits
/// with such a code by itself, as a shell does for its child, cannot be told from it.
pub fn of(ended: &Terminated) -> ExitStatus {
    match ended.reason.as_str() {
        // The runtime could not start its program.
        "StartError" | "ContainerCannotRun" | "RunContainerError" => return ExitStatus::NotStarted,
        // Kubelet has lost it: the code is made up.
        "ContainerStatusUnknown" => return ExitStatus::Unknown,
        // Said as well of a container that lost a child and went on to end well.
        "OOMKilled" if ended.exit_code != 0 => return signal(SIGKILL, true),
        _ => {}
    }
    let number = match ended.signal {
        0 => ended.exit_code.saturating_sub(128),
        number => number,
    };
    match (u8::try_from(number), u8::try_from(ended.exit_code)) {
        (Ok(number), _) if (1..=LAST_SIGNAL).contains(&i32::from(number)) => signal(number, false),
        (_, Ok(code)) => ExitStatus::Code(code),
        // No code that Linux has.
        _ => ExitStatus::Unknown,
    }
}

fn signal(number: u8, out_of_memory: bool) -> ExitStatus {
    ExitStatus::Signal {
        number,
        core_dumped: false,
        out_of_memory,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_told_of_a_failure_is_no_success(
            exit_code in any::<i32>(),
            number in any::<i32>(),
            reason in "Error|OOMKilled|StartError|[A-Za-z]{0,9}",
        ) {
            let ended = Terminated { exit_code, signal: number, reason, ..Terminated::default() };
            prop_assume!(exit_code != 0);
            prop_assert_ne!(of(&ended), ExitStatus::Code(0));
        }
    }

    #[test]
    fn kubelets_words_are_understood() {
        for (exit_code, reported, reason, expected) in [
            (0, 0, "Completed", ExitStatus::Code(0)),
            (7, 0, "Error", ExitStatus::Code(7)),
            (128, 0, "Error", ExitStatus::Code(128)),
            (137, 0, "Error", signal(9, false)),
            (143, 0, "Error", signal(15, false)),
            (139, 11, "Error", signal(11, false)),
            (255, 0, "Error", ExitStatus::Code(255)),
            (137, 0, "OOMKilled", signal(9, true)),
            (1, 0, "OOMKilled", signal(9, true)),
            (0, 0, "OOMKilled", ExitStatus::Code(0)),
            (128, 0, "StartError", ExitStatus::NotStarted),
            (127, 0, "ContainerCannotRun", ExitStatus::NotStarted),
            (137, 0, "ContainerStatusUnknown", ExitStatus::Unknown),
            (-1, 0, "Error", ExitStatus::Unknown),
            (i32::MIN, 0, "", ExitStatus::Unknown),
        ] {
            let ended = Terminated {
                exit_code,
                signal: reported,
                reason: reason.to_owned(),
                ..Terminated::default()
            };
            assert_eq!(of(&ended), expected, "{exit_code} {reported} {reason}");
        }
    }
}
