//! The watchers to use: from our flag, else from the reference's two flags (spec §7).

use super::choice::{self, choose};
use super::error::FlagError;
use super::flags::SidecarFlags;
use crate::track::Watcher;
use crate::track::watch::Until;

/// The chosen watchers, and until when they watch main.
pub(super) fn from_flags(flags: &SidecarFlags) -> Result<(Vec<Watcher>, Until), FlagError> {
    let reference = |flag: &'static str, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| choose(flag, text, choice::WATCHER_TYPES))
            .transpose()
    };
    let start = reference("--start-watcher-type", &flags.start_watcher_type)?;
    let exit = reference("--exit-watcher-type", &flags.exit_watcher_type)?;
    match &flags.watcher {
        Some(names) => Ok((named(names)?, Until::End)),
        None => Ok(by_type(start, exit)),
    }
}

/// `--watcher NAME[,NAME…]`.
fn named(names: &str) -> Result<Vec<Watcher>, FlagError> {
    let mut watchers = Vec::new();
    for name in names.split(',') {
        let watcher = choose("--watcher", name.trim(), choice::WATCHERS)?;
        if !watchers.contains(&watcher) {
            watchers.push(watcher);
        }
    }
    if watchers.len() > 1 && watchers.contains(&Watcher::Noop) {
        return Err(FlagError::NoopBesideOthers);
    }
    Ok(watchers)
}

/// The reference has one watcher for main's start and one for its end. Ours see both, so either may see
/// either; and with `noop` for the end, nothing waits for the end.
fn by_type(start: Option<Watcher>, exit: Option<Watcher>) -> (Vec<Watcher>, Until) {
    let sees = |watcher: &Watcher| *watcher != Watcher::Noop;
    let until = match (start, exit) {
        (Some(start), Some(Watcher::Noop)) if sees(&start) && start != Watcher::Signal => {
            Until::Start
        }
        _ => Until::End,
    };
    let mut watchers: Vec<Watcher> = start.into_iter().chain(exit).collect();
    if exit == Some(Watcher::Noop) && until == Until::End {
        watchers = vec![Watcher::Noop];
    }
    if watchers.iter().any(sees) {
        watchers.retain(sees);
    }
    watchers.dedup();
    // Every other watcher handles SIGTERM as well.
    if watchers.iter().any(|watcher| *watcher != Watcher::Signal) {
        watchers.retain(|watcher| *watcher != Watcher::Signal);
    }
    if watchers.is_empty() {
        watchers.push(Watcher::Auto);
    }
    (watchers, until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_references_two_types_become_watchers_of_both() {
        use Watcher::{KubeApi, Marker, Noop, Proc, Signal};
        for (start, exit, watchers, until) in [
            (None, None, vec![Watcher::Auto], Until::End),
            (Some(Signal), Some(Signal), vec![Signal], Until::End),
            (Some(Noop), Some(Noop), vec![Noop], Until::End),
            (None, Some(Noop), vec![Noop], Until::End),
            (Some(Signal), Some(Noop), vec![Noop], Until::End),
            (Some(Noop), None, vec![Noop], Until::End),
            (Some(Proc), Some(Proc), vec![Proc], Until::End),
            (Some(Proc), None, vec![Proc], Until::End),
            (None, Some(Marker), vec![Marker], Until::End),
            (Some(Proc), Some(Marker), vec![Proc, Marker], Until::End),
            (Some(Marker), Some(Signal), vec![Marker], Until::End),
            (Some(Noop), Some(Proc), vec![Proc], Until::End),
            (Some(Proc), Some(Noop), vec![Proc], Until::Start),
            (Some(KubeApi), Some(KubeApi), vec![KubeApi], Until::End),
            (Some(KubeApi), Some(Signal), vec![KubeApi], Until::End),
            (Some(KubeApi), Some(Noop), vec![KubeApi], Until::Start),
        ] {
            assert_eq!(
                by_type(start, exit),
                (watchers, until),
                "{start:?} {exit:?}"
            );
        }
    }

    #[test]
    fn a_list_of_watchers_is_taken_in_order_and_once() {
        let expected = Ok(vec![Watcher::Marker, Watcher::Pidfd]);
        assert_eq!(named("marker,pidfd, marker"), expected);
        assert!(named("noop,ebpf").unwrap_err().to_string().contains("noop"));
        assert!(named("ebpf,").is_err());
    }
}
