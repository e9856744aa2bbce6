//! Why a text is not usable YAML: the rule that it breaks, and on which line.

use thiserror::Error;

/// A text that the reader or the tree refuses.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {line}: {rule}")]
pub(crate) struct YamlError {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The rule that the text breaks.
    #[source]
    pub(crate) rule: YamlRule,
}

/// The rules that a text must keep.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum YamlRule {
    /// The YAML grammar, in the parser's words.
    #[error("{0}")]
    Grammar(String),
    /// [`TreeLimits::depth`](super::TreeLimits::depth).
    #[error("it nests deeper than {0} levels")]
    Depth(usize),
    /// [`TreeLimits::values`](super::TreeLimits::values).
    #[error("it holds more than {0} values, aliases counted")]
    Values(usize),
    /// One document per text.
    #[error("it holds a second document; write one document per file")]
    SecondDocument,
    /// An alias repeats a value that is complete.
    #[error("an alias stands inside the value that it refers to")]
    AliasInside,
    /// A key is a text.
    #[error("a key must be a text, not a list or a map")]
    Key,
    /// A map has each key once.
    #[error("the key {0:?} stands twice in one map")]
    RepeatedKey(String),
    /// The same where keys ignore case.
    #[error("the key {0:?} stands twice in one map (case does not count)")]
    RepeatedKeyInAnyCase(String),
    /// A tree without merge keys.
    #[error("merge keys (`<<`) are not supported; write the members")]
    MergeKey,
    /// A tree with merge keys.
    #[error("the merge key `<<` takes a map or a list of maps")]
    MergedValue,
    /// A tag that the tree does not know.
    #[error("the tag {0} is not supported")]
    Tag(String),
}
