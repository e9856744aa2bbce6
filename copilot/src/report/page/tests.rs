use serde_json::json;

use super::*;
use crate::track::Timestamp;

fn timeline(facts: &[(&str, serde_json::Value)], points: &[(&str, u64)]) -> Timeline {
    let mut timeline = Timeline::begin(Timestamp(0));
    for (name, milliseconds) in points {
        timeline.mark_at(name, Timestamp(milliseconds * 1_000_000));
    }
    for (name, value) in facts {
        timeline.note(name, value.clone());
    }
    timeline
}

const POINTS: [(&str, u64); 6] = [
    ("attached", 10),
    ("started", 40),
    ("exited", 90),
    ("settled", 90),
    ("uploaded", 95),
    ("committed", 100),
];

fn succeeded() -> Timeline {
    let facts = [
        ("command", json!("sidecar")),
        ("began_at", json!("2026-11-30T14:03:22.123Z")),
        ("main", json!(["<script>alert('x')</script>\u{202e}"])),
        ("main_found", json!("it mounts the output directory")),
        ("status", json!("exited with code 0")),
        ("objects", json!(14)),
        ("bytes", json!(1_048_576)),
        ("transfer_ms", json!(5.0)),
        ("retries", json!(2)),
        ("something_new", json!(7)),
    ];
    timeline(&facts, &POINTS)
}

#[track_caller]
fn has(page: &str, words: &[&str]) {
    for word in words {
        assert!(page.contains(word), "{word}: {page}");
    }
}

#[test]
fn a_run_is_told_in_words() {
    let page = page(&succeeded());
    has(
        &page,
        &[
            "<title>copilot sidecar: The outputs are committed</title>",
            "began 2026-11-30 14:03:22 UTC",
            "<h1>The outputs are committed</h1>",
            ">Main ends after 50 ms: exited with code 0.<",
            ">Uploaded 14 files, 1.0 MiB, at 200 MiB/s. 2 requests were sent again.<",
            "(it mounts the output directory).<",
            "<dt>something_new</dt><dd>7</dd>",
            "\n  &quot;since_start_ms&quot;: {\n",
        ],
    );
    assert!(
        !page.contains("class=\"failed\"") && !page.contains("fetch the data"),
        "{page}"
    );
}

#[test]
fn each_part_has_a_bar_with_its_name_and_time() {
    let page = page(&succeeded());
    has(
        &page,
        &[
            "<span>attach the watcher</span><span class=\"time\">10 ms</span>",
            "margin-left:min(10.00%,calc(100% - 3px));width:30.00%",
            "<span>main runs</span><span class=\"time\">50 ms</span>",
        ],
    );
}

#[test]
fn a_failure_is_told_first() {
    let facts = [
        ("command", json!("sidecar")),
        ("failure", json!("MainFailed")),
        ("failure_message", json!("main <exited> with code 3")),
        ("failure_recoverable", json!(false)),
    ];
    let points = [
        ("attached", 10),
        ("started", 40),
        ("exited", 90),
        ("ended", 95),
    ];
    let page = page(&timeline(&facts, &points));
    let (head, rest) = page.split_once("</header>").unwrap();
    has(
        head,
        &[
            "<header class=\"failed\">",
            "<h1>Failed: MainFailed</h1>",
            "<p>main &lt;exited&gt; with code 3</p>",
            "Another run cannot help",
        ],
    );
    has(
        rest,
        &[
            "<span>main runs · <b>failed</b></span>",
            "The run ends with a failure.",
        ],
    );
}

/// Whole in the table, and as people's tools show it in the text.
#[test]
fn the_id_of_a_container_is_short_in_a_sentence() {
    let id = "c1f1e9c0d3b6b4c6d0e2f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7";
    let page = page(&timeline(&[("main", json!([id]))], &POINTS));
    has(
        &page,
        &[
            "Main starts in container c1f1e9c0d3b6.",
            &format!("<dd>{id}</dd>"),
        ],
    );
}

#[test]
fn a_download_has_its_own_parts() {
    let points = [("inputs", 5), ("transferred", 50), ("committed", 52)];
    let page = page(&timeline(&[("command", json!("download"))], &points));
    has(
        &page,
        &[
            "<h1>The inputs are in place</h1>",
            "<span>fetch the data</span>",
        ],
    );
    assert!(!page.contains("attach the watcher"), "{page}");
}

#[test]
fn the_page_runs_and_loads_nothing() {
    let page = page(&succeeded());
    has(
        &page,
        &[
            "&lt;script&gt;alert(&#39;x&#39;)",
            "prefers-color-scheme:dark",
        ],
    );
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
