//! A pod of 64 containers, whose ends one watcher reports.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use copilot::track::{
    Event, Timestamp,
    place::Place,
    source::{
        Sources,
        selection::{Surroundings, Watcher, select},
    },
};
use tokio::time::timeout;

use super::probe::Probe;
use crate::bench::figures::{percentile, ratio};
use crate::pod::Pod;

/// How many containers.
const CONTAINERS: usize = 64;

/// How long the report of one end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures, and prints the results.
pub fn run(program: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for watcher in [Watcher::Ebpf, Watcher::Pidfd] {
        let (mut told, mut waited) = runtime.block_on(all_ends(program, watcher))?;
        told.sort_unstable();
        waited.sort_unstable();
        println!(
            "{CONTAINERS} containers, {}: told p50 {} p99 {}, wait p50 {} p99 {}; ratios {:.2} {:.2}",
            watcher.name(),
            percentile(&told, 50).as_micros(),
            percentile(&told, 99).as_micros(),
            percentile(&waited, 50).as_micros(),
            percentile(&waited, 99).as_micros(),
            ratio(percentile(&told, 50), percentile(&waited, 50)),
            ratio(percentile(&told, 99), percentile(&waited, 99)),
        );
    }
    Ok(())
}

async fn all_ends(program: &Path, watcher: Watcher) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let pod = Pod::create()?;
    let place = Place::find(Some(pod.directory()));
    let mut sources = select(&[watcher], &Surroundings::from_place(&place))
        .await?
        .sources;
    let mut probes = Vec::new();
    for index in 0..CONTAINERS {
        let probe = Probe::start(&pod, &format!("crowd-{index}"), program)?;
        until_started(&mut sources, probe.id()).await?;
        probes.push(probe);
    }
    let (mut told, mut waited) = (Vec::new(), Vec::new());
    for mut probe in probes {
        probe.let_go()?;
        let at = until_ended(&mut sources, probe.id()).await?;
        let (last, parent) = probe.end()?;
        told.push(at.since(last));
        waited.push(parent.since(last));
    }
    Ok((told, waited))
}

async fn until_started(sources: &mut Sources, pid: u64) -> Result<()> {
    let is_it = |event: &Event| matches!(event, Event::ProcessStarted { process, .. } if process.pid == pid);
    until(sources, is_it).await.map(drop)
}

async fn until_ended(sources: &mut Sources, pid: u64) -> Result<Timestamp> {
    let is_it =
        |event: &Event| matches!(event, Event::ProcessExited { process, .. } if process.pid == pid);
    until(sources, is_it).await
}

async fn until(sources: &mut Sources, is_it: impl Fn(&Event) -> bool) -> Result<Timestamp> {
    // The missing ends, for the message.
    let mut seen: BTreeMap<&'static str, u32> = BTreeMap::new();
    loop {
        let next = timeout(PATIENCE, sources.next()).await;
        let (source, event) = next.with_context(|| format!("never told; seen {seen:?}"))?;
        if is_it(&event) {
            return Ok(Timestamp::now());
        }
        *seen.entry(source).or_default() += 1;
    }
}
