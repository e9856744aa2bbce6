use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::{Options, markers, run, tables};
use crate::bench::report::{Case, Report, Row, Run};

/// A folder with a document and the reports of two benches.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new(document: &str) -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(site.path("document.md"), document).unwrap();
        transfer(false).write(&site.path("transfer.json")).unwrap();
        literal().write(&site.path("literal.json")).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn document(&self) -> String {
        fs::read_to_string(self.path("document.md")).unwrap()
    }

    /// `bench report` with these files.
    fn report(&self, files: &[&str], check: bool) -> Result<(), String> {
        let options = Options {
            files: files.iter().map(|name| self.path(name)).collect(),
            check,
            document: self.path("document.md"),
        };
        run(&options).map_err(|error| format!("{error:#}"))
    }
}

/// Small files at a distance over TLS, and one program that failed.
fn transfer(part: bool) -> Report {
    let run = |wall: f64| {
        Run::new([
            ("wall_s", wall),
            ("cpu_s", wall / 2.0),
            ("peak_bytes", 8_388_608.0),
        ])
    };
    let runs = |walls: [f64; 3]| walls.map(run).to_vec();
    let mut failed = runs([1.0, 1.0, 1.0]);
    failed[2].failed = Some("killed | by the kernel".to_owned());
    let mut report = Report::begin("transfer", part, json!({"rounds": 3})).unwrap();
    report.program("copilot", "0.1.0");
    report.add(Case {
        table: "free-20ms-tls".to_owned(),
        name: "10000 × 10 KiB up".to_owned(),
        parameters: json!({
            "shape": "small", "files": 10_000, "bytes_per_file": 10_240, "direction": "up",
            "limited": false, "unsigned": false, "round_trip_us": 20_000,
            "bandwidth_bytes_per_s": null, "tls": true,
        }),
        rows: vec![
            Row::new("copilot", runs([3.0, 2.0, 9.0])),
            Row::new("bare", runs([2.5, 2.5, 2.5])),
            Row::new("s5cmd", runs([4.0, 4.0, 4.0])),
            Row::new("rclone", failed),
        ],
    });
    report
}

fn literal() -> Report {
    let row = |name, ms, peak| {
        Row::new(
            name,
            vec![Run::new([("time_ms", ms), ("peak_bytes", peak)])],
        )
    };
    let mut report = Report::begin("literal", false, json!({})).unwrap();
    report.add(Case {
        table: String::new(),
        name: "literals".to_owned(),
        parameters: json!({"bytes": 1e6}),
        rows: vec![
            row("nothing", 0.0, 1e6),
            row("decode", 5.0, 3e6),
            row("plan", 7.0, 4e6),
        ],
    });
    report
}

const DOCUMENT: &str = "# Figures\n\nWords before.\n\n<!-- bench: transfer-free-20ms-tls -->\nold\n<!-- end -->\n\n\
                        Words between.\n\n<!-- bench: literal -->\n<!-- end -->\nWords after.\n";

#[test]
fn tables_are_written_between_the_words_and_writing_is_stable() {
    let site = Site::new(DOCUMENT);
    let files = ["transfer.json", "literal.json"];
    assert!(
        site.report(&files, true).is_err(),
        "the tables are not written yet"
    );
    assert_eq!(site.document(), DOCUMENT, "a check writes nothing");
    site.report(&files, false).unwrap();
    let written = site.document();
    for line in [
        "# Figures",
        "Words before.",
        "Words between.",
        "Words after.",
        "<!-- bench: literal -->",
        "| 10000 × 10 KiB up | 3.00 / 1.50 / 8 | 2.50 / 1.25 / 8 | 4.00 / 2.00 / 8 | 1 of 3 runs: killed \\| by the kernel |",
        "| 10000 × 10 KiB up | 0.75 (at most 0.8) | **0.75** (at most 0.6) | **1.20** (at most 1.15) | 1.20 (at most 1.3) | 8 (at most 64) |",
        "| literals | plan | 7 (at most 1000) | 1.0 | 1.00 (at most 4) |",
    ] {
        assert!(
            written.lines().any(|found| found == line),
            "{line}\n{written}"
        );
    }
    assert!(!written.contains("old"), "{written}");
    site.report(&files, false).unwrap();
    assert_eq!(site.document(), written);
    // The order of the files does not matter.
    site.report(&["literal.json", "transfer.json"], true)
        .unwrap();
}

#[test]
fn a_changed_figure_is_found_by_the_check() {
    let site = Site::new(DOCUMENT);
    let files = ["transfer.json", "literal.json"];
    site.report(&files, false).unwrap();
    let changed = site.document().replace("| 3.00 /", "| 2.00 /");
    fs::write(site.path("document.md"), changed).unwrap();
    let error = site.report(&files, true).unwrap_err();
    assert!(error.contains("transfer-free-20ms-tls"), "{error}");
    assert!(
        !error.contains("literal,") && !error.contains(", literal"),
        "{error}"
    );
}

#[test]
fn a_table_without_figures_is_named_and_nothing_is_written() {
    let site = Site::new(DOCUMENT);
    for check in [false, true] {
        let error = site.report(&["literal.json"], check).unwrap_err();
        assert!(
            error.contains("transfer-free-20ms-tls: no file has figures"),
            "{error}"
        );
        assert_eq!(site.document(), DOCUMENT);
    }
}

#[test]
fn a_table_whose_runs_lack_a_figure_is_named() {
    let mut report = transfer(false);
    report.cases[0].rows[2].runs[1].figures.remove("cpu_s");
    let error = format!("{:#}", tables(&report).unwrap_err());
    for word in [
        "transfer-free-20ms-tls",
        "10000 × 10 KiB up",
        "s5cmd has no cpu_s",
    ] {
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn figures_without_a_place_are_named() {
    let site = Site::new("# Figures\n");
    let error = site.report(&["literal.json"], false).unwrap_err();
    assert!(error.contains("`<!-- bench: literal -->`"), "{error}");
}

#[test]
fn figures_of_a_part_are_refused() {
    let site = Site::new(DOCUMENT);
    transfer(true).write(&site.path("transfer.json")).unwrap();
    let error = site
        .report(&["transfer.json", "literal.json"], false)
        .unwrap_err();
    assert!(
        error.contains("transfer.json") && error.contains("--part"),
        "{error}"
    );
}

#[test]
fn two_files_for_one_table_are_refused() {
    let site = Site::new(DOCUMENT);
    let error = site
        .report(&["literal.json", "transfer.json", "literal.json"], false)
        .unwrap_err();
    assert!(
        error.contains("another file has figures of the table literal"),
        "{error}"
    );
}

#[test]
fn broken_markers_are_named() {
    let tables = BTreeMap::from([("start".to_owned(), "| |".to_owned())]);
    for (document, word) in [
        (
            "<!-- bench: start -->\nno end\n",
            "start: no line `<!-- end -->` ends it",
        ),
        (
            "<!-- bench: start -->\n<!-- bench: memory -->\n<!-- end -->\n",
            "start: no line",
        ),
        ("<!-- end -->\n", "ends no table"),
        (
            "<!-- bench: start -->\n<!-- end -->\n<!-- bench: start -->\n<!-- end -->\n",
            "start: it has two places",
        ),
    ] {
        let error = markers::fill(document, &tables).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

/// What every bench writes must have a table.
#[test]
fn a_table_that_nobody_renders_is_an_error() {
    let mut report = literal();
    report.bench = "other".to_owned();
    let error = format!("{:#}", tables(&report).unwrap_err());
    assert!(error.contains("no such table: other"), "{error}");
}
