//! Converts kubelet's report of a container's end to an exit status.

use super::pod::ContainerStateTerminated;
use crate::track::ExitStatus;

/// The greatest number of a signal.
const LAST_SIGNAL: i32 = 64;

const SIGKILL: u8 = 9;

/// How a container ended. Runtimes report a signal as a code of 128 or more. A program that exits with
/// such a code by itself, as a shell does for its child, looks the same.
pub fn exit_status(ended: &ContainerStateTerminated) -> ExitStatus {
    match ended.reason.as_str() {
        // The runtime could not start its program.
        "StartError" | "ContainerCannotRun" | "RunContainerError" => return ExitStatus::NotStarted,
        // Kubelet does not know the status, and reports a made-up code.
        "ContainerStatusUnknown" => return ExitStatus::Unknown,
        // Kubelet reports this also for a container that lost a child and then ended well.
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
        // Linux has no such code.
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
        fn a_failure_never_becomes_a_success(
            exit_code in any::<i32>(),
            number in any::<i32>(),
            reason in "Error|OOMKilled|StartError|[A-Za-z]{0,9}",
        ) {
            let ended = ContainerStateTerminated {
                exit_code,
                signal: number,
                reason,
                ..ContainerStateTerminated::default()
            };
            prop_assume!(exit_code != 0);
            prop_assert_ne!(exit_status(&ended), ExitStatus::Code(0));
        }
    }

    #[test]
    fn kubelets_reasons_are_understood() {
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
            let ended = ContainerStateTerminated {
                exit_code,
                signal: reported,
                reason: reason.to_owned(),
                ..ContainerStateTerminated::default()
            };
            assert_eq!(
                exit_status(&ended),
                expected,
                "{exit_code} {reported} {reason}"
            );
        }
    }
}
