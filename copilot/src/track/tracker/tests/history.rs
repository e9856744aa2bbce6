//! Made-up histories of a pod, and the ways in which two sources may tell them: a ring buffer, in
//! order, which may lose records and then says so; and scans, which see who lives at one moment.

use proptest::{prelude::*, sample::Index};

use crate::track::{
    ContainerId, Event, ExitStatus, ProcessId, Timestamp,
    identify::{Rules, Why},
    kubelet::{Mount, Traits},
    scan::TICK,
};

pub const POD: &str = "f0-n0-0";
const UID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/// Within one tick: when a process execs, exits, and a scan begins, in nanoseconds.
const EXIT: u64 = 2_000_000;
const EXEC: u64 = 5_000_000;
const SCAN: u64 = 8_000_000;

/// When everything that ends has ended, in ticks.
const OVER: u64 = 1000;

/// The cgroups of the containers, by index: the sandbox, we ourselves, and the others.
pub const CONTAINERS: [&str; 6] = [
    "pause",
    "flyte-copilot-uploader",
    "flyte-copilot-downloader",
    "istio-proxy",
    "one",
    "other",
];
const OWN: usize = 1;
const LOADER: usize = 2;
pub const ONE: usize = 4;
pub const OTHER: usize = 5;

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
    pub lives: Vec<Life>,
    /// Indices of the first processes of the mains.
    pub mains: Vec<usize>,
}

/// How it is told. Each list is used again from its beginning when it is at its end.
#[derive(Clone, Debug)]
pub struct Telling {
    lost: Vec<bool>,
    delays: Vec<u64>,
    repeats: Vec<Option<u64>>,
    scans: Vec<u64>,
    moments: Vec<Index>,
}

/// One event, and when the tracker gets it, in nanoseconds.
pub type Told = (u64, Event);

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
            // Whoever outlives its container's first process does so in main alone.
            let last = if container == LOADER { end } else { None };
            let end = length.map(|length| start + length).or(last);
            lives.push((container, start, end.min(last.or(end)), entered));
        }
        let lives = lives
            .into_iter()
            .zip(statuses)
            .zip(1..)
            .map(|(((container, started, end, entered), status), pid)| Life {
                container, id: ProcessId { started, pid }, end, entered, status,
            })
            .collect();
        History { naming, lives, mains }
    }
}

prop_compose! {
    pub fn tellings()(
        lost in prop::collection::vec(prop::bool::weighted(0.2), 1..40),
        delays in prop::collection::vec(0_u64..40, 1..20),
        repeats in prop::collection::vec(prop::option::weighted(0.3, 0_u64..300), 1..20),
        scans in prop::collection::vec(0_u64..500, 0..8),
        moments in prop::collection::vec(any::<Index>(), 2),
    ) -> Telling {
        Telling { lost, delays, repeats, scans, moments }
    }
}

impl Telling {
    /// Each event once, in order, at once, and nothing lost.
    pub fn plain() -> Self {
        Self {
            lost: vec![false],
            delays: vec![0],
            repeats: vec![None],
            scans: Vec::new(),
            moments: Vec::new(),
        }
    }
}

impl History {
    pub fn rules(&self) -> Rules {
        let mut rules = Rules {
            own: Some(ContainerId::new(CONTAINERS[OWN])),
            pod_uid: Some(UID.to_owned()),
            host_name: Some("some-node".to_owned()),
            ..Rules::default()
        };
        match self.naming {
            Naming::Named => rules.main_container = Some(POD.to_owned()),
            Naming::Flyte => rules.host_name = Some(POD.to_owned()),
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

    /// What the tracker is told, and when; beside it the processes whose exit was lost.
    pub fn tell(&self, telling: &Telling) -> (Vec<Told>, Vec<ProcessId>) {
        let mut ring = Ring::of(self, telling);
        let mut moments = telling.scans.clone();
        moments.append(&mut ring.scans);
        // Of a main whose start was lost something must be seen: a scan while it lives.
        for (main, moment) in self.mains.iter().zip(&telling.moments) {
            let life = &self.lives[*main];
            let length = life.end.expect("main ends") - life.id.started;
            if ring.lost_starts.contains(&life.id) {
                let after = moment.index(usize::try_from(length).unwrap()) as u64;
                moments.push(life.id.started + after);
            }
        }
        moments.sort_unstable();
        let mut told = ring.told.clone();
        let mut before = 0;
        for (index, moment) in moments.into_iter().enumerate() {
            before = self.scan(moment, telling.delay(index), before, &ring, &mut told);
        }
        let repeated: Vec<Told> = told
            .iter()
            .filter(|(_, event)| !matches!(event, Event::Lost { .. }))
            .zip(telling.repeats.iter().cycle())
            .filter_map(|((at, event), repeat)| Some((at + (*repeat)? * TICK, event.clone())))
            .collect();
        told.extend(repeated);
        // The sort is stable: of two events at one moment, the ring's comes first.
        told.sort_by_key(|(at, _)| *at);
        (told, ring.lost_exits)
    }

    /// Tells of one scan; returns when it was told. The ring is read after the look and told before
    /// it: whoever had started or ended by then has left its record there.
    fn scan(&self, moment: u64, delay: u64, before: u64, ring: &Ring, told: &mut Vec<Told>) -> u64 {
        let began = moment * TICK + SCAN;
        let records = ring
            .records
            .iter()
            .filter(|(happened, _)| *happened <= began);
        let read = records.map(|(_, told)| *told).max().unwrap_or(0);
        let at = before.max(read).max(began + delay * TICK);
        let mut alive = std::collections::BTreeSet::new();
        for life in &self.lives {
            let exec = life.id.started * TICK + EXEC;
            let ended = life.end.is_some_and(|end| end * TICK + EXIT <= began);
            if exec <= began && !ended {
                alive.insert(life.id);
                told.extend(
                    self.started(life, life.id.started * TICK)
                        .map(|event| (at, event)),
                );
            }
        }
        let began = Timestamp(began);
        told.push((at, Event::Scanned { alive, began }));
        at
    }
}

impl History {
    fn started(&self, life: &Life, at: u64) -> [Event; 2] {
        let container = ContainerId::new(CONTAINERS[life.container]);
        [
            Event::ContainerSeen {
                container: container.clone(),
                traits: Some(traits(life.container, self.naming)),
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

/// What the ring buffer tells.
#[derive(Default)]
struct Ring {
    told: Vec<Told>,
    /// When each record was made, and when it was told.
    records: Vec<(u64, u64)>,
    /// Scans that follow a loss, in ticks.
    scans: Vec<u64>,
    lost_starts: Vec<ProcessId>,
    lost_exits: Vec<ProcessId>,
}

impl Ring {
    fn of(history: &History, telling: &Telling) -> Self {
        let mut ring = Self::default();
        let mut happened: Vec<(u64, &Life, bool)> = Vec::new();
        for life in &history.lives {
            happened.push((life.id.started * TICK + EXEC, life, false));
            happened.extend(life.end.map(|end| (end * TICK + EXIT, life, true)));
        }
        happened.sort_by_key(|(at, ..)| *at);
        let mut loss = false;
        let mut now = 0;
        for (index, (at, life, is_exit)) in happened.into_iter().enumerate() {
            if telling.lost[index % telling.lost.len()] {
                loss = true;
                let list = if is_exit {
                    &mut ring.lost_exits
                } else {
                    &mut ring.lost_starts
                };
                list.push(life.id);
                continue;
            }
            now = now.max(at + telling.delay(index) * TICK);
            if std::mem::take(&mut loss) {
                ring.lose(now, telling.delay(index));
            }
            ring.records.push((at, now));
            if is_exit {
                ring.told.push((now, ended(life, at, index)));
            } else {
                ring.told
                    .extend(history.started(life, at).map(|event| (now, event)));
            }
        }
        if loss {
            ring.lose(now.max(OVER * TICK), 0);
        }
        ring
    }

    fn lose(&mut self, now: u64, delay: u64) {
        let at = Timestamp(now);
        self.told.push((now, Event::Lost { count: 1, at }));
        self.scans.push(now / TICK + 1 + delay);
    }
}

impl Telling {
    fn delay(&self, index: usize) -> u64 {
        self.delays[index % self.delays.len()]
    }
}

fn ended(life: &Life, at: u64, index: usize) -> Event {
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
fn traits(container: usize, naming: Naming) -> Traits {
    let is_sandbox = container == 0;
    let name = match container {
        ONE => POD,
        OTHER if naming == Naming::Flyte => "primary",
        _ => CONTAINERS[container],
    };
    let shares = container == OWN || container >= ONE;
    Traits {
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
    prop_oneof![
        (0..CONTAINERS.len(), any::<bool>()).prop_map(|(index, read)| Event::ContainerSeen {
            container: ContainerId::new(CONTAINERS[index]),
            traits: read.then(|| traits(index, Naming::Flyte)),
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
            status,
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
        at.prop_map(|at| Event::Lost { count: 1, at }),
    ]
}
