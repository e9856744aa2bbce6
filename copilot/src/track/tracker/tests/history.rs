//! Made-up histories of a pod: who lived in which container, from when to when, and how it ended.

use proptest::{prelude::*, sample::Index};

use crate::track::{
    ContainerId, Event, ExitStatus, Marker, ProcessId, Timestamp,
    identify::{Rules, Why},
    mounts::{Mount, MountEvidence, Stage},
    process::TICK,
};

pub const POD: &str = "f0-n0-0";
const UID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/// When everything that ends has ended, in ticks.
pub const OVER: u64 = 1000;

/// The cgroups of the containers, by index: the sandbox, we ourselves, and the others.
pub const CONTAINERS: [&str; 7] = [
    "pause",
    "flyte-copilot-uploader",
    "flyte-copilot-downloader",
    "istio-proxy",
    "one",
    "other",
    "init",
];
const OWN: usize = 1;
const LOADER: usize = 2;
pub const ONE: usize = 4;
pub const OTHER: usize = 5;
/// It shares the output volume and ends before the next container begins.
pub const INIT: usize = 6;

/// A process's life, in clock ticks since boot.
#[derive(Clone, Debug)]
pub struct Life {
    pub container: usize,
    pub id: ProcessId,
    pub end: Option<u64>,
    pub entered: bool,
    pub status: ExitStatus,
}

/// By which rule main is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Named,
    Flyte,
    Volume,
    Nothing,
}

/// What happened, and who is to be found.
#[derive(Clone, Debug)]
pub struct History {
    pub naming: Naming,
    /// The downloader is called as ours is.
    pub has_downloader: bool,
    pub lives: Vec<Life>,
    /// Indices of the first processes of the mains.
    pub mains: Vec<usize>,
}

fn status() -> impl Strategy<Value = ExitStatus> {
    prop_oneof![
        3 => Just(ExitStatus::Code(0)),
        2 => (1_u8..=255).prop_map(ExitStatus::Code),
        1 => Just(ExitStatus::from_wait(9, false)),
        1 => Just(ExitStatus::from_wait(9, true)),
        1 => Just(ExitStatus::from_wait(0x8b, false)),
    ]
}

/// First processes of the containers but for the second main: start and end.
fn firsts() -> impl Strategy<Value = Vec<(usize, u64, Option<u64>)>> {
    (
        (10_u64..20, 1_u64..80),
        (100_u64..200, prop::option::of(1_u64..200)),
        (120_u64..300, 1_u64..60),
    )
        .prop_map(|(loader, mesh, one)| {
            vec![
                (0, 1, None),
                (OWN, 2, None),
                (LOADER, loader.0, Some(loader.0 + loader.1)),
                (3, mesh.0, mesh.1.map(|length| mesh.0 + length)),
                (ONE, one.0, Some(one.0 + one.1)),
            ]
        })
}

prop_compose! {
    /// A legal history: containers one after the other, the second main before the first has
    /// ended, exec sessions and children at any time of their container.
    pub fn histories()(
        naming in prop_oneof![
            Just(Naming::Named), Just(Naming::Flyte), Just(Naming::Volume), Just(Naming::Nothing)
        ],
        mut firsts in firsts(),
        second in prop::option::of((any::<Index>(), 1_u64..90)),
        has_downloader in any::<bool>(),
        init in prop::option::of((3_u64..6, 1_u64..4)),
        others in prop::collection::vec(
            (any::<Index>(), 0_u64..60, prop::option::of(1_u64..100), any::<bool>()), 0..12
        ),
        statuses in prop::collection::vec(status(), 20),
    ) -> History {
        if let Some((when, length)) = second {
            let (start, end) = (firsts[ONE].1, firsts[ONE].2.unwrap_or(OVER));
            let start = start + when.index(usize::try_from(end - start).unwrap()) as u64;
            firsts.push((OTHER, start, Some(start + length)));
        }
        // Without a name or a volume nothing tells it from a main.
        if let Some((start, length)) = init.filter(|_| naming != Naming::Nothing) {
            firsts.push((INIT, start, Some(start + length)));
        }
        let mains = match (naming, second) {
            (Naming::Named, _) | (_, None) => vec![ONE],
            _ => vec![ONE, OTHER],
        };
        let mut lives: Vec<(usize, u64, Option<u64>, bool)> = firsts
            .iter()
            .map(|(container, start, end)| (*container, *start, *end, true))
            .collect();
        for (container, after, length, entered) in others {
            let (container, start, end) = firsts[container.index(firsts.len())];
            let start = (start + after).min(end.unwrap_or(OVER));
            // Only in main do processes outlive the container's first one.
            let last = if matches!(container, LOADER | INIT) { end } else { None };
            let end = length.map(|length| start + length).or(last);
            lives.push((container, start, end.min(last.or(end)), entered));
        }
        let lives = lives
            .into_iter()
            .zip(statuses)
            .zip(1..)
            .map(|(((container, started, end, entered), status), pid)| {
                // Had it failed, the pod would have come to nothing.
                let status = if container == INIT { ExitStatus::Code(0) } else { status };
                Life { container, id: ProcessId { started, pid }, end, entered, status }
            })
            .collect();
        History { naming, has_downloader, lives, mains }
    }
}

impl History {
    /// The same without containers that may be taken for main.
    pub fn without_doubt(mut self) -> Self {
        // Behind the first processes of the mains, whose indices stay.
        self.lives.retain(|life| life.container != INIT);
        // Only a name leaves none.
        if self.naming != Naming::Named {
            self.naming = Naming::Flyte;
        }
        self
    }

    pub fn rules(&self) -> Rules {
        let mut rules = Rules {
            own: Some(ContainerId::new(CONTAINERS[OWN])),
            pod_uid: Some(UID.to_owned()),
            host_name: Some("some-node".to_owned()),
            ..Rules::default()
        };
        match self.naming {
            Naming::Named => rules.main_container = Some(POD.to_owned()),
            Naming::Flyte => {
                rules.host_name = Some(POD.to_owned());
                rules.output_mount = Some(volume());
            }
            Naming::Volume => rules.output_mount = Some(volume()),
            Naming::Nothing => {}
        }
        rules
    }

    pub fn why(&self) -> Why {
        match self.naming {
            Naming::Named => Why::Named,
            Naming::Flyte => Why::FlyteNaming,
            Naming::Volume => Why::OutputVolume,
            Naming::Nothing => Why::Elimination,
        }
    }

    /// A process begins, and its container is described.
    pub fn started(&self, life: &Life, at: u64) -> [Event; 2] {
        let container = ContainerId::new(CONTAINERS[life.container]);
        [
            Event::ContainerSeen {
                container: container.clone(),
                evidence: Some(evidence(life.container, self.naming, self.has_downloader)),
            },
            Event::ProcessStarted {
                process: life.id,
                container,
                at: Timestamp(at),
                entered: life.entered,
            },
        ]
    }
}

/// A process ends; not every source knows where it was.
pub fn ended(life: &Life, at: u64, index: usize) -> Event {
    let container = ContainerId::new(CONTAINERS[life.container]);
    Event::ProcessExited {
        process: life.id,
        container: (!index.is_multiple_of(3)).then_some(container),
        status: life.status,
        at: Timestamp(at),
    }
}

fn volume() -> Mount {
    Mount {
        device: "254:0".to_owned(),
        root: "/volumes/outputs".into(),
        target: "/outputs".into(),
    }
}

/// What the mounts of a container say; the names of the mains are Flyte's only where they shall be.
fn evidence(container: usize, naming: Naming, has_downloader: bool) -> MountEvidence {
    let is_sandbox = container == 0;
    let name = match container {
        ONE => POD,
        OTHER if naming == Naming::Flyte => "primary",
        LOADER if !has_downloader => "istio-init",
        _ => CONTAINERS[container],
    };
    let shares = container == OWN || container >= ONE;
    MountEvidence {
        stage: Stage::Complete,
        name: (!is_sandbox).then(|| name.to_owned()),
        pod_uid: (!is_sandbox).then(|| UID.to_owned()),
        sandbox: Some("sandbox".to_owned()),
        is_sandbox,
        mounts: if shares { vec![volume()] } else { Vec::new() },
    }
}

/// Any event at all, of few processes and containers, so that they meet.
pub fn any_event() -> impl Strategy<Value = Event> {
    let container = (0..CONTAINERS.len()).prop_map(|index| ContainerId::new(CONTAINERS[index]));
    let process = (0_u64..6, 0_u64..4).prop_map(|(pid, started)| ProcessId {
        pid: if pid == 5 {
            ProcessId::FOREIGN + pid
        } else {
            pid
        },
        started,
    });
    let at = (0_u64..8).prop_map(|ticks| Timestamp(ticks * TICK));
    let status = prop_oneof![Just(ExitStatus::Unknown), status()];
    let status_of_container = prop_oneof![Just(ExitStatus::NotStarted), status.clone()];
    prop_oneof![
        (0..CONTAINERS.len(), any::<bool>()).prop_map(|(index, read)| Event::ContainerSeen {
            container: ContainerId::new(CONTAINERS[index]),
            evidence: read.then(|| evidence(index, Naming::Flyte, true)),
        }),
        (
            process.clone(),
            container.clone(),
            at.clone(),
            any::<bool>()
        )
            .prop_map(|(process, container, at, entered)| Event::ProcessStarted {
                process,
                container,
                at,
                entered
            }),
        (
            process.clone(),
            prop::option::of(container),
            status.clone(),
            at.clone()
        )
            .prop_map(|(process, container, status, at)| Event::ProcessExited {
                process,
                container,
                status,
                at
            }),
        (prop::collection::btree_set(process, 0..8), at.clone())
            .prop_map(|(alive, began)| Event::Scanned { alive, began }),
        at.clone().prop_map(|at| Event::Lost { count: 1, at }),
        (0..CONTAINERS.len(), at.clone()).prop_map(|(index, at)| Event::ContainerStarted {
            container: ContainerId::new(CONTAINERS[index]),
            at,
        }),
        (0..CONTAINERS.len(), status_of_container, at.clone()).prop_map(|(index, status, at)| {
            Event::ContainerExited {
                container: ContainerId::new(CONTAINERS[index]),
                status,
                at,
                alive: at,
            }
        }),
        (0..Marker::ALL.len(), at).prop_map(|(index, at)| Event::MarkerWritten {
            marker: Marker::ALL[index].1,
            at,
        }),
    ]
}
