//! Names of headings in links, as forges make them.

use std::collections::BTreeMap;

/// The headings of one document so far: the second one of a name gets a number.
#[derive(Clone, Debug, Default)]
pub struct Anchors(BTreeMap<String, u32>);

impl Anchors {
    /// The name of the next heading: small letters, `-` for each blank, and no other punctuation than `-` and `_`.
    pub fn next(&mut self, heading: &str) -> String {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let name: String = heading.to_lowercase().chars().filter(kept).collect();
        let name = name.trim().replace(' ', "-");
        let count = self.0.entry(name.clone()).or_default();
        *count += 1;
        match *count {
            1 => name,
            count => format!("{name}-{}", count - 1),
        }
    }
}
