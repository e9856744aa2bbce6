//! Who main is, by the tracker's own rules: the manifest's containers become candidates.

use std::path::Path;

use super::manifest::{Container, Manifest};
use super::mounts::mount_of;
use crate::doctor::{Finding, Group};
use crate::sidecar::SidecarRequest;
use crate::track::ContainerId;
use crate::track::identify::{Candidate, Rules, Why};
use crate::track::mounts::{Mount, MountEvidence};

/// Anything: the rules compare it with itself.
const UID: &str = "of-the-manifest";

/// Main, and the rule that finds it.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    pub(super) mains: Vec<&'a Container>,
    pub(super) why: Option<Why>,
    /// An init container that the same rule would take for main before main begins.
    pub(super) rival: Option<&'a Container>,
}

/// Looks for main among containers that are not ours. `outputs`: the sidecar, and its output directory.
pub(super) fn find<'a>(
    manifest: &Manifest,
    others: &[&'a Container],
    request: Option<&SidecarRequest>,
    outputs: Option<(&Container, &Path)>,
) -> Found<'a> {
    let options = request.map(|request| &request.track);
    let rules = Rules {
        main_container: options.and_then(|track| track.main_container.clone()),
        ignored: options.map_or_else(Vec::new, |track| track.ignore_containers.clone()),
        host_name: manifest.name.clone(),
        pod_uid: Some(UID.to_owned()),
        output_mount: outputs.and_then(|(sidecar, path)| mount(sidecar, path)),
        all_are_named: true,
        ..Rules::default()
    };
    let of_kind = |is_init: bool| {
        others
            .iter()
            .copied()
            .filter(move |it| it.is_init == is_init)
    };
    let regular: Vec<&Container> = of_kind(false).collect();
    let (mains, why) = choose(&rules, &regular);
    let is_by_name = matches!(why, Some(Why::Named | Why::FlyteNaming));
    let init: Vec<&Container> = of_kind(true).collect();
    let rival = || choose(&rules, &init).0.first().copied();
    Found {
        mains,
        why,
        rival: if is_by_name { None } else { rival() },
    }
}

fn choose<'a>(rules: &Rules, containers: &[&'a Container]) -> (Vec<&'a Container>, Option<Why>) {
    let ids: Vec<ContainerId> = containers
        .iter()
        .map(|it| ContainerId::new(&it.name))
        .collect();
    let evidence: Vec<MountEvidence> = containers.iter().map(|it| evidence(it)).collect();
    let candidates: Vec<Candidate<'_>> = ids
        .iter()
        .zip(&evidence)
        .map(|(id, evidence)| Candidate {
            id,
            evidence: Some(evidence),
            program: None,
            command: None,
            job: None,
            began: None,
            alive: None,
            ended: None,
        })
        .collect();
    let Some((chosen, why)) = rules.choose(&candidates) else {
        return (Vec::new(), None);
    };
    let pairs = containers.iter().zip(&ids);
    let chosen = pairs
        .filter(|(_, id)| chosen.contains(id))
        .map(|(it, _)| *it);
    (chosen.collect(), Some(why))
}

fn evidence(container: &Container) -> MountEvidence {
    MountEvidence {
        name: Some(container.name.clone()),
        pod_uid: Some(UID.to_owned()),
        mounts: container
            .mounts
            .iter()
            .map(|mount| Mount {
                device: mount.volume.clone(),
                root: mount.sub_path.clone(),
                target: mount.path.clone(),
            })
            .collect(),
        ..MountEvidence::default()
    }
}

fn mount(container: &Container, path: &Path) -> Option<Mount> {
    let found = mount_of(container, path)?;
    Some(Mount {
        device: found.volume.clone(),
        root: found.sub_path.clone(),
        target: found.path.clone(),
    })
}

/// What is found about main.
pub(super) fn judge(manifest: &Manifest, found: &Found<'_>) -> Vec<Finding> {
    let group = Group::Main;
    let names: Vec<&str> = found.mains.iter().map(|it| it.name.as_str()).collect();
    let names = names.join(", ");
    let by_chance = matches!(found.why, None | Some(Why::Elimination));
    if manifest.name.is_none() && by_chance {
        return vec![Finding::not_checked(
            group,
            "who is main",
            "the pod has no name here, and Flyte gives main the pod's name",
        )];
    }
    let Some(why) = found.why else {
        let seen =
            "no rule finds main: no name of Flyte's, and nobody else mounts the output directory";
        return vec![
            Finding::fails(group, "who is main", seen)
                .costs("the sidecar waits until --main-start-timeout, and reports that main never started")
                .mend("--main-container NAME in the sidecar's arguments"),
        ];
    };
    let mut findings = Vec::new();
    if found.mains.len() > 1 {
        findings.push(
            Finding::degraded(
                group,
                "who is main",
                format!("{names}: all of them ({why})"),
            )
            .costs("the run ends when the last of them has ended")
            .mend("--main-container NAME in the sidecar's arguments"),
        );
    } else if why == Why::Elimination {
        findings.push(
            Finding::degraded(group, "who is main", format!("{names} ({why})"))
                .costs("any container that a webhook adds may be taken for main")
                .mend("--main-container NAME in the sidecar's arguments"),
        );
    } else {
        findings.push(Finding::ok(
            group,
            "who is main",
            format!("{names} ({why})"),
        ));
    }
    if let Some(rival) = found.rival {
        findings.push(
            Finding::degraded(
                group,
                "init containers",
                format!("{} mounts the output directory as main does", rival.name),
            )
            .costs(
                "until main begins it cannot be told from main, so its good end is held in doubt",
            )
            .mend("--main-container NAME in the sidecar's arguments"),
        );
    }
    findings
}
