//! Runs one pod from its manifest to its end, and collects its results.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::cluster::Cluster;
use super::evidence::{Evidence, Logs};
use super::manifest::{self, HELPER, MESH, PodNames, SIDECAR, main_name};
use super::node::Node;
use super::scenario::{Act, Beside, Case, End};
use super::status::{Container, Pod};
use crate::s3::S3Server;

mod job;

/// How long a pod may take, on a busy node.
const PATIENCE: Duration = Duration::from_secs(150);

/// How long a sidecar may take to become ready.
const TO_GET_READY: Duration = Duration::from_mins(1);

/// The time between two requests for the pod's status.
const LOOK: Duration = Duration::from_millis(400);

/// How long main runs before something happens to it.
const A_WHILE: Duration = Duration::from_millis(800);

/// The reason if a pod did not end because the run was asked to stop.
pub const CUT_OFF: &str = "the run was stopped";

/// A pod that runs.
struct PodRun<'a> {
    case: &'a Case,
    node: &'a Node,
    names: PodNames,
    folder: PathBuf,
    logs: Logs,
    /// The last status.
    pod: Pod,
    cgroups: BTreeMap<String, u64>,
    deadline: Instant,
    /// When the sidecar was first seen running but not ready.
    unready: Option<Instant>,
    /// The first processes of main and of the sidecar, once known.
    processes: [Option<Pid>; 2],
    /// The results of a Job's first try.
    first_try: Option<Box<Evidence>>,
}

/// Runs a case, and collects its results and the logs of its containers.
#[must_use]
pub fn run_pod(case: &Case, node: &Node, store: &S3Server, names: PodNames) -> (Evidence, Logs) {
    let folder = node.directory().join("pods").join(&names.pod);
    let mut run = PodRun {
        case,
        node,
        names,
        folder,
        logs: Logs::default(),
        pod: Pod::default(),
        cgroups: BTreeMap::new(),
        deadline: Instant::now() + PATIENCE,
        unready: None,
        processes: [None, None],
        first_try: None,
    };
    let stuck = run.all(store).err();
    let mut evidence = run.collect(store);
    evidence.stuck = stuck.map(|error| format!("{error:#}"));
    evidence.first_try = run.first_try.take();
    run.node.remove(&run.names.pod);
    (evidence, run.logs)
}

impl PodRun<'_> {
    /// Collects the results of the current pod.
    fn collect(&mut self, store: &S3Server) -> Evidence {
        let mut evidence = Evidence::collect(store, &self.names, &self.folder);
        evidence.log = self.logs.of(SIDECAR);
        evidence.pod = std::mem::take(&mut self.pod);
        evidence.cgroups = std::mem::take(&mut self.cgroups);
        evidence.caches_watches = self.node.plan().caches_watches();
        evidence
    }

    fn all(&mut self, store: &S3Server) -> Result<()> {
        for folder in ["stamps", "timeline"] {
            let path = self.folder.join(folder);
            fs::create_dir_all(&path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o777))?;
        }
        let flags = store.flags(manifest::BUCKET);
        let short = self.case.has(Beside::ShortWatches);
        let api = self.node.cluster().map(|cluster| {
            if short {
                cluster.short_port()
            } else {
                cluster.api.port()
            }
        });
        let pod = manifest::pod(self.case, &self.names, &self.folder, &flags, api);
        if self.case.scenario.act == Act::Job {
            return self.job(&pod, store);
        }
        self.names.uid = self.node.place(&self.names.pod, &pod)?;
        if self.case.scenario.end == End::NeverTried {
            return self.until("the sidecar has ended and was started again", |run| {
                let sidecar = run.pod.container(SIDECAR);
                sidecar.is_some_and(|one| one.restarts() > 1)
            });
        }
        self.act()?;
        if matches!(self.case.scenario.act, Act::Delete | Act::Evict) {
            return self.until("the processes of the deleted pod have ended", |run| {
                run.processes
                    .iter()
                    .flatten()
                    .all(|pid| test_kill_process(*pid).is_err())
            });
        }
        self.until_over()
    }

    fn until_over(&mut self) -> Result<()> {
        self.until("main and the sidecar have ended", |run| {
            let ended = |name| {
                run.pod
                    .container(name)
                    .is_some_and(|one| one.end().is_some())
            };
            run.pod.is_over() && ended(main_name(run.case)) && ended(SIDECAR)
        })
    }

    /// Makes the scenario's event happen while main runs.
    fn act(&mut self) -> Result<()> {
        if self.case.scenario.act == Act::Nothing {
            return Ok(());
        }
        let ready = self.folder.join("stamps/ready");
        self.until("main runs", |run| {
            let runs = run
                .pod
                .container(main_name(run.case))
                .is_some_and(Container::runs);
            runs && ready.exists()
        })?;
        for (which, name) in [main_name(self.case), SIDECAR].into_iter().enumerate() {
            let process = self.process(name);
            self.processes[which] = Some(process.context("a container that runs has a process")?);
        }
        thread::sleep(A_WHILE);
        match self.case.scenario.act {
            Act::Nothing | Act::Job => {}
            Act::KillMain => self.kill(0)?,
            Act::KillSidecar => {
                self.kill(1)?;
                self.until("the sidecar is back", |run| {
                    let sidecar = run.pod.container(SIDECAR);
                    sidecar.is_some_and(|one| one.restarts() > 0 && one.has_started())
                })?;
                self.let_go()?;
            }
            Act::Exec => {
                self.exec("sleep 600; exit 0")?;
                self.exec("exit 0")?;
                thread::sleep(A_WHILE);
                self.let_go()?;
            }
            Act::Delete => self.node.remove(&self.names.pod),
            Act::Evict => self.cluster()?.evict_pod(&self.names.pod)?,
            Act::RestartApi => {
                self.cluster()?.kill_api()?;
                self.cluster()?.await_api()?;
                self.let_go()?;
            }
            Act::EndWithoutApi => {
                self.cluster()?.kill_api()?;
                self.let_go()?;
                self.cluster()?.await_api()?;
            }
        }
        Ok(())
    }

    fn cluster(&self) -> Result<&'_ Cluster> {
        self.node.cluster().context("this needs an API server")
    }

    fn process(&self, name: &str) -> Option<Pid> {
        let id = self.pod.container(name)?.id();
        Pid::from_raw(self.node.first_process(&id)?)
    }

    fn kill(&self, which: usize) -> Result<()> {
        let pid = self.processes[which].context("a container that runs has a process")?;
        // A process that is killed cannot record its own last action.
        if which == 0 {
            fs::write(self.folder.join("stamps/end"), "")?;
        }
        Ok(kill_process(pid, Signal::KILL)?)
    }

    fn let_go(&self) -> Result<()> {
        Ok(fs::write(self.folder.join("stamps/go"), "")?)
    }

    /// Starts a program in main's container without waiting for it.
    fn exec(&self, script: &str) -> Result<()> {
        let id = self
            .pod
            .container(main_name(self.case))
            .context("main runs")?
            .id();
        let session = super::load::new_uid();
        let mut command = self.node.ctr("k8s.io");
        command
            .args(["task", "exec", "--detach", "--exec-id", &session, &id])
            .args(["/bin/sh", "-c", script]);
        let output = command.output()?;
        ensure!(
            output.status.success(),
            "no session: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) -> Result<()> {
        loop {
            match self.node.status() {
                // A pod that is being deleted is no longer reported.
                Ok(status) => {
                    self.pod = status
                        .pod(&self.names.uid)
                        .unwrap_or_else(|| std::mem::take(&mut self.pod));
                }
                // An API server that was restarted may need a moment.
                Err(_) if self.node.cluster().is_some() => {}
                Err(error) => return Err(error),
            }
            self.note_cgroups();
            self.logs
                .look(&self.node.directory().join("pod-logs"), &self.names.uid);
            if is_so(self) {
                return Ok(());
            }
            ensure!(!super::run::is_stopped(), CUT_OFF);
            self.check_ready()?;
            ensure!(
                Instant::now() < self.deadline,
                "never: {what}; {}",
                self.states()
            );
            thread::sleep(LOOK);
        }
    }

    /// Fails early if the sidecar does not become ready.
    fn check_ready(&mut self) -> Result<()> {
        let sidecar = self.pod.container(SIDECAR);
        if sidecar.is_none_or(|one| one.has_started() || !one.runs()) {
            self.unready = None;
            return Ok(());
        }
        let since = *self.unready.get_or_insert_with(Instant::now);
        ensure!(
            since.elapsed() < TO_GET_READY,
            "`copilot ready` has not succeeded for {TO_GET_READY:?}"
        );
        Ok(())
    }

    fn note_cgroups(&mut self) {
        for name in [main_name(self.case), HELPER, MESH] {
            let id = self
                .pod
                .container(name)
                .map(Container::id)
                .unwrap_or_default();
            if let Some(number) = (!id.is_empty()).then(|| self.node.cgroup(&id)).flatten() {
                self.cgroups.insert(id, number);
            }
        }
    }

    /// Describes the states of the containers, for a report.
    fn states(&self) -> String {
        let state = |name: &str| {
            let found = self.pod.container(name);
            format!(
                "{name}: {}",
                found.map_or_else(String::new, Container::text)
            )
        };
        let names = [SIDECAR, manifest::DOWNLOADER, main_name(self.case)];
        names.map(state).join(", ")
    }
}
