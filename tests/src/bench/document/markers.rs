//! Finds the places of tables in a document, and fills them. Pure.
//!
//! A place begins with the line `<!-- bench: NAME -->` and ends with the line `<!-- end -->`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

const END: &str = "<!-- end -->";

/// The name of the place that begins with this line.
fn begins(line: &str) -> Option<&str> {
    let name = line
        .trim()
        .strip_prefix("<!-- bench:")?
        .strip_suffix("-->")?;
    Some(name.trim())
}

/// A part of a document.
enum Part<'a> {
    /// A line outside of places.
    Line(&'a str),
    /// A place: its name, its first line, what is in it.
    Place(&'a str, &'a str, String),
}

/// Takes a document apart. Returns what is wrong with its markers, too.
fn parts(document: &str) -> (Vec<Part<'_>>, Vec<String>) {
    let (mut parts, mut wrong) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    let mut lines = document.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let Some(name) = begins(line) else {
            if line.trim() == END {
                wrong.push(format!("a line `{END}` ends no table"));
            }
            parts.push(Part::Line(line));
            continue;
        };
        if !seen.insert(name) {
            wrong.push(format!("{name}: it has two places"));
        }
        let mut content = String::new();
        loop {
            match lines.next() {
                Some(line) if line.trim() == END => break,
                Some(line) if begins(line).is_none() => content.push_str(line),
                _ => {
                    wrong.push(format!("{name}: no line `{END}` ends it"));
                    return (parts, wrong);
                }
            }
        }
        parts.push(Part::Place(name, line, content));
    }
    (parts, wrong)
}

/// The document with these tables, by name, in their places. The error names every table that lacks figures
/// or a place.
pub fn fill(document: &str, tables: &BTreeMap<String, String>) -> Result<String> {
    let (parts, mut wrong) = parts(document);
    let mut unplaced: BTreeSet<&str> = tables.keys().map(String::as_str).collect();
    let mut filled = String::new();
    for part in parts {
        match part {
            Part::Line(line) => filled.push_str(line),
            Part::Place(name, first, _) => {
                unplaced.remove(name);
                match tables.get(name) {
                    Some(table) => {
                        for piece in [first, "\n", table.trim_end(), "\n\n", END, "\n"] {
                            filled.push_str(piece);
                        }
                    }
                    None => wrong.push(format!("{name}: no file has figures of this table")),
                }
            }
        }
    }
    if wrong.is_empty() {
        wrong.extend(unplaced.iter().map(|name| {
            format!("{name}: the document has no place for this table. Add the lines `<!-- bench: {name} -->` and `{END}`")
        }));
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(filled)
}

/// The names of the tables that differ in two versions of a document.
pub fn differing(old: &str, new: &str) -> Vec<String> {
    let places = |document| -> BTreeMap<String, String> {
        let parts = parts(document).0.into_iter();
        let places = parts.filter_map(|part| match part {
            Part::Place(name, _, content) => Some((name.to_owned(), content)),
            Part::Line(_) => None,
        });
        places.collect()
    };
    let (old, new) = (places(old), places(new));
    let names = new
        .iter()
        .filter(|(name, content)| old.get(*name) != Some(content));
    names.map(|(name, _)| name.clone()).collect()
}
