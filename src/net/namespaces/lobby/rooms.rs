//! The requests of `/lobby` about rooms, and the changes of the list.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use socketioxide::SocketIo;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    game::Strength,
    host::{ChangesSince, ListedRooms, RoomOptions},
    lobby::{Changes, Entrance, Listing, RoomId, Search, Sort},
    net::namespaces::{
        lobby::session::Lobby,
        namespace::{Call, Namespace},
        request::{Answer, Argument, answer, bad_request, done},
        socket::count_waiting,
    },
    protocol::Seat,
};

/// The Socket.IO room of the connections that follow the list of rooms.
const FOLLOWERS: &str = "followers";

/// The most rooms of one answer.
const PAGE_ROOMS: usize = 200;

/// The bytes of rooms, or of changes, from which on the rest comes in another answer.
const PAGE_BYTES: usize = 32 * 1024;

#[derive(Serialize)]
struct GameInfo {
    name: &'static str,
    hz: u16,
    seats: [u8; 2],
    rooms: usize,
    players: usize,
    /// The strengths that the game's bots can have. Absent if there is nothing to choose.
    #[serde(skip_serializing_if = "<[Strength]>::is_empty")]
    strengths: &'static [Strength],
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RoomsOf {
    game: Option<String>,
    open: Option<bool>,
    config: Map<String, Json>,
    sort: Option<Sort>,
    limit: Option<usize>,
    from: Option<String>,
    after: Option<u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RoomsAnswer {
    All {
        seq: u64,
        rooms: Vec<Listing>,
        /// The first room that did not fit into this answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<RoomId>,
    },
    Missed {
        seq: u64,
        changes: Vec<Changes>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    game: String,
    config: Option<Json>,
    #[serde(default)]
    private: bool,
    strength: Option<Strength>,
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

pub(crate) fn games(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
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
                strengths: game.bots().unwrap_or_default(),
            }
        })
        .collect();
    answer(&json!({ "games": games }))
}

pub(crate) fn rooms(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let RoomsOf { game, open, config, sort, limit, from, after } = argument.read()?;
    let host = &call.namespace.0;
    let check_game = || game.as_deref().map_or(Ok(()), |game| host.game(game).map(drop));
    if sort.is_some() && from.is_some() {
        return Err(bad_request("`from` goes with the order of the ids: leave `sort` out"));
    }
    if after.is_none() {
        check_game()?;
    }
    // Joined before the list is read, so that no change is missed in between.
    call.socket.join(FOLLOWERS);
    if let Some(ChangesSince { seq, changes: Some(changes), .. }) = after.map(|after| host.changes_since(after)) {
        let changes: Vec<Changes> = changes.iter().map(|changes| Changes::clone(changes)).collect();
        if page_length(&changes) == changes.len() {
            return answer(&RoomsAnswer::Missed { seq, changes });
        }
    }
    check_game()?;
    // One more than a page, which tells whether there are more.
    let most = limit.unwrap_or(usize::MAX).min(PAGE_ROOMS + 1);
    let from = from.as_deref().map(RoomId::named);
    let search = Search { game, open, config, sort, limit: Some(most), from };
    let ListedRooms { seq, mut rooms, .. } = host.search(&search);
    let beyond = rooms.split_off(page_length(&rooms).min(PAGE_ROOMS));
    let next = beyond.into_iter().next().map(|listing| listing.room).filter(|_| sort.is_none());
    answer(&RoomsAnswer::All { seq, rooms, next })
}

/// Returns how many of these fit into one answer; at least one does.
fn page_length(items: &[impl Serialize]) -> usize {
    let mut bytes = 0;
    let beyond = items.iter().position(|item| {
        let is_full = bytes > PAGE_BYTES;
        bytes += serde_json::to_vec(item).map_or(0, |text| text.len());
        is_full
    });
    beyond.unwrap_or(items.len())
}

pub(crate) fn create(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Create { game, config, private, strength } = argument.read()?;
    let entrance = if private { Entrance::Code } else { Entrance::Listed };
    let options = RoomOptions { config, entrance, strength, ..RoomOptions::default() };
    answer(&call.namespace.0.create(&game, &options, call.session.identity())?)
}

pub(crate) fn join(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let host = &call.namespace.0;
    match argument.read()? {
        Join { room: Some(room), code: None } => answer(&host.join(&RoomId::named(&room), call.session.identity())?),
        Join { room: None, code: Some(code) } => answer(&host.join_private(&code, call.session.identity())?),
        _ => Err(bad_request("give either `room` or `code`")),
    }
}

pub(crate) fn quick(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Quick { game } = argument.read()?;
    answer(&call.namespace.0.quick(&game, call.session.identity())?)
}

pub(crate) fn spectate(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let host = &call.namespace.0;
    match argument.read()? {
        Join { room: Some(room), code: None } => answer(&host.spectate(&RoomId::named(&room), call.session.identity())?),
        Join { room: None, code: Some(code) } => answer(&host.spectate_private(&code, call.session.identity())?),
        _ => Err(bad_request("give either `room` or `code`")),
    }
}

pub(crate) fn kick(call: &Call<'_, Lobby>, argument: Argument) -> Answer {
    let Kick { room, seat } = argument.read()?;
    call.namespace.0.kick_as(&call.session.identity().user, &RoomId::named(&room), Seat(seat))?;
    done()
}

/// Sends the changes of the list to its followers on one endpoint.
pub(crate) async fn send_changes(io: SocketIo, mut news: Receiver<Arc<Changes>>) {
    loop {
        match news.recv().await {
            Ok(changes) => {
                let Some(lobby) = io.of(Lobby::PATH) else { return };
                for follower in io.of(Lobby::PATH).map(|lobby| lobby.within(FOLLOWERS).sockets()).unwrap_or_default() {
                    // A follower that polls and takes nothing is cut.
                    let _ = count_waiting(&follower, &*changes);
                }
                // A follower whose queue is full misses them, and notices the gap in `seq`.
                let _ = lobby.to(FOLLOWERS).emit("rooms", &*changes).await;
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
