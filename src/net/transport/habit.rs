//! What a connection is used for, by the steps of its room: who sends inputs at nearly every step is asked for them at the step, and
//! not watched in between. An event for each input would cost more than to read it. What else such a client sends waits for the
//! step; so whoever has sent anything else within a second is watched.

/// A room that steps less often leaves its connections to be watched: nothing waits longer than a fifteenth of a second.
const LEAST_HZ: u16 = 15;

/// Who has sent no input for so many steps is watched again.
const MOST_IDLE_STEPS: u16 = 8;

#[derive(Default)]
pub(crate) struct Habit {
    is_pulled: bool,
    /// While it is watched, steps since the count began; else those since the last input.
    steps: u16,
    /// While it is watched, reads that brought inputs and nothing else.
    inputs: u16,
}

impl Habit {
    /// Whether the room reads at its steps, and nobody in between.
    pub(crate) fn is_pulled(&self) -> bool {
        self.is_pulled
    }

    /// Inputs came, and nothing else.
    pub(crate) fn note_inputs(&mut self) {
        match self.is_pulled {
            true => self.steps = 0,
            false => self.inputs = self.inputs.saturating_add(1),
        }
    }

    /// Something else came, or nobody asks any more.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// The room steps, so many times a second. Whether it reads.
    pub(crate) fn step(&mut self, hz: u16) -> bool {
        self.steps += 1;
        match self.is_pulled {
            true if self.steps > MOST_IDLE_STEPS => self.reset(),
            // Reads come in bunches at times: half of the steps are nearly all of them.
            false if self.steps >= hz => *self = Self { is_pulled: hz >= LEAST_HZ && self.inputs >= hz / 2, ..Self::default() },
            _ => {}
        }
        self.is_pulled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps until the room reads, if it comes to that within three seconds.
    fn steps(hz: u16, mut between: impl FnMut(u16, &mut Habit)) -> Option<u16> {
        let mut habit = Habit::default();
        (1..=hz * 3).find(|step| {
            between(*step, &mut habit);
            habit.step(hz)
        })
    }

    #[test]
    fn a_second_of_inputs_alone_is_a_habit() {
        assert_eq!(steps(20, |_, habit| habit.note_inputs()), Some(20));
        assert_eq!(steps(60, |step, habit| (0..step % 2).for_each(|_| habit.note_inputs())), Some(60));
        assert_eq!(steps(60, |step, habit| (0..u16::from(step % 3 == 0)).for_each(|_| habit.note_inputs())), None);
        assert_eq!(steps(10, |_, habit| habit.note_inputs()), None, "at ten steps a second the rest would wait for long");
        assert_eq!(steps(20, |_, _| {}), None);
    }

    #[test]
    fn anything_else_begins_the_second_anew() {
        let between = |step, habit: &mut Habit| {
            habit.note_inputs();
            if step == 15 {
                habit.reset();
            }
        };
        assert_eq!(steps(20, between), Some(34));
    }

    #[test]
    fn who_stops_is_watched_again() {
        let mut habit = Habit { is_pulled: true, ..Habit::default() };
        for _ in 0..100 {
            assert!(habit.step(20));
            habit.note_inputs();
        }
        assert_eq!((1..).find(|_| !habit.step(20)), Some(9));
        assert_eq!(
            (1..).find(|_| {
                habit.note_inputs();
                habit.step(20)
            }),
            Some(20)
        );
    }
}
