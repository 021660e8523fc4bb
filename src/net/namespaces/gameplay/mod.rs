//! The namespace `/gameplay`: one connection is one seat in one room.

pub(crate) mod farewell;
pub(crate) mod outlet;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use socketioxide::handler::Value;

use crate::{
    host::{Claim, Desync, Ending, Host, Outlet, Refusal},
    net::namespaces::{
        gameplay::{farewell::Heard, outlet::SocketOutlet},
        namespace::{Call, Caller, Event, Namespace},
        request::{Answer, Argument, acknowledge, answer, bad_request, binary_argument, done},
        socket::SocketArc,
    },
    observe,
    protocol::{ErrorCode, Seat, Tick},
    room::{Message, Over, OverReason},
};

#[derive(Clone)]
pub(crate) struct Gameplay(pub(crate) Host);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Auth {
    ticket: Option<String>,
    resume: Option<String>,
    tick: Option<u32>,
}

/// One connection to a seat, or to a place to spectate.
pub(crate) struct GameplaySession {
    claim: Claim,
    heard: Heard,
}

impl Namespace for Gameplay {
    const PATH: &'static str = "/gameplay";
    const EVENTS: &'static [(&'static str, Event<Self>)] = &[
        ("i", Event::Raw(input)),
        ("c", Event::Raw(command)),
        ("t", Event::Request(time)),
        ("resync", Event::Request(resync)),
        ("votekick", Event::Request(vote_kick)),
        ("leave", Event::Raw(leave)),
    ];
    type Session = GameplaySession;

    async fn admit(&self, auth: Argument, _: Caller<'_>) -> Result<GameplaySession, Refusal> {
        let claim = match auth.read()? {
            Auth { ticket: Some(ticket), resume: None, tick: None } => self.0.claim(&ticket)?,
            Auth { ticket: None, resume: Some(resume), tick } => self.0.claim_back(&resume, tick.map(Tick))?,
            _ => return Err(bad_request("give in auth either `ticket`, or `resume` and optionally `tick`")),
        };
        Ok(GameplaySession { claim, heard: Heard::default() })
    }

    fn admitted(&self, _: &GameplaySession, socket: &SocketArc) {
        outlet::expect_connect(socket);
    }

    fn connected(&self, GameplaySession { claim, heard }: &GameplaySession, socket: &SocketArc) {
        let outlet: Arc<dyn Outlet> = Arc::new(SocketOutlet::new(claim.inlet(), socket, heard.clone()));
        if let Err(refusal) = claim.enter(outlet.clone()) {
            observe::refused(refusal.code, 1);
            if let Some(over) = over_of(&refusal) {
                let _ = outlet.send(Message::Over(over));
            }
            outlet.close(Ending::AfterQueued);
        }
    }

    fn heard(&self, client: &GameplaySession) {
        client.heard.note();
    }

    fn disconnected(&self, client: &GameplaySession) {
        client.claim.disconnect();
    }
}

/// Why it is over for a client that was admitted and then refused: another connection took the seat, or the room ended. `None` if the
/// room is only busy: without `over` the client comes back, and the seat waits for it.
fn over_of(refusal: &Refusal) -> Option<Over> {
    let over = || Over { reason: OverReason::Closed, message: refusal.to_string(), winners: Vec::new() };
    (refusal.code != ErrorCode::RoomBusy).then(over)
}

/// The hot path for clients that poll: it spawns nothing, waits for nothing and copies nothing.
fn input(call: &Call<'_, Gameplay>, value: Value, ack: Option<i64>) {
    let Some(bytes) = binary_argument(value) else {
        acknowledge(
            call.socket,
            ack,
            Err(bad_request("an input is one binary argument: an ArrayBuffer in a browser, a Buffer in Node")),
        );
        return;
    };
    if ack.is_some() {
        let checked = call.session.claim.def().check_input(&bytes);
        let refused = checked.is_err();
        acknowledge(
            call.socket,
            ack,
            checked.map_err(|error| Refusal::new(ErrorCode::BadInput, error.to_string())).and_then(|()| done()),
        );
        if refused {
            return;
        }
    }
    call.session.claim.inlet().push(&bytes);
}

fn command(call: &Call<'_, Gameplay>, value: Value, ack: Option<i64>) {
    let taken = match binary_argument(value) {
        Some(bytes) => call.session.claim.command(&bytes),
        None => Err(bad_request("a command is one binary argument: an ArrayBuffer in a browser, a Buffer in Node")),
    };
    acknowledge(call.socket, ack, taken.and_then(|()| done()));
}

fn time(call: &Call<'_, Gameplay>, argument: Argument) -> Answer {
    argument.none()?;
    answer(&json!({ "tick": call.session.claim.ticks() }))
}

fn resync(call: &Call<'_, Gameplay>, argument: Argument) -> Answer {
    call.session.claim.resync(argument.read::<Desync>()?)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    seat: u8,
}

fn vote_kick(call: &Call<'_, Gameplay>, argument: Argument) -> Answer {
    let Target { seat } = argument.read()?;
    call.session.claim.vote_kick(Seat(seat))?;
    done()
}

/// Answers first, because nothing is sent after `over`.
fn leave(call: &Call<'_, Gameplay>, _: Value, ack: Option<i64>) {
    acknowledge(call.socket, ack, done());
    call.session.claim.leave();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_room_is_not_over() {
        assert!(over_of(&Refusal::new(ErrorCode::RoomBusy, "later")).is_none());
        let over = over_of(&Refusal::new(ErrorCode::TicketUsed, "gone")).unwrap();
        assert_eq!((over.reason, over.message.contains("gone")), (OverReason::Closed, true));
    }
}
