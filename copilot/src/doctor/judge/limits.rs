//! Limits on memory, CPU time and open files, and what transfers use within them.

use crate::doctor::facts::LimitFacts;
use crate::doctor::{Finding, Group};
use crate::transfer::ByteCount;

const GROUP: Group = Group::Limits;

const MIB: u64 = 1 << 20;

/// Below this the attach of `ebpf` and one part of a large file come near the limit: the attach reads the kernel's
/// BTF, 21 MiB for a moment, and a part has 8 MiB.
const LITTLE_MEMORY: u64 = 48 * MIB;

/// Below this a transfer waits for CPU time most of the time: a tenth of a core.
const LITTLE_CPU: u64 = 100;

/// Open files besides connections: volumes, standard streams, the watcher's maps and programs.
const OTHER_FILES: u64 = 64;

pub(super) fn judge(facts: &LimitFacts) -> Vec<Finding> {
    vec![memory(facts), budget(facts), cpu(facts), files(facts)]
}

fn memory(facts: &LimitFacts) -> Finding {
    let subject = "memory";
    match facts.memory {
        None => Finding::ok(GROUP, subject, "no limit"),
        Some(limit) if limit < LITTLE_MEMORY => {
            Finding::degraded(GROUP, subject, format!("a limit of {}", ByteCount(limit)))
                .costs("the OOM killer may end this container during the attach or a large file")
                .mend("resources: {limits: {memory: 128Mi}}")
        }
        Some(limit) => Finding::ok(GROUP, subject, format!("a limit of {}", ByteCount(limit))),
    }
}

fn budget(facts: &LimitFacts) -> Finding {
    let found = format!(
        "{} for data in flight, {} connections at most",
        ByteCount(facts.transfer.memory),
        facts.transfer.connections
    );
    let subject = "transfers";
    match facts.memory {
        Some(limit) if facts.transfer.memory > limit / 2 => {
            Finding::degraded(GROUP, subject, found)
                .costs("together with the rest of the program this may exceed the memory limit")
                .mend("a lower --max-memory, or a higher memory limit")
        }
        _ => Finding::ok(GROUP, subject, found),
    }
}

fn cpu(facts: &LimitFacts) -> Finding {
    let subject = "CPU time";
    match facts.cpu {
        None => Finding::ok(GROUP, subject, "no limit"),
        Some(limit) if limit < LITTLE_CPU => Finding::degraded(
            GROUP,
            subject,
            format!("a limit of {limit}m"),
        )
        .costs(
            "the attach and transfers wait for CPU time: main starts later, and uploads are slow",
        )
        .mend("resources: {limits: {cpu: 500m}}"),
        Some(limit) => Finding::ok(GROUP, subject, format!("a limit of {limit}m")),
    }
}

fn files(facts: &LimitFacts) -> Finding {
    let subject = "open files";
    let needed = facts.transfer.connections as u64 + OTHER_FILES;
    match facts.open_files {
        None => Finding::ok(GROUP, subject, "no limit"),
        Some(limit) if limit < needed => {
            Finding::degraded(GROUP, subject, format!("{limit} at most (ulimit -n)"))
                .costs(format!(
                    "transfers fail once {} connections are open",
                    facts.transfer.connections
                ))
                .mend("raise the hard limit of the container, or lower --max-connections")
        }
        Some(limit) => Finding::ok(GROUP, subject, format!("{limit} at most")),
    }
}
