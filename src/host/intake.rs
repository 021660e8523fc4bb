//! The queue of inputs to a room: bounded, and in order of arrival.

use std::{
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    task::Waker,
};

use smallvec::SmallVec;

use crate::{
    observe::{self, DropReason},
    protocol::Seat,
};

/// The bounds of a share. Within them it is what a client sends in a second at twice the tick rate, because all of it arrives at
/// once after a stall.
const SHARE: RangeInclusive<u16> = 8..=64;

/// How much memory is kept for the next batch after a flood.
const KEPT_BYTES: usize = 16 * 1024;

/// The queue between the readers of a room's sockets and its driver.
///
/// Each seat has a share: the most inputs that it can queue between two steps. So a client that floods loses only its own inputs.
/// The room itself limits the inputs a second.
pub(super) struct Intake {
    queue: Mutex<Queue>,
    share: u16,
    /// Woken by the first input after a step, if the room does not look at the queue in each tick.
    waker: OnceLock<Waker>,
}

#[derive(Default)]
struct Queue {
    inputs: Batch,
    /// By seat, up to the highest seat ever taken. Those of a small room are inline, next to the lock.
    holders: SmallVec<[Holder; 12]>,
    /// The number of connections so far.
    connections: u32,
}

/// The connection that has a seat.
#[derive(Default, Clone)]
struct Holder {
    /// The number of the connection; 0 if nobody is connected.
    connection: u32,
    /// Its inputs since the last step.
    count: u16,
}

/// Inputs back to back, each after its seat (1 byte) and its length (2 bytes, little-endian).
#[derive(Default)]
pub(super) struct Batch(Vec<u8>);

/// One connection to a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) seat: Seat,
    /// The number of the connection, from 1.
    connection: u32,
}

impl Intake {
    pub(super) fn new(hz: u16) -> Self {
        Self { queue: Mutex::default(), share: (hz * 2).clamp(*SHARE.start(), *SHARE.end()), waker: OnceLock::new() }
    }

    /// Has the first input of each batch wake somebody. Only the first call has an effect.
    pub(super) fn wakes(&self, waker: &Waker) {
        self.waker.get_or_init(|| waker.clone());
    }

    /// Numbers a new connection, which does not have its seat yet.
    pub(super) fn sender(&self, seat: Seat) -> Sender {
        let mut queue = self.queue();
        // Wraps after 2^32 connections to one room; 0 means that nobody holds the seat.
        queue.connections = queue.connections.wrapping_add(1).max(1);
        Sender { seat, connection: queue.connections }
    }

    /// Swaps the queued inputs for an empty batch, so that readers hardly wait.
    pub(super) fn take(&self, into: &mut Batch) {
        into.0.clear();
        into.0.shrink_to(KEPT_BYTES);
        let mut queue = self.queue();
        std::mem::swap(&mut queue.inputs, into);
        queue.holders.iter_mut().for_each(|holder| holder.count = 0);
    }

    /// Queues an input for the next step. An input beyond the share, or from a connection without the seat, is dropped and counted.
    pub(super) fn push(&self, from: Sender, input: &[u8]) {
        let mut queue = self.queue();
        let Queue { inputs, holders, .. } = &mut *queue;
        let holder = holders.get_mut(usize::from(from.seat.0)).filter(|holder| holder.connection == from.connection);
        let (Some(holder), Ok(length)) = (holder, u16::try_from(input.len())) else {
            return observe::dropped(DropReason::NotSeated);
        };
        if holder.count == self.share {
            return observe::dropped(DropReason::InputShare);
        }
        holder.count += 1;
        let [low, high] = length.to_le_bytes();
        let is_first = inputs.0.is_empty();
        inputs.0.extend_from_slice(&[from.seat.0, low, high]);
        inputs.0.extend_from_slice(input);
        drop(queue);
        if is_first && let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Gives the seat to this connection, and takes it from any other.
    pub(super) fn open(&self, from: Sender) {
        let mut queue = self.queue();
        let at = usize::from(from.seat.0);
        if queue.holders.len() <= at {
            queue.holders.resize(at + 1, Holder::default());
        }
        queue.holders[at] = Holder { connection: from.connection, count: 0 };
    }

    /// Takes the seat from this connection, if it still has it.
    pub(super) fn close(&self, from: Sender) {
        let mut queue = self.queue();
        let holder = queue.holders.get_mut(usize::from(from.seat.0)).filter(|holder| holder.connection == from.connection);
        holder.into_iter().for_each(|holder| *holder = Holder::default());
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    /// The inputs, in the order of arrival.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Seat, &[u8])> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (&[seat, low, high], behind) = rest.split_first_chunk()?;
            let (input, behind) = behind.split_at(usize::from(u16::from_le_bytes([low, high])));
            rest = behind;
            Some((Seat(seat), input))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake() -> (Intake, Sender) {
        let intake = Intake::new(30);
        let one = intake.sender(Seat(1));
        intake.open(one);
        (intake, one)
    }

    fn taken(intake: &Intake) -> Vec<(u8, Vec<u8>)> {
        let mut batch = Batch::default();
        intake.take(&mut batch);
        batch.iter().map(|(seat, input)| (seat.0, input.to_vec())).collect()
    }

    #[test]
    fn inputs_come_out_in_the_order_they_came_in() {
        let (intake, one) = intake();
        let two = intake.sender(Seat(2));
        intake.open(two);
        let inputs: [(Sender, &[u8]); 4] = [(one, &[1]), (two, &[]), (one, &[2; 300]), (two, &[3, 4])];
        inputs.iter().for_each(|(from, input)| intake.push(*from, input));
        assert_eq!(taken(&intake), [(1, vec![1]), (2, vec![]), (1, vec![2; 300]), (2, vec![3, 4])]);
        assert!(taken(&intake).is_empty());
    }

    #[test]
    fn a_flood_is_cut_to_its_share_until_the_next_step() {
        let (intake, flood) = intake();
        let other = intake.sender(Seat(2));
        intake.open(other);
        (0..200).for_each(|byte| intake.push(flood, &[byte]));
        intake.push(other, &[9]);
        let inputs = taken(&intake);
        assert_eq!((inputs.len(), &inputs[60]), (61, &(2, vec![9])));
        intake.push(flood, &[7]);
        assert_eq!(taken(&intake), [(1, vec![7])]);
    }

    #[test]
    fn only_who_holds_the_seat_is_heard() {
        let (intake, old) = intake();
        let new = intake.sender(Seat(1));
        intake.push(new, &[1]);
        intake.push(old, &[2]);
        intake.open(new);
        intake.push(old, &[3]);
        intake.close(old);
        intake.push(new, &[4]);
        intake.close(new);
        intake.push(new, &[5]);
        assert_eq!(taken(&intake), [(1, vec![2]), (1, vec![4])]);
    }
}
