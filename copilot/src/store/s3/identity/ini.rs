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
/// value of a setting wins.
///
/// Indented lines are read as Python's `configparser` reads them, and so botocore: a line that is indented
/// deeper than the setting above it continues that setting's value; any other indentation means nothing. So a
/// file whose lines are all indented is read as if none was. Settings of settings (those below `s3 =`) are
/// skipped: none of them is about credentials.
///
/// # Errors
/// A line that is neither a section nor a setting.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, Section>, IniError> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut current: Option<String> = None;
    // The setting above, and how deep it is indented.
    let mut above: Option<(String, usize)> = None;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let depth = line
            .chars()
            .take_while(|letter| letter.is_whitespace())
            .count();
        let line = uncommented(line);
        if line.is_empty() {
            continue;
        }
        let wrong = |rule| IniError {
            line: index + 1,
            rule,
        };
        let section = current.as_ref().and_then(|name| sections.get_mut(name));
        if let (Some(section), Some((name, base))) = (section, &above)
            && depth > *base
        {
            continue_value(section, name, line);
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let (name, _) = rest
                .split_once(']')
                .ok_or_else(|| wrong("`]` is missing"))?;
            let words: Vec<&str> = name.split_whitespace().collect();
            let name = words.join(" ");
            sections.entry(name.clone()).or_default();
            current = Some(name);
            above = None;
            continue;
        }
        let section = current.as_ref().and_then(|name| sections.get_mut(name));
        let section = section.ok_or_else(|| wrong("it stands before the first [section]"))?;
        let pair = line.split_once(['=', ':']);
        let (name, value) = pair.ok_or_else(|| wrong("it has no `=`"))?;
        let name = name.trim().to_lowercase();
        section.insert(name.clone(), value.trim().to_owned());
        above = Some((name, depth));
    }
    Ok(sections)
}

/// Adds a line to the value of a setting, unless the value is a section of its own.
fn continue_value(section: &mut Section, name: &str, line: &str) {
    if let Some(value) = section.get_mut(name).filter(|value| !value.is_empty()) {
        value.push('\n');
        value.push_str(line);
    }
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

    /// The expected values are those of Python's `configparser.RawConfigParser`, which botocore uses.
    #[test]
    fn indentation_means_what_it_means_to_botocore() {
        let read = |text: &str| parse(text).expect("it can be read");
        for indent in ["  ", "\t", "    ", " \t", "\u{a0}"] {
            for end in ["\n", "\r\n", "\n\n"] {
                for mark in ["", "\u{feff}"] {
                    let lines = [
                        "[default]",
                        "aws_access_key_id = id",
                        "# a comment",
                        "aws_secret_access_key: secret",
                        "",
                        "[profile x]",
                        "region=eu-1",
                    ];
                    let text: String = lines.map(|line| format!("{indent}{line}{end}")).concat();
                    let sections = read(&format!("{mark}{text}"));
                    assert_eq!(sections["default"]["aws_access_key_id"], "id", "{text:?}");
                    assert_eq!(sections["default"]["aws_secret_access_key"], "secret");
                    assert_eq!(sections["profile x"]["region"], "eu-1");
                }
            }
        }
        let nested = "[default]\n  s3 =\n    addressing_style = path\n  region = eu-1\n";
        assert_eq!(read(nested)["default"]["region"], "eu-1");
        assert!(!read(nested)["default"].contains_key("addressing_style"));
        let first = "[default]\n    region = eu-1\naws_access_key_id = id\n";
        assert_eq!(read(first)["default"].len(), 2, "less deep than the first");
        let continued = "[default]\naws_secret_access_key = one\n  two\n\n  [three]\n";
        let sections = read(continued);
        assert_eq!(
            sections["default"]["aws_secret_access_key"], "one\ntwo\n[three]",
            "the rule for secrets refuses it"
        );
        assert_eq!(sections.len(), 1);
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
