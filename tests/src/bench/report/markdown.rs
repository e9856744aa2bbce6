//! Tables in Markdown.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::{Case, Row};

/// A column: its heading, and the cell of a row.
pub type Column = (&'static str, fn(&Row) -> Result<String>);

/// A table with one line for each program of each case.
pub fn rows(cases: &[&Case], columns: &[Column]) -> Result<String> {
    let heading = columns.iter().map(|(heading, _)| (*heading).to_owned());
    let mut table = Table::new(["", ""].map(str::to_owned).into_iter().chain(heading));
    for case in cases {
        for row in &case.rows {
            let mut cells = vec![case.name.clone(), row.program.clone()];
            for (_, cell) in columns {
                cells.push(cell(row).with_context(|| case.name.clone())?);
            }
            table.line(cells);
        }
    }
    Ok(table.text())
}

/// A table that is written line by line.
#[derive(Debug)]
pub struct Table(String);

impl Table {
    /// A table with this heading.
    pub fn new(heading: impl IntoIterator<Item = String>) -> Self {
        let mut table = Self(String::new());
        let count = table.line(heading);
        table.line(std::iter::repeat_n("---".to_owned(), count));
        table
    }

    /// Adds a line, and returns the number of its cells.
    pub fn line(&mut self, cells: impl IntoIterator<Item = String>) -> usize {
        self.0.push('|');
        let mut count = 0;
        for cell in cells {
            // A message of a program may contain anything.
            let cell = cell.replace('|', "\\|").replace(['\n', '\r'], " ");
            let _ = write!(self.0, " {cell} |");
            count += 1;
        }
        self.0.push('\n');
        count
    }

    /// The table.
    #[must_use]
    pub fn text(self) -> String {
        self.0
    }
}

/// A figure's median and 99th percentile, as whole numbers.
pub fn median_and_99(row: &Row, figure: &str) -> Result<String> {
    let (median, high) = (row.median(figure)?, row.percentile(figure, 99)?);
    Ok(format!("{median:.0} / {high:.0}"))
}

/// A figure's least value, median and highest value.
pub fn range(row: &Row, figure: &str) -> Result<String> {
    let at = |percent| row.percentile(figure, percent);
    Ok(format!("{:.1} / {:.1} / {:.1}", at(0)?, at(50)?, at(100)?))
}

/// The median of a number of bytes, in MiB.
pub fn mebibytes(row: &Row, figure: &str) -> Result<f64> {
    Ok(row.median(figure)? / 1_048_576.0)
}
