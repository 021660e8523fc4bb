//! The inputs of one connection on their way to its room: bounded, in order of arrival.

use std::{
    ops::RangeInclusive,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use smallvec::SmallVec;

use crate::observe::{self, DropReason};

/// A share lets through what a client sends in a second at twice the tick rate, within bounds: after a stall it all comes at once.
const SHARE: RangeInclusive<u16> = 8..=64;

/// What two inputs usually take: no memory is asked for.
const USUAL_BYTES: usize = 48;

/// The queue between a socket's reader and its room's driver. Between two steps it takes a share of so many inputs: who floods
/// loses its own. How many inputs a second are taken is for the room to say.
pub struct Intake {
    queue: Mutex<Queue>,
    /// Whether the connection holds its seat now. Cleared under the room's lock, read without it.
    live: AtomicBool,
    share: u16,
}

#[derive(Default)]
struct Queue {
    /// Inputs one behind the other, each with its length before it.
    bytes: SmallVec<[u8; USUAL_BYTES]>,
    count: u16,
}

impl Intake {
    pub(super) fn new(hz: u16) -> Self {
        let share = (hz * 2).clamp(*SHARE.start(), *SHARE.end());
        Self { queue: Mutex::default(), live: AtomicBool::new(false), share }
    }

    /// Queues one input for the next step; one too many, or without a seat, is dropped and counted. Never waits longer than for
    /// the driver to empty the queue.
    pub fn push(&self, input: &[u8]) {
        let (true, Ok(length)) = (self.is_live(), u16::try_from(input.len())) else {
            return observe::dropped(DropReason::NotSeated);
        };
        let mut queue = self.queue();
        if queue.count == self.share {
            drop(queue);
            return observe::dropped(DropReason::InputShare);
        }
        queue.count += 1;
        queue.bytes.extend_from_slice(&length.to_le_bytes());
        queue.bytes.extend_from_slice(input);
    }

    /// Takes what is queued. How many inputs there were.
    pub(super) fn drain(&self, mut take: impl FnMut(&[u8])) -> u64 {
        let mut queue = self.queue();
        let mut rest = &queue.bytes[..];
        while let Some((length, behind)) = rest.split_first_chunk() {
            let (input, behind) = behind.split_at(usize::from(u16::from_le_bytes(*length)));
            take(input);
            rest = behind;
        }
        let count = queue.count.into();
        queue.count = 0;
        // What a flood made of it is given back.
        if queue.bytes.spilled() {
            queue.bytes = SmallVec::new();
        } else {
            queue.bytes.clear();
        }
        count
    }

    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    pub(super) fn set_live(&self, live: bool) {
        self.live.store(live, Ordering::Release);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake() -> Intake {
        let intake = Intake::new(30);
        intake.set_live(true);
        intake
    }

    fn drained(intake: &Intake) -> Vec<Vec<u8>> {
        let mut inputs = Vec::new();
        let count = intake.drain(|input| inputs.push(input.to_vec()));
        assert_eq!(count, inputs.len() as u64);
        inputs
    }

    #[test]
    fn inputs_come_out_in_the_order_they_came_in() {
        let intake = intake();
        let inputs: [&[u8]; 4] = [&[1], &[], &[2; 300], &[3, 4]];
        inputs.iter().for_each(|input| intake.push(input));
        assert_eq!(drained(&intake), inputs);
        assert!(drained(&intake).is_empty());
    }

    #[test]
    fn a_flood_is_cut_to_its_share_until_the_next_step() {
        let intake = intake();
        (0..200).for_each(|byte| intake.push(&[byte]));
        assert_eq!(drained(&intake).len(), 60);
        intake.push(&[7]);
        assert_eq!(drained(&intake), [[7]]);
    }

    #[test]
    fn without_a_seat_nothing_is_taken() {
        let intake = intake();
        intake.set_live(false);
        intake.push(&[1]);
        assert!(drained(&intake).is_empty());
    }
}
