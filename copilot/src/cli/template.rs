//! `copilot template`: from flags to a request.

use std::ffi::OsString;

use super::choice::{TEMPLATE_WATCHERS, choose};
use super::error::{self, NamedFlag};
use super::flags::{self, Parsed, TemplateFlags};
use super::global;
use super::rejection::Rejection;
use super::suggest;
use crate::command::{Command, Invocation};
use crate::template::{FlyteVersion, TemplateError, TemplateRequest, TemplateWatcher};

/// `copilot template`.
pub(super) fn check(arguments: &[OsString]) -> Result<Invocation, Rejection> {
    let name = "copilot template";
    let flags = match flags::read::<TemplateFlags>(Some(Command::Template), name, arguments)? {
        Parsed::Answer(answer) => return Ok(answer),
        Parsed::Flags(flags) => *flags,
    };
    let usage = |error: &dyn std::error::Error| Rejection::usage(error.to_string());
    global::check(&flags.global).map_err(|error| usage(&error))?;
    if let Some(word) = flags.global.words.first() {
        let word = suggest::shortened(&word.to_string_lossy());
        return Err(Rejection::usage(format!(
            "copilot template: the word {word:?} belongs to no flag; the version stands behind --flyte, such as \
             --flyte 1.16"
        )));
    }
    if flags.flyte.is_empty() {
        return Err(Rejection::usage(error::missing(&[NamedFlag {
            flag: "--flyte",
            meaning: "the version of Flyte, such as 1.15.2, 1.16 or 2; the tag of its image says it",
        }])));
    }
    let version = FlyteVersion::parse(&flags.flyte).map_err(|error| usage(&error))?;
    let mut request = TemplateRequest {
        prefix: flags.prefix,
        streams: flags.streaming,
        image: flags.image,
        ..TemplateRequest::of(version)
    };
    if let Some(names) = &flags.watcher {
        request.watchers = watchers(names)?;
    }
    request.check().map_err(|error| usage(&error))?;
    Ok(Invocation::Template(Box::new(request)))
}

/// `NAME[,NAME…]`; none for `signal`.
fn watchers(names: &str) -> Result<Vec<TemplateWatcher>, Rejection> {
    let mut watchers = Vec::new();
    let mut is_signal = false;
    for name in names.split(',') {
        let chosen = choose("--watcher", name.trim(), TEMPLATE_WATCHERS);
        match chosen.map_err(|error| Rejection::usage(error.to_string()))? {
            None => is_signal = true,
            Some(watcher) if !watchers.contains(&watcher) => watchers.push(watcher),
            Some(_) => {}
        }
    }
    if is_signal && !watchers.is_empty() {
        return Err(Rejection::usage(
            TemplateError::SignalBesideOthers.to_string(),
        ));
    }
    Ok(watchers)
}
