//! The cause of a store's error: one line for the message, and the error that it comes from.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A cause in one line; its [`source`](Error::source) is the error that the line was made of.
#[derive(Clone, Debug)]
pub struct Cause(Arc<CauseInner>);

#[derive(Debug)]
struct CauseInner {
    line: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Cause {
    /// The cause that `line` describes and `source` brought about.
    pub(in crate::store) fn new(
        line: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(CauseInner {
            line: line.into(),
            source: Some(Box::new(source)),
        }))
    }
}

impl<T: Into<String>> From<T> for Cause {
    fn from(line: T) -> Self {
        Self(Arc::new(CauseInner {
            line: line.into(),
            source: None,
        }))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.line)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source: &(dyn Error + 'static) = self.0.source.as_deref()?;
        Some(source)
    }
}
