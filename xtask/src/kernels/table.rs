//! The results as text for a person.

use std::fmt::Write as _;

use super::machine::Outcome;

/// A table with a row for each scenario and a column for each machine.
pub fn render(outcomes: &[Outcome]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in outcomes.iter().flat_map(|outcome| &outcome.scenarios) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut text = format!("{:width$}", "");
    for outcome in outcomes {
        let _ = write!(text, "  {:>10}", outcome.name);
    }
    for name in names {
        let _ = write!(text, "\n{name:width$}");
        for outcome in outcomes {
            let found = outcome.scenarios.iter().find(|(it, _)| it == name);
            let cell = match found {
                Some((_, None)) => "ok",
                Some((_, Some(_))) => "FAILED",
                None => "-",
            };
            let _ = write!(text, "  {cell:>10}");
        }
    }
    text.push('\n');
    for outcome in outcomes {
        let state = outcome.broken.as_deref().unwrap_or("ran to its end");
        let _ = writeln!(text, "{}: Linux {}: {state}", outcome.name, outcome.release);
    }
    text
}

/// Why scenarios failed on this machine.
pub fn failures(outcome: &Outcome) -> String {
    let mut text = String::new();
    for (name, failure) in &outcome.scenarios {
        if let Some(reason) = failure {
            let _ = writeln!(text, "kernels: {}: {name} FAILED:\n{reason}", outcome.name);
        }
    }
    text
}
