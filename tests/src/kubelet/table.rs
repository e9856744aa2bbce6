//! The scenarios. A main that ends badly leaves complete outputs behind, so that a commit would be
//! possible, and wrong.

use super::scenario::{Act, Beside, End, Main, Part, Pids, Scenario};

/// A script that writes complete outputs, runs for a while, records the time as its last action, and ends.
macro_rules! lives {
    ($end:literal) => {
        Main::Script(concat!(
            "echo hello > /var/flyte/outputs/word; sleep 2; : > /stamps/end; ",
            $end
        ))
    };
}

/// The same, but it ends when the run lets it.
macro_rules! waits {
    ($end:literal) => {
        Main::Script(concat!(
            "echo hello > /var/flyte/outputs/word; : > /stamps/ready; ",
            "until [ -e /stamps/go ]; do sleep 0.05; done; sleep 0.5; : > /stamps/end; ",
            $end
        ))
    };
}

/// A script that uses more memory than allowed.
macro_rules! eats {
    () => {
        "x=0123456789; while :; do x=$x$x; done"
    };
}

/// Writes complete outputs and ignores SIGTERM.
macro_rules! stays {
    () => {
        Main::Script(
            "trap : TERM; echo hello > /var/flyte/outputs/word; : > /stamps/ready; \
             while :; do sleep 0.1; done",
        )
    };
}

pub mod cluster;

const BASE: Scenario = Scenario {
    name: "",
    main: lives!("exit 0"),
    beside: &[],
    act: Act::Nothing,
    end: End::Good,
    pids: Pids::ALL,
    cluster: None,
    part: Part::Out,
};

/// A main that ends badly although its outputs are complete.
const BAD: Scenario = Scenario {
    main: lives!("exit 7"),
    end: End::Code(7),
    ..BASE
};

/// All scenarios.
pub fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().chain(cluster::SCENARIOS)
}

/// The scenarios that need only a kubelet.
const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "exit-0",
        part: Part::All,
        ..BASE
    },
    Scenario {
        name: "exit-7",
        part: Part::All,
        ..BAD
    },
    Scenario {
        name: "sigkill",
        main: waits!("exit 0"),
        act: Act::KillMain,
        end: End::Killed,
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "sigsegv",
        // Endless recursion.
        main: lives!("ulimit -c 0; f() { f; }; f"),
        end: End::Crashed,
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "oom-main",
        main: Main::Script(concat!(
            "echo hello > /var/flyte/outputs/word; sleep 1; ",
            eats!()
        )),
        beside: &[Beside::LittleMemory],
        end: End::OutOfMemory,
        part: Part::All,
        ..BASE
    },
    Scenario {
        name: "oom-at-once",
        main: Main::Script(concat!("echo hello > /var/flyte/outputs/word; ", eats!())),
        beside: &[Beside::LittleMemory],
        end: End::OutOfMemory,
        ..BASE
    },
    Scenario {
        name: "oom-child-0",
        main: Main::Script(concat!(
            "sleep 1; (",
            eats!(),
            "); echo hello > /var/flyte/outputs/word; : > /stamps/end; exit 0"
        )),
        beside: &[Beside::LittleMemory],
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "oom-child-9",
        main: Main::Script(concat!(
            "echo hello > /var/flyte/outputs/word; sleep 1; (",
            eats!(),
            "); exit 9"
        )),
        beside: &[Beside::LittleMemory],
        end: End::Code(9),
        ..BASE
    },
    Scenario {
        name: "short-0",
        main: Main::Script("echo hello > /var/flyte/outputs/word; : > /stamps/end"),
        part: Part::All,
        ..BASE
    },
    Scenario {
        name: "short-7",
        main: Main::Script("echo hello > /var/flyte/outputs/word; exit 7"),
        end: End::Code(7),
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "not-started",
        main: Main::Missing,
        end: End::NotStarted,
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "not-started-after-init",
        main: Main::Missing,
        beside: &[Beside::InitAfter],
        end: End::NotStarted,
        ..BASE
    },
    Scenario {
        name: "exec-0",
        main: waits!("exit 0"),
        act: Act::Exec,
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "exec-7",
        main: waits!("exit 7"),
        act: Act::Exec,
        ..BAD
    },
    Scenario {
        name: "probes-0",
        main: Main::Script(
            "sleep 4; echo hello > /var/flyte/outputs/word; : > /stamps/end; exit 0",
        ),
        beside: &[Beside::Probes],
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "probes-7",
        main: Main::Script("echo hello > /var/flyte/outputs/word; sleep 4; exit 7"),
        beside: &[Beside::Probes],
        ..BAD
    },
    Scenario {
        name: "mesh-native-0",
        beside: &[Beside::NativeMesh],
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "mesh-native-7",
        beside: &[Beside::NativeMesh],
        ..BAD
    },
    Scenario {
        name: "mesh-ordinary-0",
        beside: &[Beside::OrdinaryMesh],
        ..BASE
    },
    Scenario {
        name: "mesh-ordinary-7",
        beside: &[Beside::OrdinaryMesh],
        part: Part::One,
        ..BAD
    },
    Scenario {
        name: "init-before-0",
        beside: &[Beside::InitBefore],
        ..BASE
    },
    Scenario {
        name: "init-before-7",
        beside: &[Beside::InitBefore],
        ..BAD
    },
    Scenario {
        name: "init-after-0",
        beside: &[Beside::InitAfter],
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "init-after-7",
        beside: &[Beside::InitAfter],
        part: Part::One,
        ..BAD
    },
    Scenario {
        name: "restart-0",
        main: waits!("exit 0"),
        act: Act::KillSidecar,
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "restart-7",
        main: waits!("exit 7"),
        act: Act::KillSidecar,
        ..BAD
    },
    Scenario {
        name: "delete",
        main: stays!(),
        act: Act::Delete,
        end: End::Stopped,
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "delete-in-time",
        main: Main::Script(
            "trap 'echo hello > /var/flyte/outputs/word; : > /stamps/end; exit 0' TERM; \
             : > /stamps/ready; while :; do sleep 0.1; done",
        ),
        act: Act::Delete,
        ..BASE
    },
    Scenario {
        name: "deadline",
        main: Main::Script("echo hello > /var/flyte/outputs/word; while :; do sleep 0.1; done"),
        // On a busy node a pod has been seen to need more than 30 s until its main begins.
        beside: &[Beside::Deadline(60)],
        end: End::Stopped,
        ..BASE
    },
    Scenario {
        name: "two-mains-0",
        main: Main::Script("sleep 4; exit 0"),
        beside: &[Beside::SecondMain(
            "sleep 6; echo hello > /var/flyte/outputs/word; : > /stamps/end; exit 0",
        )],
        ..BASE
    },
    Scenario {
        name: "two-mains-7",
        main: Main::Script("echo hello > /var/flyte/outputs/word; sleep 4; exit 7"),
        beside: &[Beside::SecondMain("sleep 6; exit 0")],
        part: Part::One,
        ..BAD
    },
    Scenario {
        name: "subpath-0",
        beside: &[Beside::SubPath],
        part: Part::One,
        ..BASE
    },
    Scenario {
        name: "subpath-7",
        beside: &[Beside::SubPath],
        ..BAD
    },
    Scenario {
        name: "primary-0",
        beside: &[Beside::Primary],
        ..BASE
    },
    Scenario {
        name: "primary-7",
        beside: &[Beside::Primary],
        part: Part::One,
        ..BAD
    },
    Scenario {
        name: "named-0",
        beside: &[Beside::Named],
        // Without a shared pid namespace the sidecar cannot see names.
        pids: &[Pids::Shared],
        ..BASE
    },
    Scenario {
        name: "named-7",
        beside: &[Beside::Named],
        pids: &[Pids::Shared],
        ..BAD
    },
];
