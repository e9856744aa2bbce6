//! Suggestions for near misses, and how much of a wrong text a message repeats.

/// `; did you mean …?` with the name nearest to `text`; empty if none is near.
pub(super) fn hint(text: &str, names: impl Iterator<Item = &'static str>) -> String {
    /// Short names with one letter swapped or missing score higher than this.
    const NEAR: f64 = 0.8;
    let likeness =
        |name: &str| strsim::jaro_winkler(&text.to_ascii_lowercase(), &name.to_ascii_lowercase());
    names
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

/// A text as messages repeat it: cut if long.
pub(super) fn shortened(text: &str) -> String {
    cut(text, 60)
}

/// The text, or its beginning if it is long: an interface may have megabytes.
pub(super) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints() {
        let names = ["download", "sidecar", "ready"];
        for (text, expected) in [
            ("donwload", "; did you mean download?"),
            ("Sidecar", "; did you mean sidecar?"),
            ("xyz", ""),
            ("", ""),
        ] {
            assert_eq!(hint(text, names.into_iter()), expected, "{text}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let cut = shortened(&"é".repeat(1000));
        assert_eq!(cut.chars().count(), 61);
    }
}
