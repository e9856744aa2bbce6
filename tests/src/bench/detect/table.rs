//! The tables of this bench.

use anyhow::Result;

use super::cost;
use crate::bench::report::markdown::Table;
use crate::bench::report::markdown::{self, Column, mebibytes, median_and_99};
use crate::bench::report::{Case, Row};

/// Exits one after the other.
pub fn exits(cases: &[&Case]) -> Result<String> {
    let columns: [Column; 7] = [
        ("exits", |row| Ok(row.runs.len().to_string())),
        ("noticed µs p50 / p99", |row| {
            median_and_99(row, "noticed_us")
        }),
        ("known µs p50 / p99", |row| median_and_99(row, "known_us")),
        ("wait µs p50 / p99", |row| median_and_99(row, "waited_us")),
        ("known as ratio to wait, p50 / p99", |row| {
            ratios(row, "known_us")
        }),
        ("ahead of wait", |row| {
            #[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
            let count = row.runs.len() as f64;
            Ok(format!("{:.1} %", 100.0 * row.sum("ahead")? / count))
        }),
        ("lost events", |row| {
            Ok(format!("{:.0}", row.sum("lost_events")?))
        }),
    ];
    markdown::rows(cases, &columns)
}

/// A pod of many containers.
pub fn crowd(cases: &[&Case]) -> Result<String> {
    let columns: [Column; 3] = [
        ("told µs p50 / p99", |row| median_and_99(row, "told_us")),
        ("wait µs p50 / p99", |row| median_and_99(row, "waited_us")),
        ("ratio p50 / p99", |row| ratios(row, "told_us")),
    ];
    markdown::rows(cases, &columns)
}

fn ratios(row: &Row, figure: &str) -> Result<String> {
    let at = |percent| -> Result<f64> {
        Ok(row.percentile(figure, percent)? / row.percentile("waited_us", percent)?)
    };
    Ok(format!("{:.2} / {:.2}", at(50)?, at(99)?))
}

/// What an event costs the kernel.
pub fn cost(cases: &[&Case]) -> Result<String> {
    let heading = ["", "exec / exit ns", "an empty program's", "ratios"];
    let mut table = Table::new(heading.map(str::to_owned));
    for case in cases {
        let of = |who| -> Result<(f64, f64)> {
            let row = case.row(who)?;
            Ok((row.median("exec_ns")?, row.median("exit_ns")?))
        };
        let (ours, empty) = (of(cost::OURS)?, of(cost::EMPTY)?);
        table.line([
            case.name.clone(),
            format!("{:.0} / {:.0}", ours.0, ours.1),
            format!("{:.0} / {:.0}", empty.0, empty.1),
            format!("{:.2} / {:.2}", ours.0 / empty.0, ours.1 / empty.1),
        ]);
    }
    Ok(table.text())
}

/// What waiting costs while main runs.
pub fn waiting(cases: &[&Case]) -> Result<String> {
    let columns: [Column; 3] = [
        ("wake-ups", |row| {
            Ok(format!("{:.0}", row.median("wake_ups")?))
        }),
        ("CPU ms", |row| Ok(format!("{:.0}", row.median("cpu_ms")?))),
        ("RSS MiB", |row| {
            Ok(format!("{:.1}", mebibytes(row, "resident_bytes")?))
        }),
    ];
    markdown::rows(cases, &columns)
}
