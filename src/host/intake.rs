//! The inputs of a room's connections on their way to it: bounded, each connection's in the order of arrival.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use smallvec::SmallVec;

use crate::{
    observe::{self, DropReason},
    protocol::Seat,
};

/// A share lets through what a client sends in a second at twice the tick rate, within bounds: after a stall it all comes at once.
const SHARE: RangeInclusive<u16> = 8..=64;

/// What is kept of the memory that a flood took.
const KEPT_BYTES: usize = 16 * 1024;

/// The queue between the readers of a room's sockets and its driver. Between two steps each seat has a share of so many inputs:
/// who floods loses its own. How many inputs a second are taken is for the room to say.
pub(super) struct Intake {
    queue: Mutex<Queue>,
    share: u16,
}

#[derive(Default)]
struct Queue {
    inputs: Batch,
    /// By seat, as far as seats were ever taken. Those of a small room are in the memory that the lock has brought in.
    holders: SmallVec<[Holder; 12]>,
    /// Connections that there were so far.
    connections: u32,
}

/// Who holds a seat now.
#[derive(Default, Clone)]
struct Holder {
    /// The number of its connection; 0 if nobody is connected.
    connection: u32,
    /// Its inputs since the last step.
    count: u16,
}

/// Inputs one behind the other, each with its seat and its length before it.
#[derive(Default)]
pub(super) struct Batch(Vec<u8>);

/// Where one connection's inputs go. Cheap to clone.
#[derive(Clone)]
pub struct Inlet {
    intake: Arc<Intake>,
    seat: Seat,
    connection: u32,
}

impl Intake {
    pub(super) fn new(hz: u16) -> Self {
        Self { queue: Mutex::default(), share: (hz * 2).clamp(*SHARE.start(), *SHARE.end()) }
    }

    /// The way in for a new connection, which does not hold its seat yet.
    pub(super) fn inlet(self: &Arc<Self>, seat: Seat) -> Inlet {
        let mut queue = self.queue();
        // Comes round after four thousand million connections to one room; 0 is nobody's.
        queue.connections = queue.connections.wrapping_add(1).max(1);
        Inlet { intake: self.clone(), seat, connection: queue.connections }
    }

    /// Takes what is queued, in exchange for an empty batch. Nobody waits meanwhile: readers go on with that one.
    pub(super) fn take(&self, into: &mut Batch) {
        into.0.clear();
        into.0.shrink_to(KEPT_BYTES);
        let mut queue = self.queue();
        std::mem::swap(&mut queue.inputs, into);
        queue.holders.iter_mut().for_each(|holder| holder.count = 0);
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

impl Inlet {
    /// Queues one input for the next step; one too many, or without a seat, is dropped and counted.
    pub fn push(&self, input: &[u8]) {
        let mut queue = self.intake.queue();
        let Queue { inputs, holders, .. } = &mut *queue;
        let holder = holders.get_mut(usize::from(self.seat.0)).filter(|holder| holder.connection == self.connection);
        let (Some(holder), Ok(length)) = (holder, u16::try_from(input.len())) else {
            return observe::dropped(DropReason::NotSeated);
        };
        if holder.count == self.intake.share {
            return observe::dropped(DropReason::InputShare);
        }
        holder.count += 1;
        let [low, high] = length.to_le_bytes();
        inputs.0.extend_from_slice(&[self.seat.0, low, high]);
        inputs.0.extend_from_slice(input);
    }

    /// From now on it holds the seat, and nobody else.
    pub(super) fn open(&self) {
        let mut queue = self.intake.queue();
        let at = usize::from(self.seat.0);
        if queue.holders.len() <= at {
            queue.holders.resize(at + 1, Holder::default());
        }
        queue.holders[at] = Holder { connection: self.connection, count: 0 };
    }

    /// It does not hold the seat any more.
    pub(super) fn close(&self) {
        let mut queue = self.intake.queue();
        let holder = queue.holders.get_mut(usize::from(self.seat.0)).filter(|holder| holder.connection == self.connection);
        holder.into_iter().for_each(|holder| *holder = Holder::default());
    }
}

impl PartialEq for Inlet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.intake, &other.intake) && self.connection == other.connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake() -> (Arc<Intake>, Inlet) {
        let intake = Arc::new(Intake::new(30));
        let inlet = intake.inlet(Seat(1));
        inlet.open();
        (intake, inlet)
    }

    fn taken(intake: &Intake) -> Vec<(u8, Vec<u8>)> {
        let mut batch = Batch::default();
        intake.take(&mut batch);
        batch.iter().map(|(seat, input)| (seat.0, input.to_vec())).collect()
    }

    #[test]
    fn inputs_come_out_in_the_order_they_came_in() {
        let (intake, one) = intake();
        let two = intake.inlet(Seat(2));
        two.open();
        let inputs: [(&Inlet, &[u8]); 4] = [(&one, &[1]), (&two, &[]), (&one, &[2; 300]), (&two, &[3, 4])];
        inputs.iter().for_each(|(inlet, input)| inlet.push(input));
        assert_eq!(taken(&intake), [(1, vec![1]), (2, vec![]), (1, vec![2; 300]), (2, vec![3, 4])]);
        assert!(taken(&intake).is_empty());
    }

    #[test]
    fn a_flood_is_cut_to_its_share_until_the_next_step() {
        let (intake, flood) = intake();
        let other = intake.inlet(Seat(2));
        other.open();
        (0..200).for_each(|byte| flood.push(&[byte]));
        other.push(&[9]);
        let inputs = taken(&intake);
        assert_eq!((inputs.len(), &inputs[60]), (61, &(2, vec![9])));
        flood.push(&[7]);
        assert_eq!(taken(&intake), [(1, vec![7])]);
    }

    #[test]
    fn only_who_holds_the_seat_is_heard() {
        let (intake, old) = intake();
        let new = intake.inlet(Seat(1));
        new.push(&[1]);
        old.push(&[2]);
        new.open();
        old.push(&[3]);
        old.close();
        new.push(&[4]);
        new.close();
        new.push(&[5]);
        assert_eq!(taken(&intake), [(1, vec![2]), (1, vec![4])]);
    }
}
