//! How main is watched here, and who main is.

use crate::doctor::facts::{PlaceFacts, Reason, WatcherFacts, WatchingFacts};
use crate::doctor::{Finding, Group};
use crate::track::decision::Sight;
use crate::track::watch::Glance;

use super::{place::SHARE, rights::GIVE_BPF};

const GROUP: Group = Group::Watching;

pub(super) fn judge(facts: &WatchingFacts, place: &PlaceFacts) -> Vec<Finding> {
    let mut findings = tried(facts, place);
    match &facts.glance {
        Ok(glance) => {
            findings.push(selected(facts, glance));
            findings.push(main(facts, glance, place));
        }
        Err(Reason(reason)) => {
            findings.push(Finding::fails(GROUP, "selected", reason.clone()));
        }
    }
    findings
}

/// Each watcher of `auto`, as far as it would be used.
fn tried(facts: &WatchingFacts, place: &PlaceFacts) -> Vec<Finding> {
    // The group before says why the pod is not found.
    let wants_pod = |tried: &WatcherFacts| tried.outcome.as_ref().err() == place.pod.as_ref().err();
    if place.pod.is_err() && facts.tried.iter().all(wants_pod) {
        let names: Vec<&str> = facts.tried.iter().map(|tried| tried.name).collect();
        let found = "without the pod they cannot work";
        return vec![Finding::not_checked(GROUP, names.join(", "), found)];
    }
    // What comes after the first that reads exit statuses is never used.
    let knows = facts
        .tried
        .iter()
        .position(|tried| tried.outcome == Ok(Sight::Knows));
    let used = knows.map_or(facts.tried.len(), |at| at + 1);
    facts.tried[..used].iter().map(watcher).collect()
}

fn watcher(tried: &WatcherFacts) -> Finding {
    let name = tried.name;
    match &tried.outcome {
        Ok(Sight::Knows) => Finding::ok(GROUP, name, "it works, and learns exit statuses (tried)"),
        Ok(_) => Finding::degraded(GROUP, name, "it works, and learns no exit status (tried)")
            .costs("main's outputs decide whether it succeeded"),
        Err(Reason(reason)) => Finding::degraded(GROUP, name, reason.clone()).costs(loss(name)),
    }
}

fn loss(name: &str) -> &'static str {
    match name {
        "ebpf" => {
            "main's start and end are not known within microseconds, nor whether the OOM killer ended it"
        }
        "pidfd" => "main's end is not known at once",
        _ => "main is not seen in /proc",
    }
}

fn selected(facts: &WatchingFacts, glance: &Glance) -> Finding {
    let subject = "selected";
    let wanted = facts.wanted.join(",");
    let found = format!("--watcher {wanted} takes {}", glance.watcher);
    if glance.watcher != "signal" || facts.wanted == ["signal"] {
        return Finding::ok(GROUP, subject, found);
    }
    Finding::degraded(GROUP, subject, format!("{found}: nothing here shows main"))
        .costs(
            "main's end is known from SIGTERM only, which a native sidecar gets about a second after main; its exit \
             status is not known",
        )
        .mend(format!("{GIVE_BPF}; or {SHARE}"))
}

fn main(facts: &WatchingFacts, glance: &Glance, place: &PlaceFacts) -> Finding {
    let subject = "main";
    let seen = if glance.containers.is_empty() {
        "no other container is visible now".to_owned()
    } else {
        format!("containers seen: {}", glance.containers.join(", "))
    };
    match (&glance.main, &facts.main_container) {
        (Some((names, why)), _) => {
            let certain = if glance.is_certain {
                "certain"
            } else {
                "not certain: another container may come; --main-container makes it so"
            };
            Finding::ok(
                GROUP,
                subject,
                format!("{} ({why}; {certain})", names.join(", ")),
            )
        }
        (None, Some(wanted)) if !glance.containers.is_empty() => Finding::degraded(
            GROUP,
            subject,
            format!("none of the containers is {wanted}, as --main-container says; {seen}"),
        )
        .costs("if none of that name comes, the sidecar waits until --main-start-timeout")
        .mend("correct --main-container, or leave it out"),
        (None, wanted) => {
            let rule = rule(wanted.as_deref(), place);
            Finding::not_checked(GROUP, subject, format!("{seen}; {rule}"))
        }
    }
}

/// By what main will be found.
fn rule(wanted: Option<&str>, place: &PlaceFacts) -> String {
    match wanted {
        Some(name) => format!("main will be the container {name} (--main-container)"),
        None => format!(
            "main will be the container {} or primary, else the one that mounts the output directory, else the \
             only one left",
            place.host_name
        ),
    }
}
