//! The facts of the run as a table for people, and the whole object for a reader who wants it exactly.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::timeline::Timeline;
use super::super::words;
use super::safe;

/// Facts and their names for people, in the order of the table.
const LABELS: [(&str, &str); 15] = [
    ("main", "Main container"),
    ("main_found", "How main was found"),
    ("status", "How main ended"),
    ("exit_code", "Exit code of main"),
    ("objects", "Files"),
    ("bytes", "Data"),
    ("transfer_ms", "Time of the transfer"),
    ("retries", "Requests sent again"),
    ("objects_early", "Files uploaded while main ran"),
    ("bytes_early", "Data uploaded while main ran"),
    ("watcher", "Watcher"),
    ("reason", "Why this watcher"),
    ("failure_origin", "Caused by"),
    ("copilot_exit_code", "Exit code of copilot"),
    ("peak_rss_bytes", "Largest memory of copilot"),
];

/// Facts that stand at the top of the page.
const ABOVE: [&str; 5] = [
    "command",
    "began_at",
    "failure",
    "failure_message",
    "failure_recoverable",
];

/// Writes the table, and the object.
pub(super) fn show(timeline: &Timeline, html: &mut String) {
    let facts = timeline.facts();
    let labelled = LABELS
        .iter()
        .filter_map(|(name, label)| Some((*name, *label, facts.get(*name)?)));
    // Those that nobody has named for people yet.
    let others = facts.iter().filter(|(name, _)| {
        let is_labelled = LABELS.iter().any(|(labelled, _)| labelled == name);
        !is_labelled && !ABOVE.contains(&name.as_str())
    });
    let others = others.map(|(name, value)| (name.as_str(), name.as_str(), value));
    let rows: Vec<_> = labelled.chain(others).collect();
    if !rows.is_empty() {
        html.push_str("<h2>Numbers</h2>\n<dl>\n");
        for (name, label, value) in rows {
            let value = safe(&shown(name, value));
            // Writing into a string cannot fail.
            let _ = writeln!(html, "<dt>{}</dt><dd>{value}</dd>", safe(label));
        }
        html.push_str("</dl>\n");
    }
    let object = format!("{:#}", timeline.to_json());
    let lines: Vec<String> = object.lines().map(safe).collect();
    let _ = writeln!(
        html,
        "<details>\n<summary>timeline.json</summary>\n<pre>{}</pre>\n</details>",
        lines.join("\n")
    );
}

/// A value for people, by the unit in its name.
fn shown(name: &str, value: &Value) -> String {
    let count = value.as_u64();
    let is_bytes = name == "bytes" || name.starts_with("bytes_") || name.ends_with("_bytes");
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items = items.iter().map(|item| {
                let text = item.as_str().map(str::to_owned);
                text.unwrap_or_else(|| item.to_string())
            });
            items.collect::<Vec<_>>().join(", ")
        }
        _ if name.ends_with("_ms") => {
            let time = value.as_f64().map(words::milliseconds);
            time.unwrap_or_else(|| value.to_string())
        }
        _ if is_bytes => match count {
            Some(count) if count >= 1024 => {
                format!("{} ({} bytes)", words::bytes(count), grouped(count))
            }
            Some(count) => words::bytes(count),
            None => value.to_string(),
        },
        _ => count.map_or_else(|| value.to_string(), grouped),
    }
}

/// Digits in groups of three, with a space that does not break the line.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::shown;

    #[test]
    fn values_have_the_unit_of_their_name() {
        for (name, value, expected) in [
            ("objects", json!(12_345), "12\u{a0}345"),
            ("bytes", json!(999), "999 bytes"),
            (
                "bytes",
                json!(2_254_857_830_u64),
                "2.1 GiB (2\u{a0}254\u{a0}857\u{a0}830 bytes)",
            ),
            ("bytes_early", json!(2048), "2.0 KiB (2\u{a0}048 bytes)"),
            ("transfer_ms", json!(9800.0), "9.8 s"),
            ("main", json!(["a", "b"]), "a, b"),
            ("exit_code", json!(-1), "-1"),
            ("anything", json!(true), "true"),
        ] {
            assert_eq!(shown(name, &value), expected, "{name}");
        }
    }
}
