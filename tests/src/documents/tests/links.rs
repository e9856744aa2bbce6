//! Links within the repository lead somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::documents::{Document, Part, root};

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

fn wrong(
    document: &Document,
    link: &str,
    anchors: &BTreeMap<PathBuf, BTreeSet<String>>,
) -> Option<String> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = document.path.parent().unwrap_or(Path::new(""));
    let target = match path {
        "" => document.path.clone(),
        path => plain(&folder.join(path)),
    };
    if !root().join(&target).exists() {
        return Some(format!("{link}: {} does not exist", target.display()));
    }
    if anchor.is_empty() {
        return None;
    }
    match anchors.get(&target) {
        Some(headings) if headings.contains(anchor) => None,
        Some(headings) => Some(format!("{link}: the headings are {headings:?}")),
        None => Some(format!("{link}: {} has no headings", target.display())),
    }
}

#[test]
fn every_link_within_the_repository_leads_to_a_file_and_a_heading() {
    let documents = Document::all().unwrap();
    let anchors: BTreeMap<_, _> = documents
        .iter()
        .map(|document| (document.path.clone(), document.anchors()))
        .collect();
    let mut failures = Vec::new();
    let mut count = 0;
    for document in &documents {
        for part in &document.parts {
            let Part::Link(link) = part else { continue };
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            count += 1;
            if let Some(reason) = wrong(document, link, &anchors) {
                failures.push(format!("{}: {reason}", document.path.display()));
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let document = Document::read("docs/try.md").unwrap();
    let anchors = BTreeMap::from([(document.path.clone(), document.anchors())]);
    for (link, is_wrong) in [
        ("#inputs", false),
        ("try.md#in-30-seconds", false),
        ("../README.md", false),
        ("../deploy", false),
        ("#output", true),
        ("nothing.md", true),
        ("../deploy/pod.yaml#x", true),
    ] {
        assert_eq!(
            wrong(&document, link, &anchors).is_some(),
            is_wrong,
            "{link}"
        );
    }
}
