//! The inputs on their way to a room: bounded, in order of arrival, and fair to its seats.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use crate::protocol::Seat;

/// A share lets through what a client sends in a second at twice the tick rate, within bounds: after a stall it all comes at once.
const SHARE: std::ops::RangeInclusive<u16> = 8..=64;

/// The queue between the sockets' readers and a room's driver. Each seat has a share of its own between two steps: who floods loses
/// its own inputs. How many inputs a second are taken is for the room to say.
#[derive(Debug)]
pub(super) struct Inbox {
    queue: Mutex<Queue>,
    share: u16,
}

#[derive(Debug)]
struct Queue {
    inputs: Inputs,
    /// What is left of each seat's share until the next step.
    shares: Vec<u16>,
}

/// Inputs in order of arrival, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Whose each is, and where it ends.
    ends: Vec<(Seat, usize)>,
    bytes: Vec<u8>,
}

/// The seat's share is used up: the input is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShareUsed;

impl Inbox {
    pub(super) fn new(hz: u16, seats: u8) -> Self {
        let share = (hz * 2).clamp(*SHARE.start(), *SHARE.end());
        let queue = Queue { inputs: Inputs::default(), shares: vec![share; usize::from(seats) + 1] };
        Self { queue: Mutex::new(queue), share }
    }

    /// Queues one input. Never waits longer than for another reader's push or the driver's swap.
    pub(super) fn push(&self, seat: Seat, input: &[u8]) -> Result<(), ShareUsed> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        match queue.shares.get_mut(usize::from(seat.0)) {
            Some(left) if *left > 0 => *left -= 1,
            _ => return Err(ShareUsed),
        }
        queue.inputs.bytes.extend_from_slice(input);
        let end = queue.inputs.bytes.len();
        queue.inputs.ends.push((seat, end));
        Ok(())
    }

    /// Swaps the queued inputs into `inputs`, whose old ones are forgotten: the two take turns, nothing is allocated.
    pub(super) fn drain(&self, inputs: &mut Inputs) {
        inputs.ends.clear();
        inputs.bytes.clear();
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut queue.inputs, inputs);
        queue.shares.fill(self.share);
    }
}

impl Inputs {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Seat, &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        starts.zip(&self.ends).map(|(start, (seat, end))| (*seat, &self.bytes[start..*end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(inbox: &Inbox) -> Vec<(u8, u8)> {
        let mut inputs = Inputs::default();
        inbox.drain(&mut inputs);
        inputs.iter().map(|(seat, bytes)| (seat.0, bytes[0])).collect()
    }

    fn push(inbox: &Inbox, seat: u8, byte: u8) -> Result<(), ShareUsed> {
        inbox.push(Seat(seat), &[byte])
    }

    #[test]
    fn inputs_come_out_in_the_order_they_came_in() {
        let inbox = Inbox::new(30, 2);
        for (seat, byte) in [(1, 1), (2, 2), (1, 3)] {
            push(&inbox, seat, byte).unwrap();
        }
        assert_eq!(drained(&inbox), [(1, 1), (2, 2), (1, 3)]);
        assert_eq!(drained(&inbox), []);
    }

    #[test]
    fn a_flood_costs_its_own_seat_alone() {
        let inbox = Inbox::new(30, 2);
        let taken = (0..200).filter(|byte| push(&inbox, 1, *byte).is_ok()).count();
        assert_eq!(taken, 60);
        assert_eq!(push(&inbox, 2, 7), Ok(()));
        assert_eq!(drained(&inbox).last(), Some(&(2, 7)));
    }

    #[test]
    fn a_share_comes_back_when_the_inbox_is_drained() {
        let inbox = Inbox::new(30, 1);
        while push(&inbox, 1, 0).is_ok() {}
        drained(&inbox);
        assert_eq!(push(&inbox, 1, 0), Ok(()));
    }

    #[test]
    fn a_seat_that_is_not_there_has_no_share() {
        assert_eq!(push(&Inbox::new(30, 2), 3, 0), Err(ShareUsed));
    }
}
