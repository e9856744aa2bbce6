//! All findings together: the verdict, the text for people, and the JSON form.

use std::fmt::Write as _;

use serde::Serialize;

use super::finding::{Finding, Group, Verdict};
use crate::report::one_line;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    findings: Vec<Finding>,
}

/// The JSON form.
#[derive(Serialize)]
struct Document<'a> {
    verdict: Verdict,
    findings: &'a [Finding],
}

impl Diagnosis {
    /// These findings, by group.
    #[must_use]
    pub fn new(mut findings: Vec<Finding>) -> Self {
        // Stable: the order within a group stays.
        findings.sort_by_key(|finding| finding.group);
        Self { findings }
    }

    /// The findings, by group.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The worst verdict of all findings.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        verdicts.max().unwrap_or(Verdict::Ok).max(Verdict::Ok)
    }

    /// One line for each finding, below the heading of its group, and one line for the whole. No word from outside
    /// acts on a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut group: Option<Group> = None;
        for finding in &self.findings {
            if group != Some(finding.group) {
                group = Some(finding.group);
                text.push_str(finding.group.heading());
                text.push('\n');
            }
            text.push_str(&one_line(&line(finding)));
            text.push('\n');
        }
        text.push_str(&self.summary());
        text.push('\n');
        text
    }

    /// One JSON object: `verdict`, and `findings` with `group`, `subject`, `verdict`, `found`, `cost` and `remedy`.
    #[must_use]
    pub fn json(&self) -> String {
        let document = Document {
            verdict: self.verdict(),
            findings: &self.findings,
        };
        // Texts and names only: nothing that JSON cannot hold.
        let text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text + "\n"
    }

    fn summary(&self) -> String {
        let count = |verdict| {
            let all = self.findings.iter();
            all.filter(|finding| finding.verdict == verdict).count()
        };
        format!(
            "{}: {} ok, {} degraded, {} fail, {} not checked",
            self.verdict().word(),
            count(Verdict::Ok),
            count(Verdict::Degraded),
            count(Verdict::Fails),
            count(Verdict::NotChecked),
        )
    }
}

fn line(finding: &Finding) -> String {
    let mut line = format!(
        "  {:<11}  {}: {}",
        finding.verdict.word(),
        finding.subject,
        finding.found
    );
    // Writing into a string cannot fail.
    if let Some(cost) = &finding.cost {
        let _ = write!(line, ". Cost: {cost}");
    }
    if let Some(remedy) = &finding.remedy {
        let _ = write!(line, ". To do: {remedy}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_is_the_verdict() {
        let ok = Finding::ok(Group::Kernel, "version", "Linux 6.1");
        let degraded = Finding::degraded(Group::Kernel, "BTF", "hidden");
        let fails = Finding::fails(Group::Stores, "keys", "wrong");
        let not_checked = Finding::not_checked(Group::Stores, "store", "no prefix");
        for (findings, verdict) in [
            (vec![], Verdict::Ok),
            (vec![not_checked.clone()], Verdict::Ok),
            (vec![ok.clone(), not_checked], Verdict::Ok),
            (vec![degraded.clone(), ok.clone()], Verdict::Degraded),
            (vec![fails, degraded, ok], Verdict::Fails),
        ] {
            assert_eq!(Diagnosis::new(findings).verdict(), verdict);
        }
    }

    #[test]
    fn each_finding_is_one_line_below_the_heading_of_its_group() {
        let diagnosis = Diagnosis::new(vec![
            Finding::fails(Group::Stores, "s3://b/o", "two\nlines \x1b[2J").mend("grant it"),
            Finding::ok(Group::Kernel, "version", "Linux 6.1"),
            Finding::degraded(Group::Kernel, "BTF", "hidden").costs("no exit status"),
        ]);
        assert_eq!(
            diagnosis.text(),
            "kernel\n  \
               ok           version: Linux 6.1\n  \
               degraded     BTF: hidden. Cost: no exit status\n\
             stores\n  \
               fails        s3://b/o: two\\nlines \\u{1b}[2J. To do: grant it\n\
             fails: 1 ok, 1 degraded, 1 fail, 0 not checked\n"
        );
        let json: serde_json::Value = serde_json::from_str(&diagnosis.json()).unwrap();
        assert_eq!(json["verdict"], "fails");
        assert_eq!(json["findings"][1]["subject"], "BTF");
        assert_eq!(json["findings"][1]["group"], "kernel");
        assert_eq!(json["findings"][1]["remedy"], serde_json::Value::Null);
        assert_eq!(json["findings"][2]["verdict"], "fails");
    }
}
