//! The parts of a run, from the points of its timeline: what the page draws, and what becomes a span.

use super::timeline::Timeline;

/// The code of a failed upload, as [`super::Failure::from_upload`] sets it.
const UPLOAD_FAILED: &str = "OutputUploadFailed";

/// A part of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Its name in a trace: `attach`, `wait`, `main`, `settle`, `upload`, `commit`, `report` of a sidecar; `inputs`,
    /// `metadata`, `transfer`, `commit`, `wait` of a download.
    pub name: &'static str,
    /// What happens in it, for people.
    pub words: &'static str,
    /// Milliseconds from the process's start to its beginning.
    pub begin_ms: f64,
    /// Milliseconds from the process's start to its end.
    pub end_ms: f64,
    /// Whether the run failed in it.
    pub is_failed: bool,
}

/// The parts of a run in the order in which they began. A part that failed ends where the run ends.
#[must_use]
pub fn phases(timeline: &Timeline) -> Vec<Phase> {
    let mut phases = Phases {
        timeline,
        found: Vec::new(),
    };
    if timeline.text("command") == Some("download") {
        phases.of_download();
    } else {
        phases.of_sidecar();
    }
    phases.found
}

struct Phases<'a> {
    timeline: &'a Timeline,
    found: Vec<Phase>,
}

impl Phases<'_> {
    fn of_sidecar(&mut self) {
        let at = |name: &str| self.timeline.at(name);
        let (attached, started, exited) = (at("attached"), at("started"), at("exited"));
        let (settled, uploaded, committed) = (at("settled"), at("uploaded"), at("committed"));
        self.add("attach", "attach the watcher", Some(0.0), attached);
        if started.is_none() && exited.is_none() {
            self.add("wait", "wait for main's end", attached, settled);
        } else {
            self.add("wait", "wait for main", attached, started);
            let from = started.or(attached);
            self.add("main", "main runs", from, exited.or(settled));
            self.add("settle", "wait for main's last processes", exited, settled);
        }
        self.add("upload", "upload", settled, uploaded);
        self.add("commit", "commit", uploaded, committed);
        match self.timeline.text("failure") {
            None => {}
            Some(UPLOAD_FAILED) if uploaded.is_some() => self.fail("commit", "commit"),
            Some(UPLOAD_FAILED) => self.fail("upload", "upload"),
            Some(_) => {
                let mut parts = self.found.iter_mut().rev();
                let of_main = parts.find(|part| matches!(part.name, "main" | "wait"));
                if let Some(part) = of_main {
                    part.is_failed = true;
                }
                let ended = self.timeline.at("ended");
                self.add("report", "report the failure", Some(self.last()), ended);
            }
        }
    }

    fn of_download(&mut self) {
        let at = |name: &str| self.timeline.at(name);
        let (inputs, metadata, transferred) = (at("inputs"), at("metadata"), at("transferred"));
        let (committed, over) = (at("committed"), at("main_over"));
        self.add("inputs", "read the inputs", Some(0.0), inputs);
        self.add("metadata", METADATA, inputs, metadata);
        self.add("transfer", DATA, metadata.or(inputs), transferred);
        if self.timeline.text("failure").is_some() {
            match (inputs, transferred) {
                (None, _) => self.fail("inputs", "read the inputs"),
                (_, None) => self.fail("transfer", DATA),
                _ => self.fail("commit", METADATA),
            }
            return;
        }
        if transferred.is_none() {
            // Main has ended and did not wait for all of it.
            self.add("transfer", DATA, metadata, at("ended"));
        }
        self.add("commit", METADATA, transferred, committed);
        self.add("wait", "wait for main's end", transferred, over);
    }

    /// Adds a part whose beginning and end are known. Main may have started before the watcher was attached: then
    /// nobody waited for it.
    fn add(&mut self, name: &'static str, words: &'static str, from: Option<f64>, to: Option<f64>) {
        let (Some(begin_ms), Some(end_ms)) = (from, to) else {
            return;
        };
        if end_ms >= begin_ms {
            self.found.push(Phase {
                name,
                words,
                begin_ms,
                end_ms,
                is_failed: false,
            });
        }
    }

    /// Adds the part in which the run failed.
    fn fail(&mut self, name: &'static str, words: &'static str) {
        let begin_ms = self.last();
        let ended = self.timeline.at("ended").unwrap_or(begin_ms);
        self.found.push(Phase {
            name,
            words,
            begin_ms,
            end_ms: ended.max(begin_ms),
            is_failed: true,
        });
    }

    /// The end of the last part.
    fn last(&self) -> f64 {
        self.found
            .iter()
            .map(|part| part.end_ms)
            .fold(0.0, f64::max)
    }
}

const METADATA: &str = "write the metadata files";
const DATA: &str = "fetch the data";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::Timestamp;

    /// The parts of a run, each as `NAME BEGIN-END`, with `!` if it failed.
    fn told(command: &str, failure: Option<&str>, points: &[(&str, u64)]) -> Vec<String> {
        let mut timeline = Timeline::begin(Timestamp(0));
        timeline.note("command", command);
        if let Some(code) = failure {
            timeline.note("failure", code);
        }
        for (name, milliseconds) in points {
            timeline.mark_at(name, Timestamp(milliseconds * 1_000_000));
        }
        let parts = phases(&timeline).into_iter().map(|part| {
            let failed = if part.is_failed { "!" } else { "" };
            format!("{} {}-{}{failed}", part.name, part.begin_ms, part.end_ms)
        });
        parts.collect()
    }

    #[test]
    fn of_a_sidecar() {
        let seen = [
            ("attached", 10),
            ("started", 40),
            ("exited", 90),
            ("settled", 91),
        ];
        let with = |more: &[(&'static str, u64)]| [&seen[..], more].concat();
        let main = ["attach 0-10", "wait 10-40", "main 40-90", "settle 90-91"];
        let (points, failure) = (with(&[("uploaded", 95), ("committed", 99)]), None);
        let more = ["upload 91-95", "commit 95-99"];
        assert_eq!(
            told("sidecar", failure, &points),
            [&main[..], &more].concat()
        );
        for (code, points, more) in [
            (
                "OutputUploadFailed",
                with(&[("ended", 97)]),
                "upload 91-97!",
            ),
            (
                "OutputUploadFailed",
                with(&[("uploaded", 95), ("ended", 97)]),
                "commit 95-97!",
            ),
        ] {
            let found = told("sidecar", Some(code), &points);
            assert_eq!(found.last().map(String::as_str), Some(more), "{found:?}");
        }
        assert_eq!(
            told("sidecar", Some("MainFailed"), &with(&[("ended", 97)])),
            [
                "attach 0-10",
                "wait 10-40",
                "main 40-90!",
                "settle 90-91",
                "report 91-97"
            ]
        );
    }

    #[test]
    fn of_a_sidecar_that_did_not_see_all() {
        for (points, expected) in [
            (
                &[("attached", 10), ("settled", 90)][..],
                &["attach 0-10", "wait 10-90"][..],
            ),
            (
                &[("attached", 10), ("started", 40), ("settled", 90)],
                &["attach 0-10", "wait 10-40", "main 40-90"],
            ),
            (
                &[("attached", 10), ("exited", 80), ("settled", 90)],
                &["attach 0-10", "main 10-80", "settle 80-90"],
            ),
            // Main ran before.
            (
                &[
                    ("attached", 10),
                    ("started", 0),
                    ("exited", 80),
                    ("settled", 80),
                ],
                &["attach 0-10", "main 0-80", "settle 80-80"],
            ),
            (&[], &[]),
        ] {
            assert_eq!(told("sidecar", None, points), expected);
        }
        assert_eq!(
            told(
                "sidecar",
                Some("MainNotStarted"),
                &[("attached", 1), ("settled", 9), ("ended", 9)]
            ),
            ["attach 0-1", "wait 1-9!", "report 9-9"]
        );
    }

    #[test]
    fn of_a_download() {
        for (failure, points, expected) in [
            (
                None,
                &[("inputs", 5), ("transferred", 50), ("committed", 52)][..],
                &["inputs 0-5", "transfer 5-50", "commit 50-52"][..],
            ),
            (
                None,
                &[
                    ("inputs", 5),
                    ("metadata", 9),
                    ("transferred", 50),
                    ("main_over", 70),
                ],
                &["inputs 0-5", "metadata 5-9", "transfer 9-50", "wait 50-70"],
            ),
            (
                None,
                &[("inputs", 5), ("metadata", 9), ("ended", 30)],
                &["inputs 0-5", "metadata 5-9", "transfer 9-30"],
            ),
            (
                Some("InputDownloadFailed"),
                &[("ended", 8)],
                &["inputs 0-8!"],
            ),
            (
                Some("InputDownloadFailed"),
                &[("inputs", 5), ("ended", 8)],
                &["inputs 0-5", "transfer 5-8!"],
            ),
            (
                Some("InputDownloadFailed"),
                &[("inputs", 5), ("transferred", 7), ("ended", 8)],
                &["inputs 0-5", "transfer 5-7", "commit 7-8!"],
            ),
        ] {
            assert_eq!(told("download", failure, points), expected);
        }
    }
}
