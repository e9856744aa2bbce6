//! Schedules of random lives of files.

use proptest::prelude::*;

use super::*;

const PART_SIZE: u64 = 100;

/// What happens to a file, each time after a pause of milliseconds.
#[derive(Clone, Debug)]
enum Happens {
    /// It grows by so many bytes, and stays open or not.
    Written(u64, bool),
    /// It is closed, or its last mapping goes.
    Closed,
    /// The kernel reports an event.
    Touched,
}

fn happens() -> impl Strategy<Value = (u64, Happens)> {
    let what = prop_oneof![
        (0_u64..200, any::<bool>()).prop_map(|(bytes, open)| Happens::Written(bytes, open)),
        Just(Happens::Closed),
        Just(Happens::Touched),
    ];
    (0_u64..900, what)
}

/// A file as the kernel would report it, and what was done with it.
struct Played {
    schedule: Schedule,
    path: Arc<Path>,
    tells: bool,
    now: Instant,
    size: u64,
    changed: Instant,
    is_open: bool,
    sent: Option<(u64, Instant)>,
    /// Bytes that went up as parts.
    in_parts: u64,
    sends: u32,
    looks: u32,
}

impl Played {
    fn new(tells: bool) -> Self {
        let now = Instant::now();
        Self {
            schedule: Schedule::default(),
            path: Arc::from(Path::new("o")),
            tells,
            now,
            size: 0,
            changed: now,
            is_open: false,
            sent: None,
            in_parts: 0,
            sends: 0,
            looks: 0,
        }
    }

    fn happen(&mut self, what: &Happens) {
        match what {
            Happens::Written(bytes, open) => {
                self.size += bytes;
                self.changed = self.now;
                self.is_open = *open;
            }
            Happens::Closed => self.is_open = false,
            Happens::Touched => {}
        }
        if !self.is_open {
            self.schedule.touched(&self.path, self.now);
        }
    }

    /// Lets time pass and takes all looks that are due.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.schedule.next().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.look();
        }
        self.now = end;
    }

    fn look(&mut self) {
        let (path, taken) = self.schedule.take(self.now).unwrap();
        self.looks += 1;
        let writers = match (self.tells, self.is_open) {
            (false, _) => Writers::Unknown,
            (true, true) => Writers::Some,
            (true, false) => Writers::None,
        };
        let state = (self.size, self.changed);
        let seen = Observed {
            size: self.size,
            age: self.now - self.changed,
            writers,
            is_sent: self.sent == Some(state),
            in_parts: self.in_parts,
        };
        match self.schedule.step(&path, taken, &seen, PART_SIZE, self.now) {
            Step::Send => {
                assert!(seen.age >= QUIET, "too early: {seen:?}");
                assert_ne!(writers, Writers::Some, "still written");
                self.sent = Some(state);
                self.sends += 1;
                self.schedule.sent(&path);
                self.in_parts = 0;
            }
            Step::Grow => {
                assert!(
                    self.size >= self.in_parts + 2 * PART_SIZE,
                    "too small: {seen:?}"
                );
                self.in_parts = (self.size / PART_SIZE - 1) * PART_SIZE;
            }
            Step::Wait => assert!(self.schedule.next().is_some(), "forgotten"),
            Step::Nothing => assert!(seen.is_sent),
        }
    }
}

proptest! {
    #[test]
    fn a_closed_file_is_sent_in_the_end_and_not_too_early(
        tells: bool,
        life in prop::collection::vec(happens(), 1..40),
    ) {
        let mut played = Played::new(tells);
        for (pause, what) in &life {
            played.pass(Duration::from_millis(*pause));
            played.happen(what);
        }
        played.happen(&Happens::Closed);
        // At the latest after the longest quiet and one pause.
        played.pass(LONGEST_QUIET + LONGEST_PAUSE + PATIENCE);
        prop_assert_eq!(played.sent, Some((played.size, played.changed)));
        prop_assert!(played.schedule.next().is_none(), "{:?}", played.schedule);
        prop_assert!(played.looks < 2_000);
    }
}

#[test]
fn a_file_that_is_rewritten_all_the_time_is_sent_a_few_times() {
    let mut played = Played::new(true);
    // Once a second, for an hour.
    for _ in 0..3_600 {
        played.happen(&Happens::Written(1, false));
        played.pass(Duration::from_secs(1));
    }
    assert!((1..4).contains(&played.sends), "{}", played.sends);
}

#[test]
fn a_file_that_grows_in_many_openings_is_looked_at_all_the_same() {
    let mut played = Played::new(true);
    for _ in 0..200 {
        played.happen(&Happens::Written(10, false));
        played.pass(Duration::from_millis(100));
    }
    assert!(played.looks >= 4, "{}", played.looks);
}

#[test]
fn a_file_that_stays_open_and_idle_is_looked_at_less_and_less() {
    let mut played = Played::new(true);
    played.happen(&Happens::Written(10, false));
    played.is_open = true;
    played.pass(Duration::from_secs(100));
    assert!((8..20).contains(&played.looks), "{}", played.looks);
}

#[test]
fn a_file_that_has_grown_goes_up_also_when_it_rests() {
    let mut played = Played::new(true);
    played.happen(&Happens::Touched);
    played.is_open = true;
    for _ in 0..40 {
        played.size += PART_SIZE;
        played.changed = played.now;
        played.pass(Duration::from_millis(100));
    }
    assert!(played.in_parts > 0);
    played.pass(Duration::from_mins(1));
    assert_eq!(played.in_parts, 39 * PART_SIZE);
}
