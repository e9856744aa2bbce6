//! A pod of many containers, whose ends one watcher reports.

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
use serde_json::json;
use tokio::time::timeout;

use super::probe::Probe;
use crate::bench::report::{Case, Row, Run};
use crate::pod::Pod;

/// How long the report of one end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures a pod of so many containers.
pub fn run(program: &Path, containers: usize) -> Result<Case> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut rows = Vec::new();
    for watcher in [Watcher::Ebpf, Watcher::Pidfd] {
        let runs = runtime.block_on(all_ends(program, watcher, containers))?;
        rows.push(Row::new(watcher.name(), runs));
    }
    Ok(Case {
        table: "crowd".to_owned(),
        name: format!("{containers} containers"),
        parameters: json!({"containers": containers}),
        rows,
    })
}

/// One run for each container's end.
async fn all_ends(program: &Path, watcher: Watcher, containers: usize) -> Result<Vec<Run>> {
    let pod = Pod::create()?;
    let place = Place::find(Some(pod.directory()));
    let mut sources = select(&[watcher], &Surroundings::from_place(&place))
        .await?
        .sources;
    let mut probes = Vec::new();
    for index in 0..containers {
        let probe = Probe::start(&pod, &format!("crowd-{index}"), program)?;
        until_started(&mut sources, probe.id()).await?;
        probes.push(probe);
    }
    let mut runs = Vec::new();
    for mut probe in probes {
        probe.let_go()?;
        let at = until_ended(&mut sources, probe.id()).await?;
        let (last, parent) = probe.end()?;
        runs.push(Run::new([
            ("told_us", at.since(last).as_secs_f64() * 1e6),
            ("waited_us", parent.since(last).as_secs_f64() * 1e6),
        ]));
    }
    Ok(runs)
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
