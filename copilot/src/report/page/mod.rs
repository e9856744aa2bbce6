//! The timeline as a page that needs nothing else: no script, no other file.
//!
//! First how the run ended, then what happened in words (`events`), a bar for each part of it, and the numbers
//! (`figures`). It is readable in light and in dark, on 400 pixels, on paper, and without colours: a bar is a border,
//! and its name, its time and the word `failed` stand beside it. Pure. Never here: what a part is (`phases`). Caller:
//! `command`, which writes it.

mod events;
mod figures;
mod style;

use std::fmt::Write as _;

use self::style::STYLE;
use super::escape::{EscapeForm, escaped};
use super::phases::{Phase, phases};
use super::timeline::Timeline;
use super::words;

/// The page.
#[must_use]
pub fn page(timeline: &Timeline) -> String {
    let title = match timeline.text("command") {
        Some(command) => format!("copilot {}", safe(command)),
        None => "copilot".to_owned(),
    };
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title}: {}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n",
        safe(&outcome(timeline))
    );
    head(&title, timeline, &mut html);
    events::show(timeline, &mut html);
    bars(&phases(timeline), &mut html);
    figures::show(timeline, &mut html);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// How the run ended, in a few words.
fn outcome(timeline: &Timeline) -> String {
    if let Some(code) = timeline.text("failure") {
        return format!("Failed: {code}");
    }
    let is_committed = timeline.at("committed").is_some();
    let is_fetched = is_committed || timeline.at("transferred").is_some();
    match timeline.text("command") {
        Some("download") if is_fetched => "The inputs are in place",
        Some("sidecar") if is_committed => "The outputs are committed",
        _ => "Done",
    }
    .to_owned()
}

/// The outcome; after a failure also what to know about it.
fn head(title: &str, timeline: &Timeline, html: &mut String) {
    let began = timeline.text("began_at").map(day_and_time);
    let began = began.map_or_else(String::new, |began| format!(" · began {}", safe(&began)));
    let is_failed = timeline.text("failure").is_some();
    let class = if is_failed { "failed" } else { "done" };
    let outcome = safe(&outcome(timeline));
    // Writing into a string cannot fail.
    let _ = write!(
        html,
        "<header class=\"{class}\">\n<p class=\"quiet\">{title}{began}</p>\n<h1>{outcome}</h1>\n"
    );
    if let Some(message) = timeline.text("failure_message") {
        let _ = writeln!(html, "<p>{}</p>", safe(message));
    }
    let retry = timeline.facts().get("failure_recoverable");
    if let Some(may_help) = retry.and_then(serde_json::Value::as_bool) {
        let words = if may_help {
            "The platform may run the task again."
        } else {
            "Another run cannot help: the platform does not run the task again."
        };
        let _ = writeln!(html, "<p class=\"quiet\">{words}</p>");
    }
    html.push_str("</header>\n");
}

/// `2026-11-30T14:03:22.123Z` as `2026-11-30 14:03:22 UTC`.
fn day_and_time(text: &str) -> String {
    let whole = text.trim_end_matches('Z');
    let whole = whole.split_once('.').map_or(whole, |(whole, _)| whole);
    format!("{} UTC", whole.replacen('T', " ", 1))
}

/// A bar for each part of the run, where it lies in the whole.
fn bars(phases: &[Phase], html: &mut String) {
    let whole = phases.iter().map(|part| part.end_ms).fold(0.0, f64::max);
    if whole <= 0.0 {
        return;
    }
    html.push_str("<h2>How long it took</h2>\n<ul class=\"bars\">\n");
    for part in phases {
        let took = part.end_ms - part.begin_ms;
        let left = part.begin_ms / whole * 100.0;
        let width = took / whole * 100.0;
        let (class, failed) = if part.is_failed {
            (" failed", " · <b>failed</b>")
        } else {
            ("", "")
        };
        let _ = writeln!(
            html,
            "<li{}><span>{}{failed}</span><span class=\"time\">{}</span><div class=\"track\" \
             aria-hidden=\"true\"><div class=\"bar{class}\" \
             style=\"margin-left:min({left:.2}%,calc(100% - 3px));width:{width:.2}%\"></div></div></li>",
            if part.is_failed {
                " class=\"failed\""
            } else {
                ""
            },
            part.words,
            words::milliseconds(took)
        );
    }
    html.push_str("</ul>\n");
}

/// Text from outside, such that it is only text in a page.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in escaped(text, EscapeForm::Plain).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
