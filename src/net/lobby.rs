//! The namespace `/lobby`: the adapter of the room `lobby`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use socketioxide::SocketIo;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{
    namespace::{Call, Event, Namespace, SocketArc},
    request::{Answer, Argument, answer, bad_request},
    session::Session,
};
use crate::{
    host::{Host, Refusal, RoomOptions},
    lobby::{Changes, Entrance, Listing, RoomId},
};

/// The Socket.IO room of those who follow the listing.
const FOLLOWERS: &str = "followers";

#[derive(Clone)]
pub(super) struct Lobby(pub(super) Host);

#[derive(Serialize)]
struct GameInfo {
    name: &'static str,
    hz: u16,
    seats: [u8; 2],
    rooms: usize,
    players: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoomsOf {
    game: Option<String>,
}

#[derive(Serialize)]
struct Rooms {
    seq: u64,
    rooms: Vec<Listing>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    game: String,
    config: Option<Json>,
    #[serde(default)]
    private: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Join {
    room: Option<String>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quick {
    game: String,
}

impl Namespace for Lobby {
    const PATH: &'static str = "/lobby";
    const EVENTS: &'static [(&'static str, Event<Self>)] = &[
        ("games", Event::Request(|call, _| games(&call.namespace.0))),
        ("rooms", Event::Request(rooms)),
        ("create", Event::Request(create)),
        ("join", Event::Request(join)),
        ("quick", Event::Request(quick)),
    ];
    type Session = Session;

    async fn admit(&self, auth: Argument) -> Result<Session, Refusal> {
        Session::begin(&self.0, auth).await
    }

    fn check(&self, session: &Session) -> Result<(), Refusal> {
        self.0.check_blocked(&session.identity.user)
    }

    fn connected(&self, session: &Session, socket: &SocketArc) {
        session.tell(socket);
    }
}

fn games(host: &Host) -> Answer {
    let games: Vec<GameInfo> = host
        .games()
        .map(|game| {
            let (seats, totals) = (game.seats(), host.totals(game.name()));
            GameInfo {
                name: game.name(),
                hz: game.hz(),
                seats: [*seats.start(), *seats.end()],
                rooms: totals.rooms,
                players: totals.players,
            }
        })
        .collect();
    answer(&json!({ "games": games }))
}

fn rooms(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let RoomsOf { game } = argument.read()?;
    let host = &call.namespace.0;
    if let Some(game) = &game {
        host.game(game)?;
    }
    // Followed before it is read, so that no news fall between the two.
    call.socket.join(FOLLOWERS);
    let (seq, rooms) = host.rooms(game.as_deref());
    answer(&Rooms { seq, rooms })
}

fn create(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Create { game, config, private } = argument.read()?;
    let entrance = if private { Entrance::Code } else { Entrance::Listed };
    answer(&call.namespace.0.create(
        &game,
        &RoomOptions { config, entrance, ..RoomOptions::default() },
        &call.session.identity,
    )?)
}

fn join(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let host = &call.namespace.0;
    match argument.read()? {
        Join { room: Some(room), code: None } => answer(&host.join(&RoomId::named(&room), &call.session.identity)?),
        Join { room: None, code: Some(code) } => answer(&host.join_private(&code, &call.session.identity)?),
        _ => Err(bad_request("either `room` or `code` is needed")),
    }
}

fn quick(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Quick { game } = argument.read()?;
    answer(&call.namespace.0.quick(&game, &call.session.identity)?)
}

/// Sends the news of the listing to the followers on one endpoint.
pub(super) async fn send_news(io: SocketIo, mut news: Receiver<Arc<Changes>>) {
    loop {
        match news.recv().await {
            Ok(changes) => {
                let Some(lobby) = io.of(Lobby::PATH) else { return };
                // Whose queue is full misses these and sees the gap in `seq`.
                let _ = lobby.to(FOLLOWERS).emit("rooms", &*changes).await;
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
