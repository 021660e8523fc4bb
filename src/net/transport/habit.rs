//! Decides how a connection is read: by its room at each step (*pulled*), or by Tokio's driver on an event.
//!
//! Clients that send an input on nearly every step are pulled, because an event for each input costs more than reading it. Everything
//! else that a pulled client sends waits for the next step. So a client that has sent anything else within a second is not pulled.

/// The lowest tick rate at which a room pulls, so that nothing waits longer than a fifteenth of a second.
const MIN_HZ: u16 = 15;

/// The steps without an input after which a connection is not pulled any more.
const MAX_IDLE_STEPS: u16 = 8;

#[derive(Default)]
pub(crate) struct Habit {
    is_pulled: bool,
    /// While pulled: the steps since the last input. Otherwise: the steps since the count began.
    steps: u16,
    /// While not pulled: the reads that brought inputs and nothing else.
    inputs: u16,
}

impl Habit {
    /// Returns whether the room reads at its steps, and the driver does not.
    pub(crate) fn is_pulled(&self) -> bool {
        self.is_pulled
    }

    /// Notes a read that brought inputs and nothing else.
    pub(crate) fn note_inputs(&mut self) {
        match self.is_pulled {
            true => self.steps = 0,
            false => self.inputs = self.inputs.saturating_add(1),
        }
    }

    /// Starts again, because something else came or no room pulls any more.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Notes a step of a room with `hz` steps a second. Returns whether the room reads.
    pub(crate) fn step(&mut self, hz: u16) -> bool {
        self.steps += 1;
        match self.is_pulled {
            true if self.steps > MAX_IDLE_STEPS => self.reset(),
            // Reads are bursty: inputs on half of the steps count as on every step.
            false if self.steps >= hz => *self = Self { is_pulled: hz >= MIN_HZ && self.inputs >= hz / 2, ..Self::default() },
            _ => {}
        }
        self.is_pulled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the steps until the room reads; `None` if it does not within three seconds.
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
        assert_eq!(steps(10, |_, habit| habit.note_inputs()), None, "at ten steps a second other messages would wait too long");
        assert_eq!(steps(20, |_, _| {}), None);
    }

    #[test]
    fn anything_else_starts_the_second_again() {
        let between = |step, habit: &mut Habit| {
            habit.note_inputs();
            if step == 15 {
                habit.reset();
            }
        };
        assert_eq!(steps(20, between), Some(34));
    }

    #[test]
    fn a_client_that_stops_is_not_pulled_any_more() {
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
