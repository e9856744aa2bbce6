//! The timeline as a page that needs nothing else: no script, no other file. It is readable in light and in dark, on
//! 400 pixels, and without colours: each bar has its name and its time beside it.

use std::fmt::Write as _;

use serde_json::Value;

use super::escape::{EscapeForm, escaped};
use super::timeline::Timeline;
use super::words;

/// The parts of a run: name, the point where it begins (none: the start of the process), the point where it ends.
const PHASES: [(&str, Option<&str>, &str); 9] = [
    ("attach the watcher", None, "attached"),
    ("wait for main", Some("attached"), "started"),
    ("main runs", Some("started"), "exited"),
    ("settle", Some("exited"), "settled"),
    ("upload", Some("settled"), "uploaded"),
    ("commit", Some("uploaded"), "committed"),
    ("read the inputs", None, "inputs"),
    ("fetch the data", Some("inputs"), "transferred"),
    ("write the metadata files", Some("transferred"), "committed"),
];

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fff;--ink:#1a1a1a;--line:#767676;--bar:#1f5fbf}\
@media (prefers-color-scheme:dark){:root{--paper:#121212;--ink:#ececec;--line:#8c8c8c;--bar:#7ab0ff}}\
body{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;\
padding:1rem;overflow-wrap:anywhere}\
h1{font-size:1.25rem}h2{font-size:1.1rem}table{border-collapse:collapse;width:100%}\
th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem .3rem 0;text-align:left;vertical-align:top}\
td.time{text-align:right;white-space:nowrap}\
.track{border:1px solid var(--line);height:.7rem;margin-top:.2rem}\
.bar{background:var(--bar);height:100%;min-width:2px}";

/// The page.
#[must_use]
pub fn page(timeline: &Timeline) -> String {
    let line = safe(&timeline.line());
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>Copilot: a run</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<h1>Copilot: a run</h1>\n<p>{line}</p>\n"
    );
    phases(timeline, &mut html);
    facts(timeline, &mut html);
    html.push_str("</body>\n</html>\n");
    html
}

/// A bar for each part of the run that has a beginning and an end.
fn phases(timeline: &Timeline, html: &mut String) {
    let known: Vec<(&str, f64, f64)> = PHASES
        .iter()
        .filter_map(|(name, from, to)| {
            let begin = from.map_or(Some(0.0), |from| timeline.at(from))?;
            let end = timeline.at(to)?;
            Some((*name, begin, end.max(begin)))
        })
        .collect();
    let whole = known.iter().map(|(.., end)| *end).fold(0.0, f64::max);
    if known.is_empty() || whole <= 0.0 {
        return;
    }
    html.push_str("<h2>When</h2>\n<table>\n<tr><th>part</th><th>time</th></tr>\n");
    for (name, begin, end) in known {
        let left = begin / whole * 100.0;
        let width = (end - begin) / whole * 100.0;
        let time = words::milliseconds(end - begin);
        // Writing into a string cannot fail.
        let _ = writeln!(
            html,
            "<tr><td>{name}<div class=\"track\" aria-hidden=\"true\"><div class=\"bar\" \
             style=\"margin-left:min({left:.2}%,calc(100% - 2px));width:{width:.2}%\"></div></div></td>\
             <td class=\"time\">{time}</td></tr>"
        );
    }
    html.push_str("</table>\n");
}

/// The facts, as the object has them.
fn facts(timeline: &Timeline, html: &mut String) {
    html.push_str("<h2>What</h2>\n<table>\n<tr><th>fact</th><th>value</th></tr>\n");
    let Value::Object(object) = timeline.to_json() else {
        return;
    };
    for (name, value) in object.iter().filter(|(_, value)| !value.is_object()) {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Array(items) => items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map_or_else(|| item.to_string(), str::to_owned)
                })
                .collect::<Vec<_>>()
                .join(", "),
            other => other.to_string(),
        };
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td></tr>",
            safe(name),
            safe(&value)
        );
    }
    html.push_str("</table>\n");
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
mod tests {
    use super::*;
    use crate::track::Timestamp;

    fn timeline() -> Timeline {
        let mut timeline = Timeline::begin(Timestamp(0));
        for (name, milliseconds) in [
            ("attached", 10),
            ("started", 40),
            ("exited", 90),
            ("settled", 90),
            ("uploaded", 95),
            ("committed", 100),
        ] {
            timeline.mark_at(name, Timestamp(milliseconds * 1_000_000));
        }
        timeline.note("main", vec!["<script>alert('x')</script>\u{202e}"]);
        timeline
    }

    #[test]
    fn each_part_has_a_bar_with_its_name_and_time() {
        let page = page(&timeline());
        for word in [
            "<td>attach the watcher<div",
            "margin-left:min(10.00%,calc(100% - 2px));width:30.00%",
            "<td>main runs<div",
            "50 ms",
            "attached 10 ms · main started +30 ms",
            "prefers-color-scheme:dark",
        ] {
            assert!(page.contains(word), "{word}: {page}");
        }
        assert!(!page.contains("fetch the data"), "{page}");
    }

    #[test]
    fn the_page_runs_and_loads_nothing() {
        let page = page(&timeline());
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)"), "{page}");
        for word in [
            "<script", "http:", "https:", "url(", "src=", "href=", "\u{202e}",
        ] {
            assert!(!page.contains(word), "{word}: {page}");
        }
    }

    #[test]
    fn a_run_without_times_is_a_page_too() {
        let page = page(&Timeline::begin(Timestamp(0)));
        assert!(page.ends_with("</html>\n"));
    }
}
