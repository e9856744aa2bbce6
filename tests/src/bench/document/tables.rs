//! Which bench writes which table.

use anyhow::{Context as _, Result};

use crate::bench::report::{Case, Report};
use crate::bench::{detect, eager, literal, memory, start, transfer};

/// A table of the document.
#[derive(Debug)]
pub struct Table {
    /// Its name in the markers.
    pub name: String,
    /// A line about where the figures are from, and the table in Markdown.
    pub text: String,
}

type Render = fn(&[&Case]) -> Result<String>;

fn render(bench: &str, table: &str) -> Option<Render> {
    Some(match (bench, table) {
        ("detect", "exits") => detect::table::exits,
        ("detect", "crowd") => detect::table::crowd,
        ("detect", "cost") => detect::table::cost,
        ("detect", "waiting") => detect::table::waiting,
        ("eager", "") => eager::table,
        ("literal", "") => literal::table,
        ("memory", "") => memory::table,
        ("start", "ready") => start::ready_table,
        ("start", "idle") => start::idle_table,
        ("transfer", _) => transfer::table::render,
        _ => return None,
    })
}

/// The tables of a report, in the order in which they were measured.
pub fn tables(report: &Report) -> Result<Vec<Table>> {
    let mut names: Vec<&str> = Vec::new();
    for case in &report.cases {
        if !names.contains(&case.table.as_str()) {
            names.push(&case.table);
        }
    }
    let table = |table: &str| {
        let name = match table {
            "" => report.bench.clone(),
            table => format!("{}-{table}", report.bench),
        };
        let render =
            render(&report.bench, table).with_context(|| format!("no such table: {name}"))?;
        let cases: Vec<&Case> = report
            .cases
            .iter()
            .filter(|case| case.table == table)
            .collect();
        let text = render(&cases).with_context(|| format!("the table {name} lacks figures"))?;
        let text = format!("{}\n\n{text}", report.caption());
        Ok(Table { name, text })
    };
    names.into_iter().map(table).collect()
}
