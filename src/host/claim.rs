//! A client's claim on a seat, and what it does once it has the seat.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    hold::{Hold, Inlet},
    outlet::{Ending, Full, Outlet, Welcome},
    pass::Pass,
    refusal::Refusal,
    running::Running,
    seating::Seating,
};
use crate::{
    game::{GameDef, RulesModule},
    protocol::{ErrorCode, Seat, Tick},
    room::{Baseline, Entered, OverReason, Room, RoomError},
};

/// The least time between two snapshots that a client asks for.
const RESYNC_INTERVAL: Duration = Duration::from_secs(1);

/// A client's claim on a seat, or on a place to spectate. It holds the seat once it has [`enter`](Self::enter)ed. Cheap to clone.
#[derive(Clone)]
pub struct Claim(Arc<Claimed>);

struct Claimed {
    running: Arc<Running>,
    stay: u128,
    with: ClaimedWith,
    hold: Arc<Hold>,
    resynced: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone, Copy)]
enum ClaimedWith {
    Ticket(u128),
    Resume { token: u128, held: Option<Tick> },
}

/// The difference that a client found in its mirror, as it reports with `resync`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desync {
    /// The component whose checksum differed.
    pub component: Option<u8>,
    /// The checksum in the frame.
    pub expected: Option<u32>,
    /// The mirror's checksum.
    pub got: Option<u32>,
}

impl Claim {
    /// Checks a ticket. A ticket is used up only once a client with the seat has sent something: until then it may be tried again.
    pub(super) fn from_ticket(running: Arc<Running>, pass: &Pass) -> Result<Self, Refusal> {
        let (stay, ticket) = (number(&pass.stay, ErrorCode::BadTicket)?, number(&pass.jti, ErrorCode::BadTicket)?);
        running.with_seating(|seating| seating.check_ticket(ticket))??;
        Ok(Self::new(running, Seat(pass.seat), stay, ClaimedWith::Ticket(ticket)))
    }

    /// Checks a resume token. The connection that holds the seat keeps it until this one enters.
    pub(super) fn from_resume(running: Arc<Running>, pass: &Pass, held: Option<Tick>) -> Result<Self, Refusal> {
        let (stay, token) = (number(&pass.stay, ErrorCode::BadResume)?, number(&pass.jti, ErrorCode::BadResume)?);
        running.with_seating(|seating| seating.check_resume(Seat(pass.seat), stay, token))??;
        Ok(Self::new(running, Seat(pass.seat), stay, ClaimedWith::Resume { token, held }))
    }

    fn new(running: Arc<Running>, seat: Seat, stay: u128, with: ClaimedWith) -> Self {
        let hold = Hold::new(seat, &running.intake, &running.audience);
        Self(Arc::new(Claimed { running, stay, with, hold, resynced: Mutex::default() }))
    }

    /// Takes the seat. The outlet is welcomed, and gets the room's messages from now on. A connection that held the seat is told
    /// that it was replaced.
    ///
    /// # Errors
    /// The room has ended since the claim, the reservation has expired, another connection took the seat first, or the room's step
    /// takes too long.
    pub fn enter(&self, outlet: Arc<dyn Outlet>) -> Result<(), Refusal> {
        self.0.running.with_seating(|seating| self.enter_at(seating, outlet))??;
        self.0.running.wake();
        Ok(())
    }

    fn enter_at(&self, seating: &mut Seating, outlet: Arc<dyn Outlet>) -> Result<(), Refusal> {
        if self.is_spectator() {
            return self.spectate_at(seating, outlet);
        }
        let Claimed { running, stay, with, hold, .. } = &*self.0;
        let seat = hold.seat();
        let (ticket, shown, held_tick) = match *with {
            ClaimedWith::Ticket(_) if seating.stays.get(seat).is_none_or(|sitting| sitting.id != *stay) => {
                return Err(Refusal::new(
                    ErrorCode::TicketExpired,
                    "the reservation of this seat has expired: ask for a new ticket",
                ));
            }
            ClaimedWith::Ticket(ticket) => {
                seating.check_ticket(ticket)?;
                (Some(ticket), None, None)
            }
            ClaimedWith::Resume { token, held } => {
                seating.check_resume(seat, *stay, token)?;
                (None, Some(token), held)
            }
        };
        if seating.over_at.is_some() {
            return Err(RoomError::Over.into());
        }
        seating.detach(seat, Some((OverReason::Replaced, "another connection has taken this seat")));
        let entered = seating.with(&running.meters, |room| room.enter(seat, held_tick))??;
        let token = rand::random();
        let welcomed = self.welcome(seating, entered, token, &*outlet);
        if let Some(sitting) = seating.stays.get_mut(seat) {
            sitting.renew(token, shown);
        }
        seating.connect(hold, outlet, ticket);
        if welcomed.is_err() {
            seating.cut(seat, &running.meters);
        }
        Ok(())
    }

    /// Adds a spectator. Its first frame is a snapshot.
    fn spectate_at(&self, seating: &mut Seating, outlet: Arc<dyn Outlet>) -> Result<(), Refusal> {
        seating.spectate(self.0.stay, &self.0.hold, outlet.clone())?;
        let tick = seating.room().map(Room::current_tick).unwrap_or_default();
        if self.welcome(seating, Entered { tick, baseline: Baseline::Snapshot }, 0, &*outlet).is_err() {
            seating.spectators.remove(self.0.stay, None);
            outlet.close(Ending::Cut);
        }
        Ok(())
    }

    /// Whether this is a spectator's claim, which has no seat.
    pub fn is_spectator(&self) -> bool {
        self.0.hold.is_spectator()
    }

    fn welcome(&self, seating: &Seating, entered: Entered, token: u128, outlet: &dyn Outlet) -> Result<(), Full> {
        let Claimed { running, stay, hold, .. } = &*self.0;
        let Some(room) = seating.room() else { return Err(Full) };
        outlet.welcome(&Welcome {
            seat: hold.seat(),
            room: &running.id,
            game: running.def.name(),
            protocol: Welcome::PROTOCOL,
            tick: entered.tick,
            hz: running.def.hz(),
            schema: running.def.schema(),
            // Spectators come back with a new ticket.
            resume: if self.is_spectator() {
                String::new()
            } else {
                running.services.keys.resume(&running.id, hold.seat(), *stay, token)
            },
            state: entered.baseline.as_str(),
            grace: running.def.options().reconnect_grace.as_secs_f32(),
            config: room.config(),
            teams: room.teams(),
            seats: &room.seats(),
            commands: (!running.def.schema().commands.is_empty()).then(|| room.newest_command(hold.seat())),
            rules: running.def.rules().map(RulesModule::hash),
        })
    }

    /// Returns the way in for the client's inputs.
    pub fn inlet(&self) -> Inlet {
        self.0.hold.inlet()
    }

    /// Takes the bytes of event `c`.
    ///
    /// # Errors
    /// They are no command of the game, the client sends too many, it has no seat, or the room's step takes too long.
    pub fn command(&self, bytes: &[u8]) -> Result<(), Refusal> {
        self.check_live()?;
        let Claimed { running, hold, .. } = &*self.0;
        if self.is_spectator() {
            return Err(Refusal::new(ErrorCode::ResumeExpired, "spectators send no commands"));
        }
        let taken = running.with_seating(|seating| seating.with(&running.meters, |room| room.command(hold.seat(), bytes)))??;
        taken.map_err(|code| {
            let message = match code {
                ErrorCode::BadCommand => "the bytes are no command of this game's schema",
                ErrorCode::RateLimited => {
                    "too many commands: 20 a second and 16 KiB, or 40 and 64 KiB after a pause, are allowed"
                }
                _ => "this seat is not taken any more",
            };
            Refusal::new(code, message)
        })
    }

    /// Notes that the connection is lost. The seat is kept for the game's grace time. Does nothing without a seat.
    ///
    /// A room whose step takes long notes it after the step.
    pub fn disconnect(&self) {
        if !self.is_live() {
            return;
        }
        let claim = self.clone();
        self.0.running.post(move |running, seating| {
            if claim.is_live() && claim.is_spectator() {
                seating.spectators.remove(claim.0.stay, None);
            } else if claim.is_live() {
                let seat = claim.0.hold.seat();
                seating.detach(seat, None);
                // If the rules panic, the room has been closed already.
                let _ = seating.with(&running.meters, |room| room.disconnect(seat));
            }
        });
    }

    /// Gives up the seat. The outlet is told that the player left.
    ///
    /// A room whose step takes long does this after the step.
    pub fn leave(&self) {
        let claim = self.clone();
        self.0.running.post(move |running, seating| {
            if claim.is_live() && claim.is_spectator() {
                seating.spectators.leave(claim.0.stay);
            } else if claim.is_live() {
                let seat = claim.0.hold.seat();
                seating.detach(seat, Some((OverReason::Left, "you left")));
                seating.free(seat);
                let _ = seating.with(&running.meters, |room| room.leave(seat));
            }
        });
    }

    /// Makes the next frame a snapshot.
    ///
    /// # Errors
    /// The last request was less than a second ago, this connection has no seat any more, or the room's step takes too long.
    pub fn resync(&self, desync: Desync) -> Result<(), Refusal> {
        self.check_live()?;
        let now = Instant::now();
        let mut resynced = self.0.resynced.lock().unwrap_or_else(PoisonError::into_inner);
        if resynced.is_some_and(|at| now < at + RESYNC_INTERVAL) {
            return Err(Refusal::new(ErrorCode::RateLimited, "a snapshot may be requested once a second"));
        }
        *resynced = Some(now);
        let Claimed { running, hold, .. } = &*self.0;
        running.meters.resyncs.increment(1);
        if let Some((id, component)) = desync.component.and_then(|id| Some((id, running.def.schema().component_name(id)?))) {
            let Desync { expected, got, .. } = desync;
            running.meters.desyncs.increment(1);
            // Each connection may say so once a second, and one person may have many.
            if let Some(left_out) = running.services.log.desyncs.take(now) {
                tracing::warn!(
                    room = %running.id, seat = hold.seat().0, component, id, expected, got, left_out,
                    "a client's mirror differs from the match"
                );
            }
        }
        running.with_seating(|seating| {
            if self.is_spectator() {
                seating.spectators.restart(self.0.stay);
            } else if self.is_live() {
                seating.with(&running.meters, |room| room.resync(hold.seat()))?;
            }
            Ok(())
        })?
    }

    /// Votes to remove another player. Everybody is told the state of the vote with the next tick.
    ///
    /// # Errors
    /// No other player has that seat, a vote about another player is open, this connection has no seat any more, or the room's step
    /// takes too long.
    pub fn vote_kick(&self, target: Seat) -> Result<(), Refusal> {
        let Claimed { running, hold, .. } = &*self.0;
        running.with_seating(|seating| {
            self.check_live()?;
            seating.with(&running.meters, |room| room.vote_kick(hold.seat(), target))?.map_err(Refusal::from)
        })?
    }

    /// Returns the room's time in ticks, with the fraction since the newest tick.
    pub fn ticks(&self) -> f64 {
        self.0.running.ticks()
    }

    /// Returns the game that is played.
    pub fn def(&self) -> &GameDef {
        &self.0.running.def
    }

    /// Whether this connection has its seat, or spectates, now.
    pub fn is_live(&self) -> bool {
        self.0.hold.is_live()
    }

    fn check_live(&self) -> Result<(), Refusal> {
        let gone = || Refusal::new(ErrorCode::ResumeExpired, "this connection has no seat any more");
        if self.is_live() { Ok(()) } else { Err(gone()) }
    }
}

fn number(text: &str, code: ErrorCode) -> Result<u128, Refusal> {
    u128::from_str_radix(text, 16).map_err(|_| Refusal::new(code, "this token was not issued by this server"))
}
