//! A whole run: starts nodes one after the other, runs the pods of each in parallel, prints the results.

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use copilot::idl::{LiteralMap, Message as _};

use super::load::{Load, new_uid};
use super::manifest::{BUCKET, PodNames};
use super::node::{self, Kind, Node, Plan, end};
use super::options::Options;
use super::report::{self, Outcome};
use super::scenario::Case;
use super::{choice, image, judge, pod_run};
use crate::requirement::Requirement;
use crate::s3::S3Server;

/// Locked during a run: kubelet kills the processes in the cgroups of all pods that it does not know.
const LOCK: &str = "/run/lock/copilot-kubelet";

/// Set when the run was asked to stop.
static STOP: AtomicBool = AtomicBool::new(false);

/// Runs everything, and returns whether all pods passed.
pub fn run(options: &Options) -> Result<bool> {
    if !Requirement::Containers.is_met() {
        return Ok(false);
    }
    let _lock = lock()?;
    listen()?;
    let cases = choice::cases(&options.choice);
    ensure!(!cases.is_empty(), "these options leave no pod");
    let directory = options.directory.join("run");
    recreate(&directory)?;
    recreate(&options.directory.join("logs"))?;
    let (store, images) = (directory.join("store"), directory.join("images"));
    fs::create_dir_all(store.join(BUCKET))?;
    fs::create_dir_all(&images)?;
    let inputs = LiteralMap::default().encode_to_vec();
    fs::write(store.join(BUCKET).join("inputs.pb"), inputs)?;
    let store = S3Server::start(&store)?;
    let mut images = image::pack_others(&images)?;
    images.push(options.image.clone());

    let mut outcomes = Vec::new();
    let result = rounds(options, &directory, &store, &images, &cases, &mut outcomes);
    let _ = fs::remove_dir_all(&directory);
    // The results so far are printed, however the run ended.
    let good = conclude(options, &outcomes)?;
    result?;
    Ok(good)
}

/// Runs all rounds on all nodes. The results of a node are written as soon as it ends.
fn rounds(
    options: &Options,
    directory: &Path,
    store: &S3Server,
    images: &[PathBuf],
    cases: &[Case],
    outcomes: &mut Vec<Outcome>,
) -> Result<()> {
    for round in 1..=options.rounds {
        for kind in kinds(options) {
            if is_stopped() {
                bail!("stopped before all pods had run");
            }
            let plan = Plan {
                kind,
                names: options.names_of(kind, round),
                directory: directory.join(kind.name()),
                kubelet: options.kubelet.clone(),
                containerd: options.containerd.clone(),
                control_plane: options.control_plane.clone(),
                images: images.to_vec(),
            };
            let place = format!("{} {} #{round}", kind.name(), plan.names.name());
            let found = on_node(options, plan, store, cases, &place, round)?;
            println!("{}", report::line(&place, &found));
            outcomes.extend(found);
            note(options, outcomes)?;
        }
    }
    if is_stopped() {
        bail!("stopped before all pods had run");
    }
    Ok(())
}

fn note(options: &Options, outcomes: &[Outcome]) -> Result<()> {
    let Some(file) = &options.json else {
        return Ok(());
    };
    let text = report::json(outcomes).to_string();
    fs::write(file, text).with_context(|| file.display().to_string())
}

/// The kinds of nodes that are possible on this machine.
fn kinds(options: &Options) -> Vec<Kind> {
    let can = |kind: &Kind| *kind == Kind::V2 || node::has_v1();
    for kind in options.kinds.iter().filter(|kind| !can(kind)) {
        eprintln!(
            "SKIPPED: the node {} needs cgroup v1 hierarchies",
            kind.name()
        );
    }
    options.kinds.iter().copied().filter(can).collect()
}

fn conclude(options: &Options, outcomes: &[Outcome]) -> Result<bool> {
    let failed = outcomes
        .iter()
        .filter(|outcome| !outcome.wrong.is_empty())
        .count();
    print!("{}{}", report::table(outcomes), report::times(outcomes));
    note(options, outcomes)?;
    println!("{} passed, {failed} failed", outcomes.len() - failed);
    Ok(failed == 0 && !outcomes.is_empty())
}

/// Runs all cases on one node.
fn on_node(
    options: &Options,
    plan: Plan,
    store: &S3Server,
    cases: &[Case],
    place: &str,
    round: u32,
) -> Result<Vec<Outcome>> {
    eprintln!("kubelet: {place}: {} pods", cases.len());
    let node = Arc::new(Node::start(plan)?);
    let load = options.load.then(|| Load::start(&node));
    let (alone, together): (Vec<Case>, Vec<Case>) = cases.iter().partition(|case| case.is_alone());
    let done = Mutex::new(Vec::new());
    for (cases, at_once) in [(together, options.at_once), (alone, 1)] {
        let at_once = at_once.min(cases.len());
        let waiting: Mutex<VecDeque<Case>> = Mutex::new(cases.into());
        thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    while let Some(case) = next(&waiting) {
                        let Some(outcome) = one(options, &node, store, case, place, round) else {
                            return;
                        };
                        if !outcome.wrong.is_empty() {
                            println!("{}", outcome.line());
                        }
                        done.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(outcome);
                    }
                });
            }
        });
    }
    drop(load);
    // Its logs are needed only if something went wrong.
    let outcomes = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    if outcomes.iter().any(|outcome| !outcome.wrong.is_empty()) {
        let kept = keep_logs(&node, &options.directory.join("logs"), place);
        kept.unwrap_or_else(|error| eprintln!("kubelet: the node's logs are lost: {error:#}"));
    }
    Ok(outcomes)
}

fn next(waiting: &Mutex<VecDeque<Case>>) -> Option<Case> {
    if STOP.load(Ordering::Relaxed) {
        return None;
    }
    waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front()
}

/// Runs one pod; returns `None` if the run was stopped meanwhile.
fn one(
    options: &Options,
    node: &Node,
    store: &S3Server,
    case: Case,
    place: &str,
    round: u32,
) -> Option<Outcome> {
    let kind = node.plan().kind.name();
    let names = PodNames {
        pod: case.name(),
        uid: new_uid(),
        prefix: format!("{kind}/{round}/{}", case.name()),
    };
    let (evidence, logs) = pod_run::run_pod(&case, node, store, names);
    if evidence.stuck.as_deref() == Some(pod_run::CUT_OFF) {
        return None;
    }
    let mut wrong = judge::judge(&case, &evidence);
    let mut kept = None;
    if options.keep || !wrong.is_empty() {
        let folder = options.directory.join("logs").join(place.replace(' ', "-"));
        let folder = folder.join(case.name());
        match report::keep(&folder, &evidence, &logs, &wrong) {
            Ok(()) => kept = Some(folder),
            Err(error) => wrong.push(format!("its logs could not be kept: {error:#}")),
        }
    }
    let counts = judge::expected(&case) == judge::Expected::Commit
        && wrong.is_empty()
        && judge::commits_once(&case);
    let lateness = counts.then(|| evidence.lateness()).flatten();
    Some(Outcome {
        case,
        place: place.to_owned(),
        node: kind,
        wrong,
        kept,
        lateness,
    })
}

fn keep_logs(node: &Node, failed: &Path, place: &str) -> Result<()> {
    let folder = failed.join(place.replace(' ', "-"));
    fs::create_dir_all(&folder)?;
    for log in ["kubelet.log", "containerd.log", "node.log"] {
        fs::copy(node.directory().join(log), folder.join(log))?;
    }
    Ok(())
}

/// Takes the lock: only one run is possible at a time, and none on a machine with another kubelet.
fn lock() -> Result<File> {
    let path = PathBuf::from(LOCK);
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!("another run holds {}", path.display()),
        Err(TryLockError::Error(error)) => return Err(error).context("the lock"),
    }
    for top in end::tops() {
        let members = end::members(&top);
        ensure!(
            members.is_empty(),
            "processes are in {}, of a kubelet or of a run that was cut off: {members:?}",
            top.display()
        );
    }
    Ok(file)
}

/// The first Ctrl-C stops the run and cleans up: no further pod starts, and the nodes end.
fn listen() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut term) = signal(SignalKind::terminate()) else {
                return;
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
            eprintln!("kubelet: stopping; this takes a moment");
            STOP.store(true, Ordering::Relaxed);
        });
    });
    Ok(())
}

fn recreate(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| directory.display().to_string())?;
    }
    Ok(fs::create_dir_all(directory)?)
}

/// Whether the run was asked to stop.
#[must_use]
pub fn is_stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}
