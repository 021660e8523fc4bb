//! The inputs that wait for their ticks, by seat.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::{InputColumns, Seat, Tick};

/// The most inputs of one seat that wait at once: one second ahead, at twice the highest tick rate.
const MAX_WAITING: usize = 256;

/// The inputs that wait for their ticks. They are part of the match and saved with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    seats: BTreeMap<Seat, SeatInputs>,
    #[serde(skip)]
    taken: Vec<DueInput>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct SeatInputs {
    newest: u32,
    waiting: Vec<Waiting>,
    acked: u16,
    margin: i8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Waiting {
    seq: u32,
    tick: Tick,
    margin: i8,
    columns: InputColumns,
}

/// An input whose tick has come.
#[derive(Debug, Clone, PartialEq)]
pub struct DueInput {
    /// The seat that sent it.
    pub seat: Seat,
    /// Its columns, as the schema describes them.
    pub columns: InputColumns,
}

/// The result of offering an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It waits for its tick.
    Waits,
    /// Its tick was already stepped; it waits for the next one.
    Late,
    /// Its number is not above the newest one, so it came before.
    Duplicate,
    /// Too many inputs of the seat wait already.
    Full,
}

impl Inputs {
    /// Queues an input for `tick` (0: the next one). `now` is the newest tick that was stepped.
    pub fn offer(&mut self, seat: Seat, seq: u32, tick: Tick, now: Tick, columns: InputColumns) -> Offered {
        let inputs = self.seats.entry(seat).or_default();
        if seq <= inputs.newest {
            return Offered::Duplicate;
        }
        if inputs.waiting.len() >= MAX_WAITING {
            return Offered::Full;
        }
        inputs.newest = seq;
        let next = Tick(now.0 + 1);
        let wanted = if tick == Tick(0) { next } else { tick };
        let margin = (i64::from(wanted.0) - i64::from(next.0)).clamp(-32, 127) as i8;
        // A later number never acts before an earlier one.
        let after = inputs.waiting.last().map_or(next, |last| last.tick);
        inputs.waiting.push(Waiting { seq, tick: wanted.max(next).max(after), margin, columns });
        if wanted < next { Offered::Late } else { Offered::Waits }
    }

    /// Replaces everything that waits for a seat by one input for the next tick.
    pub fn rest(&mut self, seat: Seat, now: Tick, columns: InputColumns) {
        let inputs = self.seats.entry(seat).or_default();
        inputs.waiting.clear();
        inputs.waiting.push(Waiting { seq: inputs.newest, tick: Tick(now.0 + 1), margin: inputs.margin, columns });
    }

    /// Takes the inputs that are due at a tick, ordered by seat and then by number.
    pub fn take(&mut self, tick: Tick) -> &[DueInput] {
        self.taken.clear();
        for (&seat, inputs) in &mut self.seats {
            let due = inputs.waiting.iter().take_while(|waiting| waiting.tick <= tick).count();
            if due == 0 {
                continue;
            }
            for waiting in inputs.waiting.drain(..due) {
                (inputs.acked, inputs.margin) = (waiting.seq as u16, waiting.margin);
                self.taken.push(DueInput { seat, columns: waiting.columns });
            }
        }
        &self.taken
    }

    /// Iterates over the seats in order. Each comes with the low 16 bits of the number of its newest input taken, and the ticks by
    /// which that input came before its own tick.
    pub fn all_acked(&self) -> impl Iterator<Item = (Seat, (u16, i8))> {
        self.seats.iter().map(|(seat, inputs)| (*seat, (inputs.acked, inputs.margin)))
    }

    /// Forgets a seat. Its next player numbers inputs from 1 again.
    pub fn forget(&mut self, seat: Seat) {
        self.seats.remove(&seat);
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;

    const SEAT: Seat = Seat(1);

    fn taken(inputs: &mut Inputs, tick: u32) -> Vec<i64> {
        inputs.take(Tick(tick)).iter().map(|taken| taken.columns[0]).collect()
    }

    #[test]
    fn inputs_wait_for_their_ticks() {
        let mut inputs = Inputs::default();
        assert_eq!(inputs.offer(SEAT, 1, Tick(12), Tick(9), smallvec![1]), Offered::Waits);
        assert_eq!(inputs.offer(SEAT, 2, Tick(0), Tick(9), smallvec![2]), Offered::Waits);
        assert_eq!(taken(&mut inputs, 10), [] as [i64; 0]);
        assert_eq!(taken(&mut inputs, 12), [1, 2], "a later number waits for the earlier one");
        assert_eq!(inputs.all_acked().next(), Some((SEAT, (2, 0))));
    }

    #[test]
    fn late_and_duplicate_inputs_are_distinguished() {
        let mut inputs = Inputs::default();
        assert_eq!(inputs.offer(SEAT, 5, Tick(3), Tick(9), smallvec![5]), Offered::Late);
        assert_eq!(inputs.offer(SEAT, 5, Tick(10), Tick(9), smallvec![6]), Offered::Duplicate);
        assert_eq!(inputs.offer(SEAT, 4, Tick(10), Tick(9), smallvec![7]), Offered::Duplicate);
        assert_eq!(taken(&mut inputs, 10), [5]);
        assert_eq!(inputs.all_acked().next(), Some((SEAT, (5, -7))));
    }

    #[test]
    fn the_waiting_inputs_of_a_seat_are_bounded() {
        let mut inputs = Inputs::default();
        for seq in 1..=MAX_WAITING as u32 {
            assert_eq!(inputs.offer(SEAT, seq, Tick(0), Tick(0), smallvec![]), Offered::Waits);
        }
        assert_eq!(inputs.offer(SEAT, 1000, Tick(0), Tick(0), smallvec![]), Offered::Full);
        assert_eq!(inputs.offer(Seat(2), 1, Tick(0), Tick(0), smallvec![]), Offered::Waits, "other seats are not affected");
    }
}
