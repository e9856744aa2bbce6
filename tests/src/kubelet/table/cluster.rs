//! The scenarios that need an API server.

use super::{BAD, BASE};
use crate::kubelet::scenario::{Act, Beside, End, Main, Pids, Privilege, Scenario};

/// All watchers, for scenarios about the pod.
const ALL: &[Privilege] = Privilege::ALL;

/// Only the watcher that uses the API.
const BY_API: &[Privilege] = &[Privilege::KubeApi];

/// The pid namespaces of scenarios that run alone: processes do not matter there.
const ALONE: &[Pids] = &[Pids::Own];

/// All scenarios that need an API server.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "api-restart-0",
        main: waits!("exit 0"),
        act: Act::RestartApi,
        pids: ALONE,
        cluster: Some(BY_API),
        ..BASE
    },
    Scenario {
        name: "api-restart-7",
        main: waits!("exit 7"),
        act: Act::RestartApi,
        pids: ALONE,
        cluster: Some(BY_API),
        ..BAD
    },
    // Main ends, and the sidecar is stopped, while the API does not answer. Kubelet reports again within ten
    // seconds.
    Scenario {
        name: "api-away-0",
        main: waits!("exit 0"),
        beside: &[Beside::Patience],
        act: Act::EndWithoutApi,
        pids: ALONE,
        cluster: Some(BY_API),
        ..BASE
    },
    Scenario {
        name: "api-away-7",
        main: waits!("exit 7"),
        beside: &[Beside::Patience],
        act: Act::EndWithoutApi,
        pids: ALONE,
        cluster: Some(BY_API),
        ..BAD
    },
    // Longer than etcd keeps the version that a watch continues from.
    Scenario {
        name: "watch-expires-0",
        main: Main::Script(
            "sleep 40; echo hello > /var/flyte/outputs/word; : > /stamps/end; exit 0",
        ),
        beside: &[Beside::ShortWatches],
        cluster: Some(BY_API),
        ..BASE
    },
    Scenario {
        name: "watch-expires-7",
        main: Main::Script("echo hello > /var/flyte/outputs/word; sleep 40; exit 7"),
        beside: &[Beside::ShortWatches],
        cluster: Some(BY_API),
        ..BAD
    },
    Scenario {
        name: "no-rights",
        main: Main::Script("echo hello > /var/flyte/outputs/word"),
        beside: &[Beside::NoRights],
        end: End::NeverTried,
        cluster: Some(BY_API),
        ..BASE
    },
    Scenario {
        name: "evict",
        main: stays!(),
        act: Act::Evict,
        end: End::Stopped,
        cluster: Some(ALL),
        ..BASE
    },
    // The last try.
    Scenario {
        name: "job-retry",
        main: Main::Script(
            "echo hello > /var/flyte/outputs/word; sleep 2; \
             if [ -e /stamps/tried ]; then : > /stamps/end; exit 0; fi; \
             : > /stamps/tried; exit 7",
        ),
        act: Act::Job,
        cluster: Some(ALL),
        ..BASE
    },
    // With two of them, which both fail.
    Scenario {
        name: "job-fails",
        main: Main::Script("echo hello > /var/flyte/outputs/word; sleep 2; exit 7"),
        act: Act::Job,
        cluster: Some(ALL),
        ..BAD
    },
];

/// How the first try of a Job ends.
pub const FIRST_TRY: Scenario = Scenario {
    name: "job-first-try",
    act: Act::Job,
    cluster: Some(ALL),
    ..BAD
};
