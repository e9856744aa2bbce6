//! The scenarios, and what must come out of each.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use rustix::process::Signal;
use rustix::system::uname;

use super::fixture::{CAPABILITIES, GuestFixture, LOCKED, Start};
use super::init::Hierarchy;
use super::parts::LEADER_FIRST;
use super::{PROGRAM, REPORT};
use crate::binary::wait_until;
use crate::fixture::Outcome;

/// How many mains of a millisecond: each needs a sidecar, and the machine is emulated.
const SHORT_MAINS: usize = 10;

/// The memory limit of the main that needs more.
const MEMORY: u64 = 32 << 20;

/// A pause between two steps.
const A_WHILE: Duration = Duration::from_secs(2);

/// The status of a main that ended well, and of one whose status is unknown.
const GOOD: &str = "exited with code 0";
const UNKNOWN: &str = "ended (how is not known)";

/// A name, and a function that plays the scenario with a sidecar.
type Scenario = (&'static str, fn(Start<'_>) -> Result<()>);

/// Scenarios for both versions of cgroups.
const ALWAYS: &[Scenario] = &[
    ("auto finds ebpf", |start| {
        well(start.auto(), "ebpf", GOOD).map(drop)
    }),
    ("exit 7", |start| {
        failed(start, "exit 7", "exited with code 7", "MainFailed")
    }),
    ("SIGKILL", |start| {
        let status = "killed by signal 9 (SIGKILL)";
        failed(start, "kill -9 $$", status, "Interrupted")
    }),
    ("SIGSEGV with core dump", |start| {
        let status = "killed by signal 11 (SIGSEGV) (core dumped)";
        let script = "ulimit -c unlimited; kill -SEGV $$";
        failed(start, script, status, "MainFailed")
    }),
    ("leader thread exits first", |start| {
        let status = format!("exited with code {LEADER_FIRST}");
        let script = format!("exec {PROGRAM} leader-first");
        failed(start, &script, &status, "MainFailed")
    }),
    ("out of memory", out_of_memory),
    ("main of a millisecond", short),
    ("forking main", |start| {
        let script = "for i in $(seq 100); do /bin/true; (exit 9); done; exit 4";
        failed(start, script, "exited with code 4", "MainFailed")
    }),
    ("main comes late", late),
    ("sidecar is killed and started again", restarted),
    ("main's child outlives it", outlived),
    ("SIGTERM while main runs", stopped),
    ("pid namespaces of their own", private_pids),
    ("tree of cgroups out of sight", hidden_tree),
    ("64 KiB of locked memory", little_memory),
    ("64 KiB of locked memory and SYS_RESOURCE", more_memory),
    ("kernel that does not describe itself", no_btf),
    ("rights that are given up", given_up),
    ("pidfd without any right", pidfd),
    ("proc without any right", |start| {
        let start = Start {
            options: &["--watcher=proc"],
            ..start.unprivileged()
        };
        well(start, "proc", UNKNOWN).map(drop)
    }),
];

/// Scenarios for cgroup2 only: with cgroup v1 runtimes make no cgroup namespaces.
const UNIFIED: &[Scenario] = &[("private cgroup namespace", private_cgroups)];

/// Runs all scenarios of a hierarchy. Returns whether all passed.
///
/// # Errors
/// It reports failures, and returns no error.
pub fn run(hierarchy: Hierarchy) -> Result<bool> {
    let more = match hierarchy {
        Hierarchy::Unified => UNIFIED,
        Hierarchy::Legacy => &[],
    };
    let start = Start {
        hierarchy,
        through: &[],
        capabilities: CAPABILITIES,
        locked: LOCKED,
        options: &["--watcher=ebpf"],
    };
    let mut good = true;
    for (name, scenario) in ALWAYS.iter().chain(more) {
        let ended = catch_unwind(AssertUnwindSafe(|| scenario(start)))
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
        .unwrap_or("a panic without a message")
}

/// Plays a main that ends well. `watcher` must see its end, with this status.
fn well(start: Start<'_>, watcher: &str, status: &str) -> Result<Outcome> {
    let fixture = GuestFixture::start(start)?;
    let _ = fixture.main("sleep 1; echo well > word")?.ended();
    let outcome = fixture.outcome()?;
    outcome.assert_committed("well");
    outcome.assert_watched(watcher, status);
    Ok(outcome)
}

/// Plays a main that fails.
fn failed(start: Start<'_>, script: &str, status: &str, code: &str) -> Result<()> {
    let fixture = GuestFixture::start(start)?;
    let script = format!("echo half > word; {script}");
    let _ = fixture.main(&script)?.ended();
    let outcome = fixture.outcome()?;
    outcome.assert_reported(code, "");
    outcome.assert_watched("ebpf", status);
    Ok(())
}

fn out_of_memory(start: Start<'_>) -> Result<()> {
    let fixture = GuestFixture::start(start)?;
    fixture.limit_memory(MEMORY)?;
    let _ = fixture.main(&format!("exec {PROGRAM} hog"))?.ended();
    let outcome = fixture.outcome()?;
    outcome.assert_reported("OOMKilled", "");
    outcome.assert_watched("ebpf", "killed: out of memory");
    Ok(())
}

fn short(start: Start<'_>) -> Result<()> {
    for round in 0..SHORT_MAINS {
        let fixture = GuestFixture::start(start)?;
        fs::write(fixture.outputs().join("word"), "short")?;
        let container = format!("main-{round}");
        let _ = fixture.main_in(&container, &[], "exit 0")?.ended();
        let outcome = fixture.outcome()?;
        outcome.assert_committed("short");
        outcome.assert_watched("ebpf", GOOD);
    }
    Ok(())
}

fn late(start: Start<'_>) -> Result<()> {
    let fixture = GuestFixture::start(start)?;
    sleep(A_WHILE);
    let _ = fixture.main("echo late > word")?.ended();
    let outcome = fixture.outcome()?;
    outcome.assert_committed("late");
    outcome.assert_watched("ebpf", GOOD);
    Ok(())
}

fn restarted(start: Start<'_>) -> Result<()> {
    let fixture = GuestFixture::start(start)?;
    let main = fixture.main("while [ ! -e go ]; do sleep 0.1; done; echo again > word; exit 0")?;
    fixture.sidecar.says("main started");
    let fixture = fixture.restart(start)?;
    fs::write(fixture.outputs().join("go"), "")?;
    let _ = main.ended();
    let outcome = fixture.outcome()?;
    outcome.assert_committed("again");
    outcome.assert_watched("ebpf", GOOD);
    Ok(())
}

fn outlived(start: Start<'_>) -> Result<()> {
    let fixture = GuestFixture::start(Start {
        options: &["--watcher=ebpf", "--settle=60s"],
        ..start
    })?;
    let script = "(sleep 1; echo later > word) & exit 0";
    let _ = fixture.main(script)?.ended();
    fixture.outcome()?.assert_committed("later");
    Ok(())
}

fn stopped(start: Start<'_>) -> Result<()> {
    let fixture = GuestFixture::start(Start {
        options: &["--watcher=ebpf", "--term-wait=60s"],
        ..start
    })?;
    let main = fixture.main(
        "trap 'echo stopped > word; exit 0' TERM; touch ready; while :; do sleep 0.1; done",
    )?;
    let ready = fixture.outputs().join("ready");
    wait_until("main traps SIGTERM", || ready.exists());
    fixture.sidecar.says("main started");
    fixture.sidecar.signal(Signal::TERM);
    main.signal(Signal::TERM);
    let _ = main.ended();
    let outcome = fixture.outcome()?;
    outcome.assert_committed("stopped");
    outcome.assert_watched("ebpf", GOOD);
    Ok(())
}

/// The cgroup of the pod is in no file that the sidecar sees: only the kernel tells it.
fn private_cgroups(start: Start<'_>) -> Result<()> {
    let fixture = GuestFixture::start(Start {
        through: &["/bin/unshare", "--cgroup"],
        options: &["--watcher=ebpf", "--main-container=main"],
        ..start
    })?;
    let script = "echo hidden > word; sleep 0.5";
    let _ = fixture.main(script)?.ended();
    let outcome = fixture.outcome()?;
    outcome.assert_committed("hidden");
    outcome.assert_watched("ebpf", GOOD);
    Ok(())
}

/// The sidecar sees only its own `/proc`, and main is pid 1 of its namespace.
fn private_pids(start: Start<'_>) -> Result<()> {
    let alone = [
        "/bin/unshare",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ];
    let fixture = GuestFixture::start(Start {
        through: &alone,
        ..start
    })?;
    let script = "echo alone > word; exit 0";
    let _ = fixture.main_in("main", &alone, script)?.ended();
    let outcome = fixture.outcome()?;
    outcome.assert_committed("alone");
    outcome.assert_watched("ebpf", GOOD);
    Ok(())
}

/// As in a container without privilege: the sidecar knows its own cgroup's path, and no cgroups are mounted.
fn hidden_tree(start: Start<'_>) -> Result<()> {
    let hide = r#"umount -l /sys/fs/cgroup && exec "$@""#;
    let through = ["/bin/unshare", "--mount", "/bin/sh", "-c", hide, "hide"];
    let start = Start {
        through: &through,
        ..start
    };
    well(start, "ebpf", GOOD).map(drop)
}

/// Before 5.11 that is too little for BPF: the next watcher is selected, and the log says what to do.
fn little_memory(start: Start<'_>) -> Result<()> {
    let start = Start {
        locked: [64, 64],
        ..start
    };
    if !is_before(5, 11) {
        return well(start.auto(), "ebpf", GOOD).map(drop);
    }
    let way_out = ["RLIMIT_MEMLOCK", "SYS_RESOURCE"];
    well(start.auto(), "pidfd", UNKNOWN)?.assert_logged(&way_out);
    GuestFixture::refused(start, &way_out)
}

/// Prints what a waiting sidecar may still do, as the kernel says it. From Linux 5.19 on it updates BPF maps without
/// any capability.
fn given_up(start: Start<'_>) -> Result<()> {
    const BPF: u64 = 1 << 39;
    let fixture = GuestFixture::start(start)?;
    fixture.sidecar.says("seccomp");
    let status = fs::read_to_string(format!("/proc/{}/status", fixture.sidecar.id()))?;
    let told = ["Cap", "NoNewPrivs", "Seccomp:"];
    let is_told = |line: &&str| told.iter().any(|name| line.starts_with(name));
    status
        .lines()
        .filter(is_told)
        .for_each(|line| println!("{line}"));
    let line = |name: &str| {
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    let held = if is_before(5, 19) { BPF } else { 0 };
    for set in ["CapEff:", "CapPrm:"] {
        let found = u64::from_str_radix(&line(set), 16)?;
        ensure!(found == held, "{set} {found:x}, not {held:x}");
    }
    ensure!(line("NoNewPrivs:") == "1", "it may gain rights");
    ensure!(line("Seccomp:") == "2", "there is no filter");
    let _ = fixture.main("echo less > word")?.ended();
    let outcome = fixture.outcome()?;
    let lines = outcome.ended.stderr.lines();
    for line in lines.filter(|line| line.contains("Landlock")) {
        println!("{line}");
    }
    outcome.assert_committed("less");
    outcome.assert_watched("ebpf", GOOD);
    Ok(())
}

fn more_memory(start: Start<'_>) -> Result<()> {
    let start = Start {
        locked: [64, 64],
        capabilities: ",+bpf,+perfmon,+sys_resource",
        ..start.auto()
    };
    well(start, "ebpf", GOOD).map(drop)
}

/// Where a BPF helper tells a process's cgroups, starts and ends are known without BTF. Elsewhere the next
/// watcher is selected.
fn no_btf(start: Start<'_>) -> Result<()> {
    let hide = r#"mount --bind /dev/null /sys/kernel/btf/vmlinux && exec "$@""#;
    let through = ["/bin/unshare", "--mount", "/bin/sh", "-c", hide, "hide"];
    let start = Start {
        through: &through,
        ..start
    };
    if !is_before(6, 15) {
        let reason = ["does not learn how main ends"];
        well(start.auto(), "pidfd", "exited with code 0")?.assert_logged(&reason);
        return Ok(());
    }
    if start.hierarchy == Hierarchy::Unified && !is_before(5, 14) {
        return well(start.auto(), "ebpf", UNKNOWN).map(drop);
    }
    let reason = ["does not describe its structures", "TaskCgroups"];
    well(start.auto(), "pidfd", UNKNOWN)?.assert_logged(&reason);
    GuestFixture::refused(start, &reason)
}

/// `pidfd` tells the end on every kernel, and the status where the kernel supports that.
fn pidfd(start: Start<'_>) -> Result<()> {
    let fixture = GuestFixture::start(start.unprivileged().auto())?;
    let _ = fixture.main("sleep 1; echo half > word; exit 7")?.ended();
    let outcome = fixture.outcome()?;
    if is_before(6, 15) {
        outcome.assert_committed("half");
        outcome.assert_watched("pidfd", UNKNOWN);
        return Ok(());
    }
    outcome.assert_reported("MainFailed", "");
    outcome.assert_watched("pidfd", "exited with code 7");
    Ok(())
}

/// Whether this kernel is older than a version.
fn is_before(major: u32, minor: u32) -> bool {
    let release = uname().release().to_string_lossy().into_owned();
    let mut numbers = release
        .split(['.', '-'])
        .map(|number| number.parse().unwrap_or(0));
    (numbers.next(), numbers.next()) < (Some(major), Some(minor))
}
