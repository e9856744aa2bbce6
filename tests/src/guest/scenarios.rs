//! The scenarios, and what must come out of each.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, anyhow};
use rustix::process::Signal;

use super::init::Hierarchy;
use super::parts::LEADER_FIRST;
use super::stage::{Stage, Start};
use super::{PROGRAM, REPORT};
use crate::binary::wait_until;

/// How many mains of a millisecond there are: each needs a sidecar, and the machine is emulated.
const SHORT_MAINS: usize = 10;

/// The memory of the main that takes more.
const MEMORY: u64 = 32 << 20;

/// Let be, so that a few things happen in between.
const A_WHILE: Duration = Duration::from_secs(2);

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
    ("auto finds ebpf", || {
        committed_by("ebpf", "auto", Hierarchy::Unified)
    }),
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
];

/// With cgroup v1 only: the next rung.
const LEGACY: &[Scenario] = &[];

const EBPF: Start<'_> = Start {
    through: &[],
    options: &["--watcher=ebpf"],
};

fn committed_by(watcher: &str, wanted: &str, hierarchy: Hierarchy) -> Result<()> {
    let options = ["--watcher", wanted];
    let start = Start {
        options: &options,
        ..Start::default()
    };
    let stage = Stage::set(hierarchy, start)?;
    let _ = stage.main("sleep 1; echo well > word")?.ended();
    let outcome = stage.ended()?;
    outcome.committed("well")?;
    outcome.seen(watcher, "exited with code 0")
}

fn failed(script: &str, status: &str, code: &str) -> Result<()> {
    let stage = Stage::set(Hierarchy::Unified, EBPF)?;
    let _ = stage.main(&format!("echo half > word; {script}"))?.ended();
    let outcome = stage.ended()?;
    outcome.reported(code)?;
    outcome.seen("ebpf", status)
}

fn out_of_memory() -> Result<()> {
    let stage = Stage::set(Hierarchy::Unified, EBPF)?;
    stage.limit_memory(MEMORY)?;
    let _ = stage.main(&format!("exec {PROGRAM} hog"))?.ended();
    let outcome = stage.ended()?;
    outcome.reported("OOMKilled")?;
    outcome.seen("ebpf", "killed: out of memory")
}

fn short() -> Result<()> {
    for round in 0..SHORT_MAINS {
        let stage = Stage::set(Hierarchy::Unified, EBPF)?;
        fs::write(stage.outputs().join("word"), "short")?;
        let _ = stage
            .main_in(&format!("main-{round}"), &[], "exit 0")?
            .ended();
        let outcome = stage.ended()?;
        outcome.committed("short")?;
        outcome.seen("ebpf", "exited with code 0")?;
    }
    Ok(())
}

fn late() -> Result<()> {
    let stage = Stage::set(Hierarchy::Unified, EBPF)?;
    sleep(A_WHILE);
    let _ = stage.main("echo late > word")?.ended();
    let outcome = stage.ended()?;
    outcome.committed("late")?;
    outcome.seen("ebpf", "exited with code 0")
}

fn restarted() -> Result<()> {
    let stage = Stage::set(Hierarchy::Unified, EBPF)?;
    let main = stage.main("while [ ! -e go ]; do sleep 0.1; done; echo again > word; exit 0")?;
    stage.sidecar.says("main started");
    let stage = stage.restart(EBPF)?;
    fs::write(stage.outputs().join("go"), "")?;
    let _ = main.ended();
    let outcome = stage.ended()?;
    outcome.committed("again")?;
    outcome.seen("ebpf", "exited with code 0")
}

fn outlived() -> Result<()> {
    let options = ["--watcher=ebpf", "--settle=60s"];
    let start = Start {
        options: &options,
        ..Start::default()
    };
    let stage = Stage::set(Hierarchy::Unified, start)?;
    let _ = stage.main("(sleep 1; echo later > word) & exit 0")?.ended();
    stage.ended()?.committed("later")
}

fn stopped() -> Result<()> {
    let options = ["--watcher=ebpf", "--term-wait=60s"];
    let start = Start {
        options: &options,
        ..Start::default()
    };
    let stage = Stage::set(Hierarchy::Unified, start)?;
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
    outcome.seen("ebpf", "exited with code 0")
}

/// No file tells where the pod is: the kernel does.
fn private_cgroups() -> Result<()> {
    let start = Start {
        through: &["/bin/unshare", "--cgroup"],
        options: &["--watcher=ebpf", "--main-container=main"],
    };
    let stage = Stage::set(Hierarchy::Unified, start)?;
    let _ = stage.main("echo hidden > word; sleep 0.5")?.ended();
    let outcome = stage.ended()?;
    outcome.committed("hidden")?;
    outcome.seen("ebpf", "exited with code 0")
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
        options: &["--watcher=ebpf"],
    };
    let stage = Stage::set(Hierarchy::Unified, start)?;
    let _ = stage
        .main_in("main", &alone, "echo alone > word; exit 0")?
        .ended();
    let outcome = stage.ended()?;
    outcome.committed("alone")?;
    outcome.seen("ebpf", "exited with code 0")
}
