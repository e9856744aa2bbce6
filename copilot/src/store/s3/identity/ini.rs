//! The format of AWS's profile files: sections of `name = value` lines. Caller: `profile`.

use std::collections::BTreeMap;

/// A section's settings, names in lower case.
pub(super) type Section = BTreeMap<String, String>;

/// A line that is neither a section nor a setting; by its number and not by its text, which may be a
/// secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {rule}")]
pub(super) struct IniError {
    line: usize,
    rule: &'static str,
}

/// The sections by name, as written but for white space. Sections of one name are merged, and the later
/// value of a setting wins. Settings of settings (indented lines, such as those below `s3 =`) are
/// skipped: none of them is about credentials.
///
/// # Errors
/// A line that is neither a section nor a setting.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, Section>, IniError> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut current: Option<String> = None;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let is_indented = line.starts_with([' ', '\t']);
        let line = uncommented(line);
        if line.is_empty() {
            continue;
        }
        let wrong = |rule| IniError {
            line: index + 1,
            rule,
        };
        if let Some(rest) = line.strip_prefix('[') {
            let (name, _) = rest
                .split_once(']')
                .ok_or_else(|| wrong("`]` is missing"))?;
            let words: Vec<&str> = name.split_whitespace().collect();
            let name = words.join(" ");
            sections.entry(name.clone()).or_default();
            current = Some(name);
            continue;
        }
        let section = current.as_ref().and_then(|name| sections.get_mut(name));
        let section = section.ok_or_else(|| wrong("it stands before the first [section]"))?;
        if is_indented && !section.is_empty() {
            continue;
        }
        let pair = line.split_once('=');
        let (name, value) = pair.ok_or_else(|| wrong("it has no `=`"))?;
        section.insert(name.trim().to_lowercase(), value.trim().to_owned());
    }
    Ok(sections)
}

/// A line without its comment, which begins the line or follows white space.
fn uncommented(line: &str) -> &str {
    let begins = line.char_indices().find(|&(at, letter)| {
        let after_space = line[..at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace);
        matches!(letter, '#' | ';') && after_space
    });
    begins.map_or(line, |(at, _)| &line[..at]).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sections_settings_comments() {
        let text = "\u{feff}# mine\n[default]\nAWS_Access_Key_ID = a#b=c ; a comment\n\
                    s3 =\n  addressing_style = path\n\n[ profile   x ] ; other\n\
                    region=eu-1\n; no\n[default]\nregion = us-1\n";
        let sections = parse(text).unwrap();
        assert_eq!(sections["default"]["aws_access_key_id"], "a#b=c");
        assert_eq!(sections["default"]["s3"], "");
        assert_eq!(sections["default"]["region"], "us-1");
        assert!(!sections["default"].contains_key("addressing_style"));
        assert_eq!(sections["profile x"]["region"], "eu-1");
        assert_eq!(sections.len(), 2);
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        for (text, named) in [
            ("[a]\nhidden\n", "line 2: it has no `=`"),
            ("\n[hidden\n", "line 2: `]` is missing"),
            ("hidden = 1\n", "line 1: it stands before"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]=#; \\ta-z\\n\u{e9}]*") {
            let _ = parse(&text);
        }
    }
}
