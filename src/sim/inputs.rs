//! The inputs that wait for their ticks, by seat.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    prefetch::prefetch,
    protocol::{InputColumns, Seat, Tick},
};

/// The most inputs of one seat that wait at once: one second ahead, at twice the highest tick rate.
const MAX_WAITING: usize = 256;

/// The parts of a tick in which times between ticks are counted.
pub const EIGHTHS: u32 = 8;

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
    /// Mostly one, which is beside the rest of the seat in memory.
    waiting: SmallVec<[Waiting; 2]>,
    acked: u16,
    margin: i8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Waiting {
    seq: u32,
    tick: Tick,
    margin: i8,
    columns: InputColumns,
    #[serde(default)]
    lag: Lag,
}

/// An input of a seat.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewInput {
    /// Its number.
    pub seq: u32,
    /// The tick for which it is meant; 0 is the next one.
    pub tick: Tick,
    /// How far behind that tick its player saw the others, in eighths of a tick; 0 if it does not say.
    pub behind: u16,
    /// Its columns, as the schema describes them.
    pub columns: InputColumns,
}

/// How far behind its own ticks a seat saw the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// In eighths of a tick; 0 if the seat does not say.
    pub behind: u16,
    /// By how many eighths of a tick more in the tick in which the input acts, because that is a later one than it was meant for.
    pub late: u16,
}

/// An input whose tick has come.
#[derive(Debug, Clone, PartialEq)]
pub struct DueInput {
    /// The seat that sent it.
    pub seat: Seat,
    /// Its columns, as the schema describes them.
    pub columns: InputColumns,
    /// How far behind its player saw the others.
    pub lag: Lag,
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
    /// Queues an input for its tick. `now` is the newest tick that was stepped.
    pub fn offer(&mut self, seat: Seat, now: Tick, input: NewInput) -> Offered {
        let NewInput { seq, tick, behind, columns } = input;
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
        let acts = wanted.max(next).max(after);
        let late = acts.since(wanted).saturating_mul(EIGHTHS).min(u16::MAX.into()) as u16;
        inputs.waiting.push(Waiting { seq, tick: acts, margin, columns, lag: Lag { behind, late } });
        if wanted < next { Offered::Late } else { Offered::Waits }
    }

    /// Replaces everything that waits for a seat by one input for the next tick.
    pub fn rest(&mut self, seat: Seat, now: Tick, columns: InputColumns) {
        let inputs = self.seats.entry(seat).or_default();
        inputs.waiting.clear();
        inputs.waiting.push(Waiting {
            seq: inputs.newest,
            tick: Tick(now.0 + 1),
            margin: inputs.margin,
            columns,
            lag: Lag::default(),
        });
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
                self.taken.push(DueInput { seat, columns: waiting.columns, lag: waiting.lag });
            }
        }
        &self.taken
    }

    /// Returns the earliest tick for which an input waits.
    pub(crate) fn next_due(&self) -> Option<Tick> {
        self.seats.values().filter_map(|inputs| Some(inputs.waiting.first()?.tick)).min()
    }

    /// Iterates over the seats in order. Each comes with the low 16 bits of the number of its newest input taken, and the ticks by
    /// which that input came before its own tick.
    pub fn all_acked(&self) -> impl Iterator<Item = (Seat, (u16, i8))> {
        self.seats.iter().map(|(seat, inputs)| (*seat, (inputs.acked, inputs.margin)))
    }

    /// Begins to fetch what [`take`](Self::take) looks at into the CPU's caches.
    pub(super) fn prefetch(&self) {
        prefetch(&*self.taken);
        self.seats.values().for_each(prefetch);
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

    fn offer(inputs: &mut Inputs, seq: u32, tick: u32, now: u32, columns: InputColumns) -> Offered {
        inputs.offer(SEAT, Tick(now), NewInput { seq, tick: Tick(tick), behind: 0, columns })
    }

    fn taken(inputs: &mut Inputs, tick: u32) -> Vec<i64> {
        inputs.take(Tick(tick)).iter().map(|taken| taken.columns[0]).collect()
    }

    #[test]
    fn inputs_wait_for_their_ticks() {
        let mut inputs = Inputs::default();
        assert_eq!(offer(&mut inputs, 1, 12, 9, smallvec![1]), Offered::Waits);
        assert_eq!(offer(&mut inputs, 2, 0, 9, smallvec![2]), Offered::Waits);
        assert_eq!(taken(&mut inputs, 10), [] as [i64; 0]);
        assert_eq!(taken(&mut inputs, 12), [1, 2], "a later number waits for the earlier one");
        assert_eq!(inputs.all_acked().next(), Some((SEAT, (2, 0))));
    }

    #[test]
    fn late_and_duplicate_inputs_are_distinguished() {
        let mut inputs = Inputs::default();
        assert_eq!(offer(&mut inputs, 5, 3, 9, smallvec![5]), Offered::Late);
        assert_eq!(offer(&mut inputs, 5, 10, 9, smallvec![6]), Offered::Duplicate);
        assert_eq!(offer(&mut inputs, 4, 10, 9, smallvec![7]), Offered::Duplicate);
        assert_eq!(taken(&mut inputs, 10), [5]);
        assert_eq!(inputs.all_acked().next(), Some((SEAT, (5, -7))));
    }

    #[test]
    fn the_waiting_inputs_of_a_seat_are_bounded() {
        let mut inputs = Inputs::default();
        for seq in 1..=MAX_WAITING as u32 {
            assert_eq!(offer(&mut inputs, seq, 0, 0, smallvec![]), Offered::Waits);
        }
        assert_eq!(offer(&mut inputs, 1000, 0, 0, smallvec![]), Offered::Full);
        assert_eq!(
            inputs.offer(Seat(2), Tick(0), NewInput { seq: 1, ..NewInput::default() }),
            Offered::Waits,
            "other seats are not affected"
        );
    }
}
