//! What a tick has for the seats, in sending order.

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

/// What a tick has for the seats.
#[derive(Debug, Default)]
pub struct Outbox {
    /// For each seat in the order in which it must be sent, and before its frame.
    pub messages: Vec<(Seat, Message)>,
    /// Event `s`. What cannot be delivered at once is dropped, and the room is told by `missed`.
    pub frames: Frames,
    /// Seats whose clients have read nothing for long: their connections are to be cut.
    pub stalled: Vec<Seat>,
    /// Seats whose players were removed, and why; they are free by now.
    pub evicted: Vec<(Seat, OverReason)>,
    /// What spectators see from now on, oldest first.
    pub scenes: Vec<Scene>,
    /// The match ended in this tick: the last that every seat hears.
    pub over: Option<Over>,
}

/// The frames of one tick, by seat. Those who see the same share its blocks: a seat costs its head, and no reference count.
#[derive(Debug, Default)]
pub struct Frames {
    blocks: Vec<Blocks>,
    /// Each with the place of its blocks.
    frames: Vec<(Seat, Frame<u8>)>,
}

impl Frames {
    pub(super) fn reserve(&mut self, count: usize) {
        self.frames.reserve(count);
    }

    /// Adds a seat's frame. Gives back its length in bytes.
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
        // No more blocks than seats.
        self.frames.push((seat, frame.hold((self.blocks.len() - 1) as u8)));
        length
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Each of them, by seat.
    pub fn iter(&self) -> impl Iterator<Item = (Seat, Frame<&Blocks>)> {
        self.frames.iter().map(|(seat, frame)| (*seat, frame.hold(&self.blocks[usize::from(*frame.held())])))
    }

    /// The frame of one seat.
    pub fn of(&self, seat: Seat) -> Option<Frame<&Blocks>> {
        self.iter().find(|(to, _)| *to == seat).map(|(_, frame)| frame)
    }
}

/// Something for one seat, besides its frames, that must not be lost.
#[derive(Debug, Clone)]
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

/// Where a vote stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VoteInfo {
    /// Who is to go.
    pub seat: Seat,
    /// Votes for it.
    pub votes: usize,
    /// Votes that it takes.
    pub needed: usize,
    /// What became of it; `None` while it is open.
    pub passed: Option<bool>,
}

/// One tick on its way to the spectators.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What changed, from the scene before.
    pub frame: Frame,
    /// The game events of that tick; empty if there were none.
    pub events: Bytes,
}

/// The end of a match, or of a seat's part in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// Why.
    pub reason: OverReason,
    /// A sentence for people.
    pub message: String,
    /// The seats that won.
    pub winners: Vec<Seat>,
}

/// Why a match, or a seat's part in it, is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverReason {
    /// The rules say so.
    Finished,
    /// The rules failed.
    RulesError,
    /// The host closed the room.
    Closed,
    /// Another connection took the seat.
    Replaced,
    /// The seat left.
    Left,
    /// The others voted for it, or the host said so.
    Kicked,
    /// No input came for as long as the game allows.
    Idle,
}

impl OverReason {
    /// What a person makes of it.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Finished => "the match is over",
            Self::RulesError => "the rules of this game failed",
            Self::Closed => "the room was closed",
            Self::Replaced => "another connection has taken this seat",
            Self::Left => "you left",
            Self::Kicked => "you were removed from the match",
            Self::Idle => "you did nothing for too long",
        }
    }

    /// The reason as it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::RulesError => "rules_error",
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

    /// The tick's events: encoded once for all seats that hear the same.
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

/// The events that a seat hears (`None`: one that none is addressed to); no bytes if it hears none.
pub(super) fn encode(events: &[OutgoingEvent], now: Tick, seat: Option<Seat>) -> Bytes {
    let hears = |event: &&OutgoingEvent| match event.to {
        Recipient::Everyone => true,
        Recipient::Seat(to) => Some(to) == seat,
    };
    let count = events.iter().filter(hears).count();
    let mut bytes = Vec::new();
    if count > 0 {
        write_events_head(&mut bytes, now, count);
        events.iter().filter(hears).for_each(|event| write_event(&mut bytes, event.id, &event.columns));
    }
    bytes.into()
}
