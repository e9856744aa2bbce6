//! The scenarios, and what must come out of each.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, anyhow};
use rustix::process::Signal;
use rustix::system::uname;

use super::init::Hierarchy;
use super::parts::LEADER_FIRST;
use super::stage::{LOCKED, Outcome, RIGHTS, Stage, Start};
use super::{PROGRAM, REPORT};
use crate::binary::wait_until;

/// How many mains of a millisecond there are: each needs a sidecar, and the machine is emulated.
const SHORT_MAINS: usize = 10;

/// The memory of the main that takes more.
const MEMORY: u64 = 32 << 20;

/// Let be, so that a few things happen in between.
const A_WHILE: Duration = Duration::from_secs(2);

/// What is told of a main that ended well, and of one whose status nobody can tell.
const GOOD: &str = "exited with code 0";
const UNKNOWN: &str = "ended (how is not known)";

type Scenario = (&'static str, fn() -> Result<()>);

/// Runs all scenarios of a hierarchy; whether all passed.
///
/// # Errors
/// None: a scenario that fails is told.
pub fn run(hierarchy: Hierarchy) -> Result<bool> {
    let scenarios = match hierarchy {
        Hierarchy::Unified => UNIFIED,
        Hierarchy::Legacy => LEGACY,
    };
    let mut good = true;
    for (name, scenario) in scenarios {
        let ended = catch_unwind(AssertUnwindSafe(scenario))
            .unwrap_or_else(|panic| Err(anyhow!("{}", words(&*panic))));
        match ended {
            Ok(()) => println!("{REPORT} pass {name}"),
            Err(error) => {
                good = false;
                println!("{REPORT} fail {name}\n{error:#}");
            }
        }
    }
    Ok(good)
}

fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words")
}

/// With cgroup2: the kernel tells everything.
const UNIFIED: &[Scenario] = &[
    ("auto finds ebpf", || well(AUTO, "ebpf", GOOD).map(drop)),
    ("exit 7", || {
        failed("exit 7", "exited with code 7", "MainFailed")
    }),
    ("SIGKILL", || {
        failed("kill -9 $$", "killed by signal 9 (SIGKILL)", "Interrupted")
    }),
    ("SIGSEGV with core dump", || {
        let status = "killed by signal 11 (SIGSEGV) (core dumped)";
        failed("ulimit -c unlimited; kill -SEGV $$", status, "MainFailed")
    }),
    ("leader thread exits first", || {
        let status = format!("exited with code {LEADER_FIRST}");
        failed(
            &format!("exec {PROGRAM} leader-first"),
            &status,
            "MainFailed",
        )
    }),
    ("out of memory", out_of_memory),
    ("main of a millisecond", short),
    ("forking main", || {
        let forks = "for i in $(seq 100); do /bin/true; (exit 9); done; exit 4";
        failed(forks, "exited with code 4", "MainFailed")
    }),
    ("main comes late", late),
    ("sidecar is killed and started again", restarted),
    ("main's child outlives it", outlived),
    ("SIGTERM while main runs", stopped),
    ("private cgroup namespace", private_cgroups),
    ("pid namespaces of their own", private_pids),
    ("64 KiB of locked memory", little_memory),
    ("64 KiB of locked memory and SYS_RESOURCE", more_memory),
    ("kernel that does not describe itself", no_btf),
];

/// With cgroup v1 only: the next rung.
const LEGACY: &[Scenario] = &[];

const EBPF: Start<'_> = Start {
    hierarchy: Hierarchy::Unified,
    through: &[],
    rights: RIGHTS,
    locked: LOCKED,
    options: &["--watcher=ebpf"],
};

/// The same, and the best watcher is taken.
const AUTO: Start<'_> = Start {
    options: &[],
    ..EBPF
};

/// A main that ends well; which watcher sees what of its end.
fn well(start: Start<'_>, watcher: &str, status: &str) -> Result<Outcome> {
    let stage = Stage::set(start)?;
    let _ = stage.main("sleep 1; echo well > word")?.ended();
    let outcome = stage.ended()?;
    outcome.committed("well")?;
    outcome.seen(watcher, status)?;
    Ok(outcome)
}

fn failed(script: &str, status: &str, code: &str) -> Result<()> {
    let stage = Stage::set(EBPF)?;
    let _ = stage.main(&format!("echo half > word; {script}"))?.ended();
    let outcome = stage.ended()?;
    outcome.reported(code)?;
    outcome.seen("ebpf", status)
}

fn out_of_memory() -> Result<()> {
    let stage = Stage::set(EBPF)?;
    stage.limit_memory(MEMORY)?;
    let _ = stage.main(&format!("exec {PROGRAM} hog"))?.ended();
    let outcome = stage.ended()?;
    outcome.reported("OOMKilled")?;
    outcome.seen("ebpf", "killed: out of memory")
}

fn short() -> Result<()> {
    for round in 0..SHORT_MAINS {
        let stage = Stage::set(EBPF)?;
        fs::write(stage.outputs().join("word"), "short")?;
        let _ = stage
            .main_in(&format!("main-{round}"), &[], "exit 0")?
            .ended();
        let outcome = stage.ended()?;
        outcome.committed("short")?;
        outcome.seen("ebpf", GOOD)?;
    }
    Ok(())
}

fn late() -> Result<()> {
    let stage = Stage::set(EBPF)?;
    sleep(A_WHILE);
    let _ = stage.main("echo late > word")?.ended();
    let outcome = stage.ended()?;
    outcome.committed("late")?;
    outcome.seen("ebpf", GOOD)
}

fn restarted() -> Result<()> {
    let stage = Stage::set(EBPF)?;
    let main = stage.main("while [ ! -e go ]; do sleep 0.1; done; echo again > word; exit 0")?;
    stage.sidecar.says("main started");
    let stage = stage.restart(EBPF)?;
    fs::write(stage.outputs().join("go"), "")?;
    let _ = main.ended();
    let outcome = stage.ended()?;
    outcome.committed("again")?;
    outcome.seen("ebpf", GOOD)
}

fn outlived() -> Result<()> {
    let start = Start {
        options: &["--watcher=ebpf", "--settle=60s"],
        ..EBPF
    };
    let stage = Stage::set(start)?;
    let _ = stage.main("(sleep 1; echo later > word) & exit 0")?.ended();
    stage.ended()?.committed("later")
}

fn stopped() -> Result<()> {
    let start = Start {
        options: &["--watcher=ebpf", "--term-wait=60s"],
        ..EBPF
    };
    let stage = Stage::set(start)?;
    let main = stage.main(
        "trap 'echo stopped > word; exit 0' TERM; touch ready; while :; do sleep 0.1; done",
    )?;
    wait_until("main traps SIGTERM", || {
        stage.outputs().join("ready").exists()
    });
    stage.sidecar.says("main started");
    stage.sidecar.signal(Signal::TERM);
    main.signal(Signal::TERM);
    let _ = main.ended();
    let outcome = stage.ended()?;
    outcome.committed("stopped")?;
    outcome.seen("ebpf", GOOD)
}

/// No file tells where the pod is: the kernel does.
fn private_cgroups() -> Result<()> {
    let start = Start {
        through: &["/bin/unshare", "--cgroup"],
        options: &["--watcher=ebpf", "--main-container=main"],
        ..EBPF
    };
    let stage = Stage::set(start)?;
    let _ = stage.main("echo hidden > word; sleep 0.5")?.ended();
    let outcome = stage.ended()?;
    outcome.committed("hidden")?;
    outcome.seen("ebpf", GOOD)
}

/// The sidecar sees nobody's `/proc` but its own, and main is pid 1 of its namespace.
fn private_pids() -> Result<()> {
    let alone = [
        "/bin/unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ];
    let start = Start {
        through: &alone,
        ..EBPF
    };
    let stage = Stage::set(start)?;
    let _ = stage
        .main_in("main", &alone, "echo alone > word; exit 0")?
        .ended();
    let outcome = stage.ended()?;
    outcome.committed("alone")?;
    outcome.seen("ebpf", GOOD)
}

/// Before 5.11 that is too little for BPF: the next rung, and the way out is told.
fn little_memory() -> Result<()> {
    let little = |start| Start {
        locked: [64, 64],
        ..start
    };
    if !is_before(5, 11) {
        return well(little(AUTO), "ebpf", GOOD).map(drop);
    }
    let way_out = ["RLIMIT_MEMLOCK", "SYS_RESOURCE"];
    well(little(AUTO), "proc", UNKNOWN)?.says(&way_out)?;
    Stage::refused(little(EBPF), &way_out)
}

fn more_memory() -> Result<()> {
    let start = Start {
        locked: [64, 64],
        rights: "+bpf,+perfmon,+sys_resource",
        ..AUTO
    };
    well(start, "ebpf", GOOD).map(drop)
}

/// From 5.14 on, starts and ends are told all the same; before, nobody's cgroup can be.
fn no_btf() -> Result<()> {
    let hide = r#"mount --bind /dev/null /sys/kernel/btf/vmlinux && exec "$@""#;
    let through = ["/bin/unshare", "--mount", "/bin/sh", "-c", hide, "hide"];
    let start = Start {
        through: &through,
        ..AUTO
    };
    let watcher = if is_before(5, 14) { "proc" } else { "ebpf" };
    well(start, watcher, UNKNOWN).map(drop)
}

/// Whether this kernel is older than a version.
fn is_before(major: u32, minor: u32) -> bool {
    let release = uname().release().to_string_lossy().into_owned();
    let mut numbers = release
        .split(['.', '-'])
        .map(|number| number.parse().unwrap_or(0));
    (numbers.next(), numbers.next()) < (Some(major), Some(minor))
}
