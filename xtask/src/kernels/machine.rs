//! An emulated machine: boots it and reads its console until it ends or until its time is over.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

/// How long a machine may run. It takes a minute on an idle host, and many minutes on a busy one.
const PATIENCE: Duration = Duration::from_mins(30);

/// How a line of the console begins that the program `guest` writes for us; its source documents the
/// rest of the line.
const REPORT: &str = "@copilot ";

/// The result of one machine.
#[derive(Debug)]
pub struct Outcome {
    /// The machine: kernel version and kind of cgroups.
    pub name: String,
    /// The kernel's full version; empty if the machine ended before it reported one.
    pub release: String,
    /// Each scenario that ended, and the reason if it failed.
    pub scenarios: Vec<(String, Option<String>)>,
    /// Why the machine did not run to its end.
    pub broken: Option<String>,
}

impl Outcome {
    /// Whether scenarios ran and all of them passed.
    pub fn is_good(&self) -> bool {
        let passed = self.scenarios.iter().all(|(_, failure)| failure.is_none());
        self.broken.is_none() && passed && !self.scenarios.is_empty()
    }
}

/// Boots a machine and waits for its end.
pub fn boot(
    name: String,
    image: &Path,
    initramfs: &Path,
    hierarchy: &str,
    log: &Path,
) -> Result<Outcome> {
    eprintln!(
        "kernels: {name}: booting; its console goes to {}",
        log.display()
    );
    let mut log = File::create(log)?;
    let mut machine = Machine(
        command(image, initramfs, hierarchy)
            .spawn()
            .context("qemu")?,
    );
    let console = machine.0.stdout.take().context("the console is a pipe")?;
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let deadline = Instant::now() + PATIENCE;
    let mut said = Console::new(name);
    let ended = loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                writeln!(log, "{line}")?;
                said.take(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    drop(machine);
    let _ = reader.join();
    Ok(said.concluded(ended))
}

fn command(image: &Path, initramfs: &Path, hierarchy: &str) -> Command {
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args([
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "max",
            "-smp",
            "2",
            "-m",
            "768",
        ])
        .args(["-nodefaults", "-no-user-config", "-no-reboot"])
        .args(["-display", "none", "-serial", "stdio"])
        .arg("-kernel")
        .arg(image)
        .arg("-initrd")
        .arg(initramfs)
        .arg("-append")
        .arg(format!(
            // The kernel itself only prints a panic, which ends the machine.
            "console=ttyS0 loglevel=1 panic=-1 rdinit=/bin/guest cgroups={hierarchy}"
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Kills the machine when it is dropped.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the console has shown so far.
struct Console {
    outcome: Outcome,
    done: bool,
    panic: Option<String>,
}

impl Console {
    fn new(name: String) -> Self {
        Self {
            outcome: Outcome {
                name,
                release: String::new(),
                scenarios: Vec::new(),
                broken: None,
            },
            done: false,
            panic: None,
        }
    }

    fn take(&mut self, line: &str) {
        if line.contains("Kernel panic") {
            self.panic = Some(line.to_owned());
        }
        let Some(report) = line.strip_prefix(REPORT) else {
            // The reason of a failure.
            if let Some((_, Some(reason))) = self.outcome.scenarios.last_mut() {
                reason.push_str(line);
                reason.push('\n');
            }
            return;
        };
        let (what, name) = report.split_once(' ').unwrap_or((report, ""));
        match what {
            "kernel" => name.clone_into(&mut self.outcome.release),
            "pass" => self.outcome.scenarios.push((name.to_owned(), None)),
            "fail" => self
                .outcome
                .scenarios
                .push((name.to_owned(), Some(String::new()))),
            "done" => self.done = true,
            _ => self.outcome.broken = Some(format!("it reported an unknown line: {line}")),
        }
        eprintln!("kernels: {}: {report}", self.outcome.name);
    }

    fn concluded(mut self, ended: bool) -> Outcome {
        let broken = match (self.panic, ended, self.done) {
            (Some(panic), ..) => Some(panic),
            (None, false, _) => Some(format!("it did not end within {PATIENCE:?}")),
            (None, true, false) => Some("it went off before all scenarios had ended".to_owned()),
            (None, true, true) => None,
        };
        self.outcome.broken = broken.or(self.outcome.broken);
        self.outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(console: &str, ended: bool) -> Outcome {
        let mut said = Console::new("5.10 v2".to_owned());
        console.lines().for_each(|line| said.take(line));
        said.concluded(ended)
    }

    #[test]
    fn a_machine_that_says_all_is_well_is_good() {
        let console = "noise\n@copilot kernel 5.10.0\n@copilot pass one\nnoise\n\
                       @copilot pass the other one\n@copilot done\nreboot: Power down";
        let outcome = outcome(console, true);
        assert!(outcome.is_good(), "{outcome:?}");
        assert_eq!(outcome.release, "5.10.0");
        let names: Vec<&str> = outcome.scenarios.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["one", "the other one"]);
    }

    #[test]
    fn whatever_else_happens_is_not() {
        let pass = "@copilot pass one\n";
        for (console, ended, word) in [
            ("@copilot pass one\n", true, "went off"),
            ("@copilot pass one\n@copilot done\n", false, "did not end"),
            (
                "@copilot pass one\n[1.0] Kernel panic - not syncing: oh\n",
                true,
                "oh",
            ),
            (
                "@copilot pass one\n@copilot dance\n@copilot done\n",
                true,
                "dance",
            ),
            ("", true, "went off"),
        ] {
            let outcome = outcome(console, ended);
            assert!(!outcome.is_good(), "{console}");
            let broken = outcome.broken.expect("it is broken");
            assert!(broken.contains(word), "{broken}");
        }
        let nothing = outcome("@copilot kernel 5.10.0\n@copilot done\n", true);
        assert!(!nothing.is_good(), "nothing was tried");
        let failed = outcome(
            &format!("{pass}@copilot fail two\nwhy\nand why\n{pass}@copilot done"),
            true,
        );
        assert!(!failed.is_good());
        assert_eq!(failed.broken, None);
        assert_eq!(failed.scenarios[1].1.as_deref(), Some("why\nand why\n"));
    }
}
