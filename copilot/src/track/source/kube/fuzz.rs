//! Answers of Kubernetes' API, as a target of a fuzzer (`crate::fuzzing`).

use http::StatusCode;
use kube_core::WatchEvent;

use super::event;
use super::pod::Pod;
use super::status::exit_status;
use crate::track::ExitStatus;

/// Events, lists and refusals. What is read of them is bounded, and no failure becomes a success.
pub(crate) fn answers(data: &[u8]) {
    if let Ok(WatchEvent::Added(pod) | WatchEvent::Modified(pod)) = event::event(data) {
        check(&pod);
    }
    if let Ok(list) = event::list(data) {
        list.items.iter().for_each(check);
    }
    let status = event::failure(StatusCode::FORBIDDEN, data);
    assert!(status.message.len() + status.reason.len() <= 16 * data.len() + 64);
}

fn check(pod: &Pod) {
    let Some(status) = &pod.status else {
        return;
    };
    let statuses = status
        .container_statuses
        .iter()
        .chain(&status.init_container_statuses);
    for ended in statuses.filter_map(|status| status.state.terminated.as_ref()) {
        assert!(exit_status(ended) != ExitStatus::Code(0) || ended.exit_code == 0);
    }
}
