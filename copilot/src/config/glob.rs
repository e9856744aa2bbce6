//! File patterns with the meaning of Go's `filepath.Glob`, which the platform relies on (spec §1.7): `*`
//! and `?` stop at `/` and match a leading dot, `[a-z]` and `[^a]` are classes, `\` makes the next
//! character stand for itself, and `**` means no more than `*`. Results come in lexical order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::ConfigError;

/// The existing paths that `pattern` matches, files and directories alike. A directory that may not be
/// read is an error.
pub(super) fn expand(pattern: &str) -> Result<Vec<PathBuf>, ConfigError> {
    let mut bases = vec![PathBuf::from(if pattern.starts_with('/') {
        "/"
    } else {
        ""
    })];
    for component in pattern.split('/').filter(|component| !component.is_empty()) {
        let tokens = tokens(component).map_err(|rule| ConfigError::Pattern {
            pattern: pattern.to_owned(),
            rule,
        })?;
        bases = if let Some(name) = literal(&tokens) {
            bases.into_iter().map(|base| base.join(&name)).collect()
        } else {
            let mut found = Vec::new();
            for base in bases {
                found.append(&mut entries(&base, &tokens)?);
            }
            found
        };
    }
    bases.retain(|path| !path.as_os_str().is_empty() && path.symlink_metadata().is_ok());
    Ok(bases)
}

/// The entries of `directory` that match, in order of name.
fn entries(directory: &Path, tokens: &[GlobToken]) -> Result<Vec<PathBuf>, ConfigError> {
    let opened = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    let failed = |source| ConfigError::Read {
        path: opened.to_owned(),
        source,
    };
    let listing = match fs::read_dir(opened) {
        Ok(listing) => listing,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in listing {
        let name = entry.map_err(failed)?.file_name();
        if matches(tokens, &name.to_string_lossy()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names.into_iter().map(|name| directory.join(name)).collect())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// A part of a pattern's component.
#[derive(Debug, PartialEq, Eq)]
enum GlobToken {
    /// `*`
    Any,
    /// `?`
    One,
    /// `[…]`: whether it is negated, and its ranges.
    Class(bool, Vec<(char, char)>),
    /// A character that stands for itself.
    Same(char),
}

impl GlobToken {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Class(negated, ranges) => {
                let within = ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&character));
                within != *negated
            }
            Self::Same(own) => *own == character,
        }
    }
}

fn tokens(component: &str) -> Result<Vec<GlobToken>, &'static str> {
    let mut tokens = Vec::new();
    let mut characters = component.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => GlobToken::Any,
            '?' => GlobToken::One,
            '[' => class(&mut characters)?,
            '\\' => GlobToken::Same(characters.next().ok_or("it ends in a backslash")?),
            other => GlobToken::Same(other),
        });
    }
    Ok(tokens)
}

/// A class whose opening bracket has been read.
fn class(characters: &mut std::str::Chars<'_>) -> Result<GlobToken, &'static str> {
    const OPEN: &str = "a `[` has no matching `]`";
    let negated = characters.as_str().starts_with('^');
    if negated {
        characters.next();
    }
    let mut ranges = Vec::new();
    loop {
        if characters.as_str().starts_with(']') && !ranges.is_empty() {
            characters.next();
            return Ok(GlobToken::Class(negated, ranges));
        }
        let low = bound(characters).ok_or(OPEN)?;
        let high = if characters.as_str().starts_with('-') {
            characters.next();
            bound(characters).ok_or(OPEN)?
        } else {
            low
        };
        ranges.push((low, high));
    }
}

/// One end of a range; a bare `-` or `]` cannot be one.
fn bound(characters: &mut std::str::Chars<'_>) -> Option<char> {
    match characters.next()? {
        '-' | ']' => None,
        '\\' => characters.next(),
        other => Some(other),
    }
}

/// The name of a component without wildcards.
fn literal(tokens: &[GlobToken]) -> Option<String> {
    tokens
        .iter()
        .map(|token| match token {
            GlobToken::Same(character) => Some(*character),
            _ => None,
        })
        .collect()
}

/// Whether `name` matches. On a mismatch only the last `*` takes one more character, so the work is
/// bounded by the product of both lengths.
fn matches(tokens: &[GlobToken], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut token, mut at) = (0, 0);
    let mut retry = None;
    loop {
        match tokens.get(token) {
            None if at == name.len() => return true,
            Some(GlobToken::Any) => {
                retry = Some((token, at));
                token += 1;
                continue;
            }
            Some(one) if name.get(at).is_some_and(|character| one.takes(*character)) => {
                token += 1;
                at += 1;
                continue;
            }
            _ => {}
        }
        match retry {
            Some((star, from)) if from < name.len() => {
                retry = Some((star, from + 1));
                token = star + 1;
                at = from + 1;
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_match_as_gos_do() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*.yaml", "a.yaml", true),
            ("*.yaml", ".yaml", true),
            ("*.yaml", "..data.yaml", true),
            ("*.yaml", "a.yml", false),
            ("config**", "config-data", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[\\]]", "]", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("é?", "éa", true),
        ] {
            let tokens = tokens(pattern).unwrap();
            assert_eq!(matches(&tokens, name), expected, "{pattern} {name}");
        }
        for pattern in ["[", "[]", "[a", "[a-", "[-]", "[]a]", "a\\"] {
            assert!(tokens(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn existing_paths_come_in_order() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "config-b/2.yaml",
            "config-a/9.yaml",
            "config-a/1.yaml",
            "other/1.yaml",
        ] {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let base = directory.path().to_str().unwrap();
        let found = expand(&format!("{base}/config**/*")).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|path| path.strip_prefix(base).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            names,
            ["config-a/1.yaml", "config-a/9.yaml", "config-b/2.yaml"]
        );
        assert_eq!(expand(&format!("{base}/other/1.yaml")).unwrap().len(), 1);
        for nothing in ["nowhere/*.yaml", "other/1.yaml/*", "other/2.yaml"] {
            assert!(
                expand(&format!("{base}/{nothing}")).unwrap().is_empty(),
                "{nothing}"
            );
        }
        assert!(expand("").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn a_quoted_name_matches_itself_only(name in "[^/]{1,12}", other in "[^/]{1,12}") {
            let quoted: String = name.chars().flat_map(|character| ['\\', character]).collect();
            let tokens = tokens(&quoted).unwrap();
            prop_assert!(matches(&tokens, &name));
            prop_assert_eq!(matches(&tokens, &other), name == other);
        }

        #[test]
        fn no_pattern_panics(pattern in "[a*?\\[\\]^\\\\-]{0,12}", name in "[a*^-]{0,8}") {
            if let Ok(tokens) = tokens(&pattern) {
                let _ = matches(&tokens, &name);
            }
        }
    }
}
