//! The messages of a tick for the seats, in sending order.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde::Serialize;

use super::{
    delivery::Refused,
    seats::{SeatInfo, Seats},
};
use crate::{
    protocol::{Blocks, Frame, Head, Kind, Seat, Tick, write_event, write_events_head},
    sim::{OutgoingEvent, Recipient},
};

/// The messages of a tick for the seats.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Outbox {
    /// Messages, in the order in which each seat must get them, and before its frame.
    pub messages: Vec<(Seat, Message)>,
    /// Event `s`. A frame that cannot be delivered at once is dropped, and the room is told by [`Room::missed`](super::Room::missed).
    pub frames: Frames,
    /// Seats whose clients have read nothing for too long. Their connections must be cut.
    pub stalled: Vec<Seat>,
    /// Seats whose players were removed, and the reasons. The seats are already free.
    pub evicted: Vec<(Seat, OverReason)>,
    /// Scenes that spectators may see from now on, oldest first.
    pub scenes: Vec<Scene>,
    /// The end of the match, if it ended in this tick. It is the last message to every seat.
    pub over: Option<Over>,
}

/// The frames of one tick, by seat. Seats that see the same share the blocks, so a seat costs only its head, and no reference count.
#[derive(Debug, Default)]
pub struct Frames {
    blocks: Vec<Blocks>,
    /// The heads, each with the place of its blocks.
    frames: Vec<(Seat, Frame<u8>)>,
}

impl Frames {
    pub(super) fn reserve(&mut self, count: usize) {
        self.frames.reserve(count);
    }

    /// Adds a seat's frame. Returns its length in bytes.
    pub(super) fn push(&mut self, seat: Seat, head: Head, blocks: Cow<'_, Blocks>) -> usize {
        let shared = self.blocks.last().filter(|last| head.kind != Kind::Snapshot && last.is(&blocks));
        let (frame, length) = match shared {
            Some(shared) => {
                let frame = Frame::plain(head, shared);
                (frame.hold(()), frame.len())
            }
            None => {
                let frame = Frame::new(head, blocks);
                let length = frame.len();
                let (own, blocks) = frame.split();
                self.blocks.push(blocks);
                (own, length)
            }
        };
        // There are no more blocks than seats, so the place fits into a byte.
        self.frames.push((seat, frame.hold((self.blocks.len() - 1) as u8)));
        length
    }

    /// Returns the number of frames.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Returns whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Iterates over the frames, by seat.
    pub fn iter(&self) -> impl Iterator<Item = (Seat, Frame<&Blocks>)> {
        self.frames.iter().map(|(seat, frame)| (*seat, frame.hold(&self.blocks[usize::from(*frame.held())])))
    }

    /// Returns the frame of one seat.
    pub fn of(&self, seat: Seat) -> Option<Frame<&Blocks>> {
        self.iter().find(|(to, _)| *to == seat).map(|(_, frame)| frame)
    }
}

/// A message for one seat that, unlike a frame, must not be lost.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Message {
    /// Event `e`.
    Events(Bytes),
    /// Event `seats`.
    Seats(Arc<[SeatInfo]>),
    /// Event `refused`.
    Refused(Refused),
    /// Event `vote`.
    Vote(VoteInfo),
    /// Event `over`.
    Over(Over),
}

/// The state of a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VoteInfo {
    /// The seat that may be removed.
    pub seat: Seat,
    /// The votes for that.
    pub votes: usize,
    /// The votes that it takes.
    pub needed: usize,
    /// Whether the vote passed; `None` while it is open.
    pub passed: Option<bool>,
}

/// One tick for the spectators.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Scene {
    /// The changes since the scene before.
    pub frame: Frame,
    /// The game events of that tick; empty if there were none.
    pub events: Bytes,
}

/// The end of a match, or of a seat's part in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Over {
    /// The reason.
    pub reason: OverReason,
    /// A sentence for people.
    pub message: String,
    /// The seats that won.
    pub winners: Vec<Seat>,
}

/// The reason why a match, or a seat's part in it, is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverReason {
    /// The rules ended the match.
    Finished,
    /// The rules failed.
    RulesError,
    /// The match took more time, entities or bytes than its host allows.
    OverBudget,
    /// The host closed the room.
    Closed,
    /// Another connection took the seat.
    Replaced,
    /// The seat left.
    Left,
    /// The other players voted for it, or the host removed the player.
    Kicked,
    /// The player sent no input for as long as the game allows.
    Idle,
}

impl OverReason {
    /// Returns a sentence for people.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Finished => "the match is over",
            Self::RulesError => "the rules of this game failed",
            Self::OverBudget => "the match took more time, entities or bytes than the server allows",
            Self::Closed => "the room was closed",
            Self::Replaced => "another connection has taken this seat",
            Self::Left => "you left",
            Self::Kicked => "you were removed from the match",
            Self::Idle => "you did nothing for too long",
        }
    }

    /// Returns the word for it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::RulesError => "rules_error",
            Self::OverBudget => "over_budget",
            Self::Closed => "closed",
            Self::Replaced => "replaced",
            Self::Left => "left",
            Self::Kicked => "kicked",
            Self::Idle => "idle",
        }
    }
}

impl Outbox {
    pub(super) fn seats(&mut self, seats: &Seats) {
        let infos = seats.infos();
        self.messages.extend(seats.playing().map(|seat| (seat, Message::Seats(infos.clone()))));
    }

    pub(super) fn vote(&mut self, seats: &Seats, vote: VoteInfo) {
        self.messages.extend(seats.playing().map(|seat| (seat, Message::Vote(vote))));
    }

    /// Adds the tick's events, encoded once for all seats that get the same ones.
    pub(super) fn events(&mut self, seats: &Seats, now: Tick, events: &[OutgoingEvent]) {
        if events.is_empty() {
            return;
        }
        let personal = |seat| events.iter().any(|event| event.to == Recipient::Seat(seat));
        let mut public: Option<Bytes> = None;
        let mut own: BTreeMap<Seat, Bytes> = BTreeMap::new();
        for seat in seats.playing() {
            let bytes = if personal(seat) {
                own.entry(seat).or_insert_with(|| encode(events, now, Some(seat)))
            } else {
                public.get_or_insert_with(|| encode(events, now, None))
            };
            if !bytes.is_empty() {
                self.messages.push((seat, Message::Events(bytes.clone())));
            }
        }
    }
}

/// Encodes the events that a seat gets; without a seat, only those for everyone. Returns no bytes if there are none.
pub(super) fn encode(events: &[OutgoingEvent], now: Tick, seat: Option<Seat>) -> Bytes {
    let hears = |event: &&OutgoingEvent| match event.to {
        Recipient::Everyone => true,
        Recipient::Seat(to) => Some(to) == seat,
    };
    let count = events.iter().filter(hears).count();
    let mut bytes = Vec::new();
    if count > 0 {
        write_events_head(&mut bytes, now, count);
        events.iter().filter(hears).for_each(|event| write_event(&mut bytes, event.id, &event.values));
    }
    bytes.into()
}
