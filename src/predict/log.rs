//! The inputs of one seat, by the ticks in which they act.

use std::collections::VecDeque;

use crate::{game::GameInput, protocol::Tick};

/// The most inputs that wait for an answer. More than a server takes in a second of the highest tick rate.
const MAX_WAITING: usize = 256;

/// The inputs that the server has not been seen to take, and the one before them.
pub(super) struct InputLog<I> {
    /// The newest input that the server took, without its one-shots.
    held: I,
    waiting: VecDeque<Waiting<I>>,
}

struct Waiting<I> {
    seq: u32,
    /// The tick in which it acts. The server takes an input for a past tick in its next one.
    acts: Tick,
    input: I,
}

impl<I: GameInput> InputLog<I> {
    pub fn new() -> Self {
        Self { held: I::default(), waiting: VecDeque::new() }
    }

    /// Adds an input that was sent for a tick. A number that is not above the newest one is ignored, as the server does.
    pub fn push(&mut self, seq: u32, tick: Tick, input: I) {
        let newest = self.waiting.back();
        if newest.is_some_and(|newest| newest.seq >= seq) {
            return;
        }
        // A later number never acts before an earlier one.
        let acts = newest.map_or(tick, |newest| tick.max(newest.acts));
        if self.waiting.len() >= MAX_WAITING {
            self.take_first();
        }
        self.waiting.push_back(Waiting { seq, acts, input });
    }

    /// Takes the server's word at a tick: `ack` has the low 16 bits of the number of the newest input that it has taken by then. Inputs
    /// that should have acted by then and are not among those come late, and are moved to the next tick. Returns whether any input acts in
    /// another tick than was thought.
    pub fn acknowledge(&mut self, at: Tick, ack: u16) -> bool {
        let mut is_moved = false;
        while self.waiting.front().is_some_and(|first| is_acknowledged(first.seq, ack)) {
            is_moved |= self.take_first() > at;
        }
        let next = Tick(at.0.saturating_add(1));
        for late in self.waiting.iter_mut().take_while(|waiting| waiting.acts <= at) {
            late.acts = next;
            is_moved = true;
        }
        is_moved
    }

    /// Forgets the input that is held, for an avatar that has just been spawned. It gets only inputs that come later.
    pub fn release(&mut self) {
        self.held = I::default();
    }

    /// Returns the input for a tick. The ticks before it that are still of interest have been acknowledged or asked for.
    pub fn at(&self, tick: Tick) -> I {
        let count = self.waiting.partition_point(|waiting| waiting.acts <= tick);
        let Some(newest) = count.checked_sub(1).map(|at| &self.waiting[at]) else { return self.held.clone() };
        let mut input = newest.input.clone();
        if newest.acts < tick {
            input.clear_shots();
            return input;
        }
        // The shots of all inputs of one tick are kept, as the server does.
        let earlier = self.waiting.range(..count - 1).rev().take_while(|waiting| waiting.acts == tick);
        earlier.for_each(|earlier| input.keep_shots(&earlier.input));
        input
    }

    /// Moves the first input out of the waiting ones. Returns when it was thought to act.
    fn take_first(&mut self) -> Tick {
        let Some(Waiting { acts, mut input, .. }) = self.waiting.pop_front() else { return Tick(0) };
        input.clear_shots();
        self.held = input;
        acts
    }
}

/// Returns whether a number is the acknowledged one or before it. Numbers on the way are fewer than 2^15.
fn is_acknowledged(seq: u32, ack: u16) -> bool {
    ack.wrapping_sub(seq as u16) < 1 << 15
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[derive(GameInput, Clone, Default, Debug, PartialEq)]
    struct Pad {
        x: i8,
        #[one_shot]
        fire: bool,
    }

    fn pad(x: i8, fire: bool) -> Pad {
        Pad { x, fire }
    }

    fn log(inputs: &[(u32, u32, Pad)]) -> InputLog<Pad> {
        let mut log = InputLog::new();
        inputs.iter().for_each(|(seq, tick, input)| log.push(*seq, Tick(*tick), input.clone()));
        log
    }

    #[test]
    fn an_input_holds_and_a_shot_does_not() {
        let log = log(&[(1, 5, pad(1, true)), (2, 8, pad(2, false))]);
        let at = |tick| log.at(Tick(tick));
        assert_eq!(
            [4, 5, 6, 7, 8, 9].map(at).map(|pad| (pad.x, pad.fire)),
            [(0, false), (1, true), (1, false), (1, false), (2, false), (2, false)]
        );
    }

    #[test]
    fn inputs_of_one_tick_keep_their_shots() {
        let log = log(&[(1, 5, pad(1, true)), (2, 3, pad(2, false)), (2, 9, pad(7, true))]);
        assert_eq!(
            log.at(Tick(5)),
            pad(2, true),
            "a later number never acts before an earlier one, and a repeated one is ignored"
        );
    }

    #[test]
    fn late_inputs_move_to_the_tick_in_which_they_acted() {
        let mut log = log(&[(1, 5, pad(1, true)), (2, 6, pad(2, false)), (3, 9, pad(3, false))]);
        assert!(!log.acknowledge(Tick(4), 0));
        assert!(log.acknowledge(Tick(5), 0), "the first should have acted");
        assert_eq!(log.at(Tick(6)), pad(2, true));
        assert!(log.acknowledge(Tick(6), 0), "and the second");
        assert_eq!(log.at(Tick(7)), pad(2, true));
        assert!(!log.acknowledge(Tick(7), 2));
        assert_eq!([log.at(Tick(8)), log.at(Tick(9))], [pad(2, false), pad(3, false)]);
    }

    #[test]
    fn acknowledgements_wrap_after_16_bits() {
        let mut log = log(&[(65_535, 5, pad(1, false)), (65_536, 6, pad(2, false)), (65_537, 7, pad(3, false))]);
        log.acknowledge(Tick(6), 0);
        assert_eq!((log.held.x, log.waiting.len()), (2, 1));
    }

    #[test]
    fn the_log_is_bounded() {
        let mut log = InputLog::new();
        (1..=1000).for_each(|seq| log.push(seq, Tick(seq), pad(seq as i8, false)));
        assert_eq!(log.waiting.len(), MAX_WAITING);
        assert_eq!(log.held, pad((1000 - MAX_WAITING) as i8, false));
    }
}
