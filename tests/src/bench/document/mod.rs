//! `bench report`: writes the tables of a document from the JSON of benches, and checks them.
//!
//! The tables are between markers, so the words around them stay. Either all tables are written or none: a
//! table whose figures no file has, and figures that have no place, are errors that name them.

mod markers;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use super::report::Report;

pub use self::tables::{Table, tables};

/// Where the JSON files of the document's tables are.
const FIGURES: &str = "docs/figures";

/// What to write.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Files that benches wrote with --json; without one, all of docs/figures
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Writes nothing, and fails if the document's tables are not those of the files
    #[arg(long)]
    check: bool,
    /// The document
    #[arg(long, value_name = "FILE", default_value = "docs/performance.md")]
    document: PathBuf,
}

/// Writes the tables of the document, or checks them.
pub fn run(options: &Options) -> Result<()> {
    let files = if options.files.is_empty() {
        json_files(Path::new(FIGURES))?
    } else {
        options.files.clone()
    };
    let found = collect(&files)?;
    let name = options.document.display();
    let old = fs::read_to_string(&options.document)
        .with_context(|| format!("{name} cannot be read; run it in the repository's root"))?;
    let new = markers::fill(&old, &found).with_context(|| format!("{name} is as it was"))?;
    let count = found.len();
    if options.check {
        let differing = markers::differing(&old, &new);
        ensure!(
            differing.is_empty(),
            "{name}: not the tables of the files: {}. `cargo xtask bench report` writes them",
            differing.join(", ")
        );
        println!("{name}: {count} tables, all of them those of the files");
        return Ok(());
    }
    if new != old {
        fs::write(&options.document, new).with_context(|| format!("{name} cannot be written"))?;
    }
    println!("{name}: {count} tables are written");
    Ok(())
}

/// The tables of all files by name.
fn collect(files: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for file in files {
        let report = Report::read(file)?;
        let name = file.display();
        if report.part {
            bail!("{name}: it was written with --part, so its figures mean nothing");
        }
        for table in tables(&report).with_context(|| name.to_string())? {
            if found.insert(table.name.clone(), table.text).is_some() {
                bail!(
                    "{name}: another file has figures of the table {}, too",
                    table.name
                );
            }
        }
    }
    Ok(found)
}

/// The JSON files of a folder, in the order of their names.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| {
        format!(
            "{} cannot be read; name the files, or run it in the repository's root",
            folder.display()
        )
    })?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests;
