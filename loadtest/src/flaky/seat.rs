//! A client's seat in a match, over as many connections as that takes.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use super::messages::Welcome;
use crate::connection::GAMEPLAY;
use crate::inputs::InputGenerator;
use crate::replica::{FrameResult, Head, Replica, Resync};
use crate::wire::BinaryEvent;

pub(crate) struct Seat {
    pub(crate) room: String,
    pub(crate) resume: String,
    /// When the client took the seat for the first time.
    pub(crate) taken: Instant,
    /// When the newest frame or welcome came.
    pub(crate) last_heard: Instant,
    replica: Replica,
    inputs: InputGenerator,
    event: BinaryEvent,
    seq: u32,
    /// The number of the last input before this connection.
    entered_with: u32,
    /// Whether the server has taken an input that came over this connection.
    pub(crate) is_confirmed: bool,
}

/// A frame that does not fit, and the request that mends it.
pub(crate) struct Misfit {
    pub(crate) kind: &'static str,
    pub(crate) resync: Resync,
}

impl Seat {
    pub(crate) fn new(welcome: Welcome, seed: u64, now: Instant) -> Self {
        let Welcome { room, tick, schema, resume, .. } = welcome;
        let inputs = InputGenerator::new(&schema.input.fields, ChaCha8Rng::seed_from_u64(seed).random());
        Self {
            room,
            resume,
            taken: now,
            last_heard: now,
            replica: Replica::new(tick, Some(schema.into())),
            inputs,
            event: BinaryEvent::new(GAMEPLAY, "i"),
            seq: 0,
            entered_with: 0,
            is_confirmed: false,
        }
    }

    /// Goes on over another connection, with the same mirror and the numbers of the inputs.
    pub(crate) fn go_on(&mut self, resume: String, now: Instant) {
        (self.resume, self.last_heard) = (resume, now);
        (self.entered_with, self.is_confirmed) = (self.seq, false);
    }

    /// The tick that the mirror holds.
    pub(crate) fn held(&self) -> Option<u32> {
        self.replica.held()
    }

    pub(crate) fn input(&mut self) -> Vec<u8> {
        self.seq += 1;
        self.event.packet(&self.inputs.next([self.replica.ack().into(), self.seq.into(), 0]))
    }

    /// Applies a frame and checks its checksums.
    pub(crate) fn take(&mut self, frame: &[u8], now: Instant) -> Option<Misfit> {
        self.last_heard = now;
        if let Some(head) = Head::read(frame) {
            // A run is too short for 65,536 inputs, where the acknowledged numbers begin again.
            self.is_confirmed |= u32::from(head.ack) > self.entered_with;
        }
        let (kind, resync) = match self.replica.take(frame, now) {
            FrameResult::Held | FrameResult::Mended(_) | FrameResult::Ignored => return None,
            FrameResult::WrongBase(resync) | FrameResult::AskAgain(resync) => ("wrong_base", resync),
            FrameResult::BadFrame(resync) => ("bad_frame", resync),
            FrameResult::Desync(resync) => ("desync", resync),
        };
        Some(Misfit { kind, resync })
    }
}
