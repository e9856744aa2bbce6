//! References that main has written in the place of data (`--upload-mode DO_NOT_UPLOAD`; ours). A file
//! that holds anything else is refused: data must not be taken for the name of other data.

use super::item::Item;
use super::planner::Planner;
use super::problem::OutputRule;
use super::text::trim;
use super::view::OutputView;

/// The longest reference, in bytes: a key of 1,024 bytes with each of them escaped is three times as
/// long, and signatures in addresses of the web may add as much again.
const LONGEST: u64 = 16 << 10;

impl<V: OutputView> Planner<'_, V> {
    /// The reference that a file holds.
    pub(super) fn written_reference(
        &mut self,
        item: &Item<'_>,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<String, OutputRule> {
        let refused = |rule: String| OutputRule::Reference {
            path: item.shown(self.view),
            rule,
        };
        if item.is_directory() {
            return Err(refused("it is a directory".to_owned()));
        }
        let too_long = |size| {
            refused(format!(
                "it has {size} bytes, and no reference has more than {LONGEST}"
            ))
        };
        let content = match item.content(self.view, LONGEST, String::new) {
            Err(OutputRule::TooLarge { size, .. }) => return Err(too_long(size)),
            content => content?,
        };
        let text = trim(content);
        let size = text.len() as u64;
        if size > LONGEST {
            return Err(too_long(size));
        }
        let text = std::str::from_utf8(text)
            .map_err(|error| refused(format!("its content is not UTF-8: {error}")))?;
        if text.is_empty() {
            return Err(refused("it is empty".to_owned()));
        }
        if text.contains('\n') {
            return Err(refused("it has several lines".to_owned()));
        }
        check(text).map_err(refused)?;
        self.count(size)?;
        Ok(text.to_owned())
    }
}
