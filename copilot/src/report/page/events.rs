//! What happened, in words: one line for each point of the run, with its time.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::timeline::Timeline;
use super::super::words;
use super::safe;

/// Writes the list, if something happened.
pub(super) fn show(timeline: &Timeline, html: &mut String) {
    let mut events = if timeline.text("command") == Some("download") {
        of_download(timeline)
    } else {
        of_sidecar(timeline)
    };
    if timeline.text("failure").is_some() {
        let text = "The run ends with a failure.".to_owned();
        events.extend(timeline.at("ended").map(|at| (at, text)));
    }
    if events.is_empty() {
        return;
    }
    events.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    html.push_str("<h2>What happened</h2>\n<ol class=\"events\">\n");
    for (at, text) in events {
        // Writing into a string cannot fail.
        let _ = writeln!(
            html,
            "<li><span class=\"time\">{}</span><span>{}</span></li>",
            words::milliseconds(at),
            safe(&text)
        );
    }
    html.push_str("</ol>\n");
}

/// Milliseconds since the start of the process, and what happened then.
type Events = Vec<(f64, String)>;

fn of_sidecar(timeline: &Timeline) -> Events {
    let mut events = Events::new();
    let mut add = |name: &str, text: String| events.extend(timeline.at(name).map(|at| (at, text)));
    let watcher = timeline.text("watcher");
    add(
        "attached",
        match watcher {
            Some(watcher) => format!("The watcher is attached: {watcher}."),
            None => "The watcher is attached.".to_owned(),
        },
    );
    add("started", started(timeline));
    add("exited", ended(timeline));
    if timeline.at("exited").is_none() {
        let status = timeline.text("status");
        let text = status.map_or_else(
            || "The wait for main is over.".to_owned(),
            |status| format!("The wait for main is over. Main: {status}."),
        );
        add("settled", text);
    } else if took(timeline, "exited", "settled").is_some_and(|took| took >= NOTICEABLE_MS) {
        add(
            "settled",
            "Main's last processes are gone, or the wait for them is over.".to_owned(),
        );
    }
    add("uploaded", moved(timeline, "Uploaded"));
    add("committed", "The outputs are committed.".to_owned());
    events
}

fn of_download(timeline: &Timeline) -> Events {
    let mut events = Events::new();
    let mut add = |name: &str, text: String| events.extend(timeline.at(name).map(|at| (at, text)));
    add("inputs", "The inputs are read.".to_owned());
    add(
        "metadata",
        "The metadata files are in place: main may start.".to_owned(),
    );
    add("transferred", moved(timeline, "Fetched"));
    add(
        "committed",
        "The inputs are in place: main may start.".to_owned(),
    );
    add("main_over", "Main is over.".to_owned());
    events
}

/// A shorter wait is not worth a line.
const NOTICEABLE_MS: f64 = 50.0;

fn took(timeline: &Timeline, from: &str, to: &str) -> Option<f64> {
    Some(timeline.at(to)? - timeline.at(from)?)
}

/// Which container is main, and how it was found.
fn started(timeline: &Timeline) -> String {
    let names = timeline.facts().get("main").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<&str> = names.map(short).collect();
    let name = if names.is_empty() {
        String::new()
    } else {
        format!(" in container {}", names.join(", "))
    };
    let found = timeline.text("main_found");
    let found = found.map_or_else(String::new, |found| format!(" ({found})"));
    format!("Main starts{name}{found}.")
}

/// An id as people know it from their tools. The table has it whole.
fn short(container: &str) -> &str {
    let is_id = container.len() >= 32 && container.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { &container[..12] } else { container }
}

/// How main ended, and how long it ran.
fn ended(timeline: &Timeline) -> String {
    let status = timeline.text("status").unwrap_or("ended");
    match took(timeline, "started", "exited") {
        Some(took) => format!("Main ends after {}: {status}.", words::milliseconds(took)),
        None => format!("Main ends: {status}."),
    }
}

/// What was moved, how fast, and with how much trouble.
fn moved(timeline: &Timeline, verb: &str) -> String {
    let (Some(objects), Some(bytes)) = (timeline.count("objects"), timeline.count("bytes")) else {
        return format!("{verb}.");
    };
    let files = words::counted(objects, "file", "files");
    let mut text = format!("{verb} {files}, {}", words::bytes(bytes));
    if let Some(rate) = timeline.rate() {
        let _ = write!(text, ", at {rate}");
    }
    text.push('.');
    if let Some(retries) = timeline.count("retries").filter(|retries| *retries > 0) {
        let were = if retries == 1 { "was" } else { "were" };
        let requests = words::counted(retries, "request", "requests");
        let _ = write!(text, " {requests} {were} sent again.");
    }
    text
}
