//! How two sources may tell a history: a ring buffer, in order, which may lose records and then
//! says so; and scans, which see who lives at one moment. Late, twice, one before the other.

use std::{collections::BTreeSet, mem::take};

use proptest::{prelude::*, sample::Index};

use super::history::{History, INIT, Life, OVER, ended};
use crate::track::{Event, ProcessId, Timestamp, process::TICK};

/// Within one tick: when a process execs, exits, and a scan begins, in nanoseconds.
const EXIT: u64 = 2_000_000;
const EXEC: u64 = 5_000_000;
const SCAN: u64 = 8_000_000;

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

    fn delay(&self, index: usize) -> u64 {
        self.delays[index % self.delays.len()]
    }
}

impl History {
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
    /// it: a process that had started or ended by then has left its record there.
    fn scan(&self, moment: u64, delay: u64, before: u64, ring: &Ring, told: &mut Vec<Told>) -> u64 {
        let began = moment * TICK + SCAN;
        let records = ring
            .records
            .iter()
            .filter(|(happened, _)| *happened <= began);
        let read = records.map(|(_, told)| *told).max().unwrap_or(0);
        let at = before.max(read).max(began + delay * TICK);
        let mut alive = BTreeSet::new();
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
            // Were the end of an init container known too late, it would count among the mains.
            if life.container != INIT && telling.lost[index % telling.lost.len()] {
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
            if take(&mut loss) {
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
