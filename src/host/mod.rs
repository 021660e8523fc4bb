//! The host: owns the running rooms, drives their ticks, and decides who may take which seat.
//!
//! This room knows rooms, seats, tickets and time. It refuses to know Socket.IO: what a client sees goes through an [`Outlet`].

mod limits;
mod refusal;
mod quota;
mod attempts;
mod aside;
mod builds;
mod admission;
mod events;
mod outlet;
mod intake;
mod schedule;
mod budget;
mod cpu;
mod guard;
mod pass;
mod ticket;
mod record;
mod board;
mod hub;
mod visitors;
mod services;
mod opener;
mod hold;
mod stay;
mod attendees;
mod presence_report;
mod spectators;
mod seating;
mod running;
mod claim;
mod driver;
mod roster;
mod threads;
mod registry;
mod private_rooms;
mod matches;
mod parties;
mod leaders;
mod ratings;
mod forming;
mod queue;

pub use self::{
    admission::Admission,
    board::{ChangesSince, ListedRooms},
    claim::{Claim, Desync},
    events::EventSink,
    hold::{Inlet, Line},
    hub::Hub,
    leaders::Leader,
    limits::Limits,
    matches::MatchPlan,
    opener::RoomOptions,
    outlet::{Ending, Full, Outlet, Welcome},
    parties::Parties,
    record::{MatchResult, Player, Record, Recorder},
    refusal::Refusal,
    registry::Host,
    visitors::{Visitor, VisitorId},
};

#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
pub(crate) use self::leaders::KEPT as LEADERS;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::pass::check as check_pass;
#[cfg(any(feature = "store-sqlite", feature = "store-postgres", feature = "webhook"))]
pub(crate) use self::record::now;
pub(crate) use self::{
    queue::{MatchQueue, MatchRules, QueueConnectionId, QueueEvent},
    ratings::{RatedMode, Ratings},
};
