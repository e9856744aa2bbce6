//! A source that for a while could not see which containers live.

use super::*;

#[test]
fn a_main_that_may_have_come_and_gone_unseen_is_not_taken_for_a_good_one() {
    for (sight, without, with) in [
        (Sight::Knows, Some(Ending::Unseen), Some(Ending::StatusLost)),
        // It never knows how a process ended: the outputs decide, as always.
        (Sight::Sees, Some(Ending::Unseen), Some(Ending::Unseen)),
        // The gap lasts, so main may still run.
        (Sight::Lost, None, None),
    ] {
        for (had_gap, expected) in [(false, without), (true, with)] {
            let mut state = State::new(Rules::default());
            if had_gap {
                state.had_gap();
            }
            let ending = state.ask(Moment::Sigterm, sight);
            assert_eq!(ending, expected, "{sight:?} {had_gap}");
        }
    }
}

/// The end of a container that may have been an init container says nothing of a main that nobody saw.
#[test]
fn a_good_end_in_doubt_does_not_stand_for_a_main_that_nobody_saw() {
    for (had_gap, expected) in [
        (false, Ending::Exited(ExitStatus::Code(0))),
        (true, Ending::StatusLost),
    ] {
        let mut state = State::new(rules());
        for event in [
            seen(INIT, Some(evidence("prepare", true, Stage::Complete))),
            started(INIT, 10),
            ended(INIT, 10, ExitStatus::Code(0), 20),
        ] {
            state.observe("pidfd", event);
        }
        if had_gap {
            state.had_gap();
        }
        let ending = state.ask(Moment::Sigterm, Sight::Knows);
        assert_eq!(ending, Some(expected), "{had_gap}");
    }
}
