//! The stores: whether each answers, whether our keys count, whether the clocks agree, what `--probe` did.

use crate::doctor::facts::{AnswerFacts, ProbeStep, Reason, StoreFacts};
use crate::doctor::{Finding, Group};
use crate::store::StoreError;

const GROUP: Group = Group::Stores;

/// Seconds by which clocks may differ: S3 and Azure refuse a signature that is 15 minutes off.
const REFUSED: u64 = 900;

/// From here on the clock is worth a look, before a store refuses it.
const ODD: u64 = 60;

/// `are_set_up`: the settings can be used.
pub(super) fn judge(stores: &[StoreFacts], probed: bool, are_set_up: bool) -> Vec<Finding> {
    if !are_set_up {
        let found = "the settings cannot be used, so no store was asked";
        return vec![Finding::not_checked(GROUP, "store", found)];
    }
    if stores.is_empty() {
        let found = "no --to-output-prefix, --to-raw-output or --from-remote names one, so no store was asked";
        return vec![Finding::not_checked(GROUP, "store", found)];
    }
    stores.iter().flat_map(|store| one(store, probed)).collect()
}

fn one(store: &StoreFacts, probed: bool) -> Vec<Finding> {
    let subject = format!("{} {}", store.flag, store.reference);
    let answer = match &store.store {
        Ok(answer) => answer,
        Err(Reason(reason)) => return vec![Finding::fails(GROUP, subject, reason.clone())],
    };
    let is_prefix = store.flag != "--from-remote";
    let mut findings = vec![clock(answer), found(&subject, is_prefix, answer)];
    findings.extend(answer.probe.iter().map(step));
    if is_prefix && !probed {
        findings.push(Finding::not_checked(
            GROUP,
            format!("writing below {}", store.reference),
            "--probe writes, reads and deletes an object there",
        ));
    }
    findings
}

fn clock(answer: &AnswerFacts) -> Finding {
    let subject = format!("clock of {}", answer.endpoint);
    let Some(ahead) = answer.clock_ahead else {
        return Finding::not_checked(GROUP, subject, "the store does not tell its time");
    };
    let off = ahead.unsigned_abs();
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let differs = format!("our clock is {off} s {side} the store's");
    let remedy = "set the node's clock by NTP, or run the task on another node";
    if off >= REFUSED {
        Finding::fails(GROUP, subject, differs)
            .costs("the store refuses every signature")
            .mend(remedy)
    } else if off >= ODD {
        Finding::degraded(GROUP, subject, differs)
            .costs(format!("from {REFUSED} s on stores refuse every signature"))
            .mend(remedy)
    } else {
        Finding::ok(GROUP, subject, "ours and the store's agree")
    }
}

fn found(subject: &str, is_prefix: bool, answer: &AnswerFacts) -> Finding {
    let object = &answer.object;
    match &answer.exists {
        Ok(true) if is_prefix => Finding::ok(
            GROUP,
            subject,
            format!("the store answers; {object} of an earlier run is there, and the next run replaces it"),
        ),
        Ok(true) => Finding::ok(GROUP, subject, "the store answers, and the object is there"),
        Ok(false) if is_prefix => Finding::ok(GROUP, subject, "the store answers, and nothing is there yet"),
        Ok(false) => Finding::fails(GROUP, subject, "the store answers, and the object does not exist")
            .mend("check the reference, and that the task that writes it has run"),
        // A role that may only write gets this answer as well.
        Err(error @ StoreError::Denied { .. }) if is_prefix => {
            Finding::degraded(GROUP, subject, error.to_string()).costs(
                "a sidecar that starts again after main's end cannot compare what is there; --probe shows whether \
                 it may write",
            )
        }
        Err(error) => Finding::fails(GROUP, subject, error.to_string()),
    }
}

fn step(step: &ProbeStep) -> Finding {
    let subject = format!("probe: {} {}", step.name, step.object);
    let reason = match &step.outcome {
        Ok(()) => return Finding::ok(GROUP, subject, "done"),
        Err(Reason(reason)) => reason.clone(),
    };
    match step.name {
        "write" => Finding::fails(GROUP, subject, reason)
            .costs("no output and no error document can be written"),
        "read" => Finding::degraded(GROUP, subject, reason)
            .costs("a sidecar that starts again cannot compare what is there with main's outputs"),
        _ => Finding::degraded(
            GROUP,
            subject,
            format!("{reason}. The object of the probe stays there"),
        )
        .costs("what an earlier run left cannot be deleted, and then the run fails"),
    }
}
