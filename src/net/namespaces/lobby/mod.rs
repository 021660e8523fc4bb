//! The namespace `/lobby`: the adapter of the room `lobby`.

pub(crate) mod people;

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use socketioxide::SocketIo;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    host::{Host, Refusal, RoomOptions},
    lobby::{Changes, ConnectionId, Entrance, Identity, Listing, Missed, RoomId, Search, Sort},
    net::namespaces::{
        lobby::{people as social, people::LobbySocket},
        namespace::{Call, Event, Namespace, SocketArc},
        request::{Answer, Argument, answer, bad_request, done},
        session::UserSession,
    },
    protocol::Seat,
};

/// The Socket.IO room of those who follow the listing.
const FOLLOWERS: &str = "followers";

#[derive(Clone)]
pub(crate) struct Lobby(pub(crate) Host);

/// One connection to the lobby.
pub(crate) struct LobbySession {
    user: UserSession,
    /// Its number among the people of the lobby, once it stands.
    connection: OnceLock<ConnectionId>,
}

impl LobbySession {
    pub(crate) fn identity(&self) -> &Identity {
        &self.user.identity
    }
}

#[derive(Serialize)]
struct GameInfo {
    name: &'static str,
    hz: u16,
    seats: [u8; 2],
    rooms: usize,
    players: usize,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RoomsOf {
    game: Option<String>,
    open: Option<bool>,
    config: Map<String, Json>,
    sort: Option<Sort>,
    limit: Option<usize>,
    after: Option<u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rooms {
    All { seq: u64, rooms: Vec<Listing> },
    Missed { seq: u64, changes: Vec<Changes> },
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kick {
    room: String,
    seat: u8,
}

impl Namespace for Lobby {
    const PATH: &'static str = "/lobby";
    const EVENTS: &'static [(&'static str, Event<Self>)] = &[
        ("games", Event::Request(games)),
        ("rooms", Event::Request(rooms)),
        ("create", Event::Request(create)),
        ("join", Event::Request(join)),
        ("quick", Event::Request(quick)),
        ("spectate", Event::Request(spectate)),
        ("kick", Event::Request(kick)),
        ("listen", Event::Request(social::listen)),
        ("chat", Event::Request(social::chat)),
        ("typing", Event::Request(social::typing)),
        ("presence", Event::Request(social::presence)),
        ("party", Event::Request(social::party)),
        ("party_create", Event::Request(social::party_create)),
        ("party_invite", Event::Request(social::party_invite)),
        ("party_join", Event::Request(social::party_join)),
        ("party_leave", Event::Request(social::party_leave)),
        ("party_promote", Event::Request(social::party_promote)),
        ("party_kick", Event::Request(social::party_kick)),
        ("party_ready", Event::Request(social::party_ready)),
    ];
    type Session = LobbySession;

    async fn admit(&self, auth: Argument) -> Result<LobbySession, Refusal> {
        Ok(LobbySession { user: UserSession::begin(&self.0, auth).await?, connection: OnceLock::new() })
    }

    fn check(&self, session: &LobbySession) -> Result<(), Refusal> {
        self.0.check_blocked(&session.identity().user)
    }

    fn connected(&self, session: &LobbySession, socket: &SocketArc) {
        session.user.connected(&self.0, socket);
        let connection = self.connection(session, socket);
        // It may have ended before it was known.
        if !socket.connected() {
            self.0.social().disconnect(connection);
        }
    }

    fn disconnected(&self, session: &LobbySession) {
        session.user.disconnected(&self.0);
        if let Some(connection) = session.connection.get() {
            self.0.social().disconnect(*connection);
        }
    }
}

impl Lobby {
    /// A request may overtake [`connected`](Namespace::connected) on a connection that polls.
    pub(crate) fn connection(&self, session: &LobbySession, socket: &SocketArc) -> ConnectionId {
        let connect = || self.0.social().connect(session.identity(), Arc::new(LobbySocket(socket.clone())));
        *session.connection.get_or_init(connect)
    }
}

fn games(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    argument.none()?;
    let host = &call.namespace.0;
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
    let RoomsOf { game, open, config, sort, limit, after } = argument.read()?;
    let host = &call.namespace.0;
    let check_game = || game.as_deref().map_or(Ok(()), |game| host.game(game).map(drop));
    if after.is_none() {
        check_game()?;
    }
    // Followed before it is read, so that no news fall between the two.
    call.socket.join(FOLLOWERS);
    if let Some((seq, Missed::News(news))) = after.map(|after| host.missed(after)) {
        let changes = news.iter().map(|changes| Changes::clone(changes)).collect();
        return answer(&Rooms::Missed { seq, changes });
    }
    check_game()?;
    let (seq, rooms) = host.search(&Search { game, open, config, sort, limit });
    answer(&Rooms::All { seq, rooms })
}

fn create(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Create { game, config, private } = argument.read()?;
    let entrance = if private { Entrance::Code } else { Entrance::Listed };
    let options = RoomOptions { config, entrance, ..RoomOptions::default() };
    answer(&call.namespace.0.create(&game, &options, call.session.identity())?)
}

fn join(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let host = &call.namespace.0;
    match argument.read()? {
        Join { room: Some(room), code: None } => answer(&host.join(&RoomId::named(&room), call.session.identity())?),
        Join { room: None, code: Some(code) } => answer(&host.join_private(&code, call.session.identity())?),
        _ => Err(bad_request("either `room` or `code` is needed")),
    }
}

fn quick(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Quick { game } = argument.read()?;
    answer(&call.namespace.0.quick(&game, call.session.identity())?)
}

fn spectate(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let host = &call.namespace.0;
    match argument.read()? {
        Join { room: Some(room), code: None } => answer(&host.spectate(&RoomId::named(&room), call.session.identity())?),
        Join { room: None, code: Some(code) } => answer(&host.spectate_private(&code, call.session.identity())?),
        _ => Err(bad_request("either `room` or `code` is needed")),
    }
}

fn kick(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Kick { room, seat } = argument.read()?;
    call.namespace.0.kick_as(&call.session.identity().user, &RoomId::named(&room), Seat(seat))?;
    done()
}

/// Sends the news of the listing to the followers on one endpoint.
pub(crate) async fn send_news(io: SocketIo, mut news: Receiver<Arc<Changes>>) {
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
