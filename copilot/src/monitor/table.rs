//! The containers of the watched pods as a table, for a terminal. Pure.

use std::time::Duration;

use super::line::job_name;
use crate::report::one_line;
use crate::track::Timestamp;
use crate::track::tracker::ContainerOverview;

/// Letters of an id that are shown: enough to tell containers apart.
const ID_LETTERS: usize = 12;

/// The widest column.
const WIDEST: usize = 48;

const HEADINGS: [&str; 6] = ["CONTAINER", "ID", "PROGRAM", "PID", "STATE", "MAIN"];

/// The table of these pods, each with its containers. `now` is the moment until which a container has run.
#[must_use]
pub fn table(pods: &[(Option<String>, Vec<ContainerOverview>)], now: Timestamp) -> String {
    let mut text = String::new();
    for (name, containers) in pods {
        if let Some(name) = name {
            text.push_str(&one_line(name));
            text.push('\n');
        }
        let rows: Vec<[String; 6]> = containers.iter().map(|it| row(it, now)).collect();
        text.push_str(&aligned(&rows));
    }
    text
}

fn row(container: &ContainerOverview, now: Timestamp) -> [String; 6] {
    let id: String = container.id.as_str().chars().take(ID_LETTERS).collect();
    let program = match container.job {
        Some(job) => job_name(Some(job)).to_owned(),
        None => container.program.clone().unwrap_or_default(),
    };
    let main = match (container.is_main, container.is_own) {
        (true, _) => "main",
        (false, true) => "(we)",
        (false, false) => "",
    };
    let name = container.name.clone().unwrap_or_else(|| "?".to_owned());
    let pid = container
        .first
        .map_or_else(String::new, |first| first.to_string());
    let cells = [
        name,
        id,
        program,
        pid,
        state(container, now),
        main.to_owned(),
    ];
    cells.map(|cell| cut(&one_line(&cell)))
}

fn state(container: &ContainerOverview, now: Timestamp) -> String {
    match (container.began, container.ended) {
        (Some(began), Some((status, at))) => format!("{status} after {}", time(at.since(began))),
        (None, Some((status, _))) => status.to_string(),
        (Some(began), None) => format!("runs since {}", time(now.since(began))),
        (None, None) => "is being made, or runs already".to_owned(),
    }
}

fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{:.1} s", time.as_secs_f64()),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn aligned(rows: &[[String; 6]]) -> String {
    let headings = HEADINGS.map(str::to_owned);
    let all = || std::iter::once(&headings).chain(rows);
    let width = |column: usize| {
        all()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let mut text = String::new();
    for row in all() {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::{ContainerId, ExitStatus, Job, ProcessId};

    #[test]
    fn each_container_has_a_row() {
        let container = |name: &str| ContainerOverview {
            id: ContainerId::new(&name.repeat(20)),
            name: Some(name.to_owned()),
            program: None,
            job: None,
            first: None,
            began: None,
            ended: None,
            is_main: false,
            is_own: false,
        };
        let second = 1_000_000_000;
        let main = ContainerOverview {
            first: Some(ProcessId { started: 1, pid: 7 }),
            program: Some("train\x1b[2J".to_owned()),
            began: Some(Timestamp(second)),
            ended: Some((ExitStatus::Code(3), Timestamp(63 * second))),
            is_main: true,
            ..container("main")
        };
        let ours = ContainerOverview {
            job: Some(Job::Sidecar),
            began: Some(Timestamp(0)),
            is_own: true,
            ..container("uploader")
        };
        let pods = [(Some("pod-1".to_owned()), vec![main, ours, container("x")])];
        let text = table(&pods, Timestamp(2 * second));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "pod-1");
        assert!(
            lines[1].starts_with("CONTAINER  ID            PROGRAM"),
            "{text}"
        );
        for words in [
            "main  ",
            "train\\u{1b}[2J",
            "7 ",
            "exited with code 3 after 1 min 2 s",
            "  main",
        ] {
            assert!(lines[2].contains(words), "{words}: {text}");
        }
        assert!(
            lines[3].contains("copilot sidecar") && lines[3].ends_with("(we)"),
            "{text}"
        );
        assert!(lines[3].contains("runs since 2.0 s"), "{text}");
        assert!(lines[4].contains("is being made"), "{text}");
    }
}
