//! What the timeline notes of main: who it was, how it was found, when it ran.

use crate::report::Timeline;
use crate::track::watch::{Ending, Watched};

/// Notes what was seen.
pub(super) fn note(watched: &Watched, timeline: &mut Timeline) {
    timeline.note("watcher", watched.watcher.as_str());
    timeline.note("reason", watched.reason.as_str());
    if let Some((containers, why)) = &watched.main {
        let names: Vec<String> = containers.iter().map(ToString::to_string).collect();
        timeline.note("main", names);
        timeline.note("main_found", why.to_string());
    }
    if let Ending::Exited(status) = watched.ending {
        timeline.note("exit_code", status.exit_code());
    }
    timeline.note("status", watched.ending.to_string());
    timeline.mark_at("attached", watched.attached);
    if let Some(started) = watched.started {
        timeline.mark_at("started", started);
    }
    if let Some(exited) = watched.exited {
        timeline.mark_at("exited", exited);
    }
    timeline.mark_at("settled", watched.settled);
}
