//! What a caller of the reader brings: its own tree, and how large it may become.

use saphyr_parser::{ScalarStyle, Tag};

use super::error::YamlRule;

/// How large a tree may become. Aliases cannot grow a small file into a large tree, and depth stays
/// shallow enough for plain recursion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TreeLimits {
    /// Nested lists and maps.
    pub(crate) depth: usize,
    /// Values in the tree, and the [sizes](Tree::size) of the copies that aliases and anchors make.
    pub(crate) values: usize,
}

impl TreeLimits {
    /// The size of a text of so many bytes.
    pub(crate) fn text(length: usize) -> usize {
        1 + length / 32
    }

    /// The size of a list without its items.
    pub(crate) const LIST: usize = 2;

    /// The size of a map without its entries: its smallest node has room for eleven.
    pub(crate) const MAP: usize = 8;
}

/// A scalar as it stands in the text.
pub(crate) struct Scalar<'a> {
    /// Its text, without quotes and with escapes resolved.
    pub(crate) text: &'a str,
    /// Whether it stands without quotes, and not as a block.
    pub(crate) is_plain: bool,
    /// Its tag, such as `!!str`.
    pub(crate) tag: Option<&'a Tag>,
}

impl<'a> Scalar<'a> {
    pub(super) fn new(text: &'a str, style: ScalarStyle, tag: Option<&'a Tag>) -> Self {
        Self {
            text,
            is_plain: style == ScalarStyle::Plain,
            tag,
        }
    }

    /// Whether YAML reads it as null when it stands without quotes.
    pub(crate) fn is_null_word(&self) -> bool {
        matches!(self.text, "" | "~" | "null" | "Null" | "NULL")
    }
}

/// A tree that the reader builds.
pub(crate) trait Tree: Clone {
    /// A map while its entries are read.
    type Map: Default;

    /// How large the tree may become.
    const LIMITS: TreeLimits;

    /// A scalar that stands as a value.
    fn scalar(scalar: &Scalar<'_>) -> Result<Self, YamlRule>;

    /// A scalar that stands as a key. An anchor may repeat it as a value.
    fn key(scalar: &Scalar<'_>) -> Result<Self, YamlRule>;

    /// The text of a key; none for a value that cannot be one.
    fn into_key(self) -> Option<String>;

    /// A complete list.
    fn list(items: Vec<Self>) -> Self;

    /// Adds an entry to a map. Refuses a key that the map has already.
    fn insert(map: &mut Self::Map, key: String, value: Self) -> Result<(), YamlRule>;

    /// A complete map.
    fn map(map: Self::Map) -> Self;

    /// The memory that a copy takes, in small values: a long text counts as several.
    fn size(&self) -> usize;

    /// Whether a second document that holds only this is ignored.
    fn is_empty_document(&self) -> bool;
}
