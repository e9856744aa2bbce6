//! The settings: each value with its source, and what is odd.

use crate::doctor::facts::{Reason, SettingFacts};
use crate::doctor::{Finding, Group};

const GROUP: Group = Group::Settings;

pub(super) fn judge(settings: &Result<SettingFacts, Reason>) -> Vec<Finding> {
    let settings = match settings {
        Ok(settings) => settings,
        Err(Reason(reason)) => {
            return vec![
                Finding::fails(GROUP, "settings", reason.clone())
                    .costs("each command ends with exit code 2"),
            ];
        }
    };
    let files: Vec<String> = settings
        .files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let files = if files.is_empty() {
        "none was found".to_owned()
    } else {
        files.join(", ")
    };
    let mut findings = vec![Finding::ok(GROUP, "files", files)];
    let warnings = settings.warnings.iter();
    findings.extend(warnings.map(|warning| Finding::degraded(GROUP, "warning", warning.clone())));
    findings.extend(settings.values.iter().map(|setting| {
        let value = if setting.value.is_empty() {
            "empty"
        } else {
            &setting.value
        };
        let found = format!("{value} (from {})", setting.source);
        Finding::ok(GROUP, &setting.name, found)
    }));
    findings
}
