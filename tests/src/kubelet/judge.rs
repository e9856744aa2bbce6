//! Checks the results of every pod.
//!
//! | main | watcher that can see it | watcher that cannot (`signal`) |
//! | --- | --- | --- |
//! | ended well | outputs committed, exit code 0 | the same |
//! | ended badly, and left complete outputs | no commit, an error document, exit code 1, the status in the timeline | committed: it cannot know |
//! | never started, and left no outputs | no commit, an error document, exit code 1 | the same |
//! | stopped with its pod, watched by `kube-api` | no commit: kubelet reports an end only after all containers have ended | |
//! | never started, since the watcher lacks rights | no commit, exit code 2 | |

use copilot::idl::{Literal, primitive};

use super::evidence::Evidence;
use super::manifest::{HELPER, MESH, OUTPUT, SIDECAR, WORD, main_name};
use super::scenario::{Act, Beside, Case, End, Pids, Watcher};
use super::status::Container;
use super::table::cluster::FIRST_TRY;

mod api;

/// The log text of a sidecar that commits because of SIGTERM alone.
const UNSEEN: &str = "its outputs decide";

/// The exit code of a process that is killed.
const KILLED: i64 = 137;

/// What the sidecar must have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Committed the outputs, without an error document.
    Commit,
    /// Wrote an error document, and no outputs.
    Report,
    /// No outputs: the sidecar may have been killed before it could report.
    NoCommit,
    /// Nothing: its watcher lacks rights, and it said which ones.
    Refusal,
}

/// The expected result of a case.
#[must_use]
pub fn expected(case: &Case) -> Expected {
    let sees = case.watcher() != Watcher::Signal;
    if case.scenario.end == End::NeverTried {
        return Expected::Refusal;
    }
    // In a pod that is stopped the API shows main as running until all containers have ended, so the
    // sidecar cannot know whether main ended well.
    if case.watcher() == Watcher::KubeApi && case.is_stopped() {
        return match case.scenario.act {
            Act::Delete | Act::Evict => Expected::Report,
            // The API also learns late that a deadline is over, and kubelet gives the sidecar two
            // seconds if main has used up its time.
            _ => Expected::NoCommit,
        };
    }
    let by_init = case.has(Beside::InitAfter) || case.has(Beside::InitBefore);
    match case.scenario.end {
        End::Good => Expected::Commit,
        _ if sees => Expected::Report,
        End::NotStarted if !by_init => Expected::Report,
        _ => Expected::Commit,
    }
}

/// Returns the checks that failed.
#[must_use]
pub fn judge(case: &Case, evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(first) = &evidence.first_try {
        let case = Case {
            scenario: &FIRST_TRY,
            ..*case
        };
        let found = judge(&case, first).into_iter();
        wrong.extend(found.map(|wrong| format!("the first try: {wrong}")));
    }
    wrong.extend(evidence.broken.iter().cloned());
    if let Some(stuck) = &evidence.stuck {
        wrong.push(format!("stuck: {stuck}"));
    }
    // If kubelet does not confirm the scenario, it did not happen and proves nothing.
    wrong.extend(unconfirmed(case, evidence));
    wrong.extend(result(case, evidence));
    let notes = case.watcher() != Watcher::Signal
        && expected(case) != Expected::Refusal
        && !was_killed(case, evidence);
    if notes && !ended_twice(case, evidence) {
        wrong.extend(seen(case, evidence));
    }
    if case.watcher() == Watcher::KubeApi {
        wrong.extend(api::judge(case, evidence));
    }
    wrong
}

/// Whether kubelet has killed the sidecar, in a scenario in which that is allowed.
fn was_killed(case: &Case, evidence: &Evidence) -> bool {
    let sidecar = evidence.pod.container(SIDECAR);
    let code = sidecar.and_then(Container::end).map(|(code, _)| code);
    expected(case) == Expected::NoCommit && code == Some(KILLED)
}

/// If a sidecar ends while another ordinary container still runs, kubelet starts it again, and its
/// timeline is then about that second start.
fn ended_twice(case: &Case, evidence: &Evidence) -> bool {
    let sidecar = evidence.pod.container(SIDECAR);
    let restarts = sidecar.map_or(0, Container::restarts);
    restarts > u64::from(case.scenario.act == Act::KillSidecar)
}

/// Whether the last commit is also the first one: while another ordinary container still runs, the
/// sidecar is started again and again, and commits the same outputs each time.
#[must_use]
pub fn commits_once(case: &Case) -> bool {
    !case.has(Beside::OrdinaryMesh)
}

/// Checks with kubelet's status that main did what the scenario says.
fn unconfirmed(case: &Case, evidence: &Evidence) -> Option<String> {
    let main = evidence.pod.container(main_name(case));
    // For a pod that is deleted kubelet may not report how main ended.
    let (code, reason) = main.and_then(Container::end)?;
    let right = match case.scenario.end {
        End::Good => code == 0,
        End::Code(wanted) => code == i64::from(wanted),
        End::Killed | End::OutOfMemory => code == 137,
        End::Crashed => code == 139,
        End::NotStarted => code == 128,
        End::Stopped => code != 0,
        End::NeverTried => false,
    };
    let wanted = case.scenario.end;
    (!right).then(|| {
        format!("the scenario did not happen: main was to end as {wanted:?}, kubelet says {code} {reason}")
    })
}

fn result(case: &Case, evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let committed = evidence.outputs.is_some();
    let expected = expected(case);
    let code = match expected {
        Expected::Commit => {
            let word = evidence
                .outputs
                .as_ref()
                .and_then(|map| map.literals.get(OUTPUT));
            let wanted = Literal::from(primitive::Value::StringValue(WORD.to_owned()));
            if !committed {
                wrong.push("the outputs are not committed".to_owned());
            } else if word != Some(&wanted) {
                wrong.push(format!("other outputs are committed: {word:?}"));
            }
            if let Some(error) = &evidence.error {
                wrong.push(format!(
                    "an error document: {} {}",
                    error.code, error.message
                ));
            }
            0
        }
        Expected::Report | Expected::NoCommit | Expected::Refusal => {
            if committed {
                wrong.push(format!(
                    "FALSE COMMIT: outputs.pb although main ended as {:?}",
                    case.scenario.end
                ));
            }
            if evidence.error.is_none() && expected == Expected::Report {
                wrong.push("no error document".to_owned());
            }
            1 + i64::from(expected == Expected::Refusal)
        }
    };
    let sidecar = evidence.pod.container(SIDECAR);
    if let Some((found, reason)) = sidecar.and_then(Container::end)
        && found != code
        && !was_killed(case, evidence)
    {
        wrong.push(format!(
            "the sidecar ended with {found} ({reason}) instead of {code}"
        ));
    }
    wrong
}

/// Checks what a watcher that can see main has seen.
fn seen(case: &Case, evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let watcher = evidence.noted("watcher");
    if watcher != case.watcher().name() {
        wrong.push(format!(
            "watched by {watcher:?} instead of {}",
            case.watcher().name()
        ));
    }
    let end = case.scenario.end;
    if let Some(words) = words(case, reason(case, evidence).as_deref()) {
        let status = evidence.noted("status");
        if !status.starts_with(words) {
            wrong.push(format!("status {status:?} instead of {words:?}"));
        }
    }
    if matches!(end, End::NotStarted) {
        return wrong;
    }
    wrong.extend(wrong_main(case, evidence));
    if evidence.log.contains(UNSEEN) {
        wrong.push("main's end was learnt from SIGTERM only".to_owned());
    }
    wrong
}

/// Kubelet's reason for main's end.
fn reason(case: &Case, evidence: &Evidence) -> Option<String> {
    let main = evidence.pod.container(main_name(case))?;
    main.end().map(|(_, reason)| reason)
}

/// How the status in the timeline must begin, if that is known.
fn words(case: &Case, reason: Option<&str>) -> Option<&'static str> {
    match (case.scenario.end, case.watcher()) {
        // The API only shows a deletion, not other reasons for stopping a pod.
        (_, Watcher::KubeApi) if case.is_stopped() => match expected(case) {
            Expected::Report => Some("its end was not reported in time"),
            _ => None,
        },
        (End::Good, Watcher::KubeApi) => Some("exited with code 0"),
        // It only knows kubelet's reason, which may be this for any end in a container that ran out of memory.
        (_, Watcher::KubeApi) if reason == Some("OOMKilled") => Some("killed: out of memory"),
        (End::Good, _) => Some("exited with code 0"),
        (End::Code(7), _) => Some("exited with code 7"),
        (End::Code(9), _) => Some("exited with code 9"),
        (End::OutOfMemory, Watcher::Ebpf) => Some("killed: out of memory"),
        (End::Killed | End::OutOfMemory, _) => Some("killed by signal 9"),
        (End::Crashed, _) => Some("killed by signal 11"),
        (End::Stopped, _) => Some("killed by"),
        (End::NotStarted | End::NeverTried | End::Code(_), _) => None,
    }
}

/// Checks with kubelet's ids that the sidecar found the right main. A sidecar that can read neither
/// names nor paths only knows the number of a container's cgroup.
fn wrong_main(case: &Case, evidence: &Evidence) -> Option<String> {
    let id = |name: &str| {
        let container = evidence.pod.container(name).map(Container::id);
        container.filter(|id| !id.is_empty())
    };
    let main = id(main_name(case))?;
    // On a busy node the first may end before the second begins. Then only the second counts, as after an
    // init container.
    let second = second_main(case).and_then(|_| id(HELPER));
    let mut others: Vec<String> = second.iter().cloned().collect();
    // Without names the container after the downloader is main.
    if case.pids == Pids::Own {
        others.extend(id(MESH));
    }
    let found: Vec<&str> = evidence.timeline["main"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str())
        .collect();
    let is = |wanted: &str, found: &str| match evidence.cgroups.get(wanted) {
        Some(number) => found == wanted || found == format!("cgroup {number}"),
        // It ended before its cgroup was read.
        None => found == wanted || found.starts_with("cgroup "),
    };
    let is_a_main =
        |id: &&str| is(&main, id) || second.as_ref().is_some_and(|second| is(second, id));
    let right = found.iter().any(is_a_main)
        && found
            .iter()
            .all(|id| is(&main, id) || others.iter().any(|other| is(other, id)));
    (!right).then(|| format!("main is {main}, and the sidecar took for it: {found:?}"))
}

fn second_main(case: &Case) -> Option<&'static Beside> {
    let mut beside = case.scenario.beside.iter();
    beside.find(|one| matches!(one, Beside::SecondMain(_)))
}
