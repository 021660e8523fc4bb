//! The ways in which a client of the soak comes, does something, and goes.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tickcast::game::Game;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::player::{Origin, Player};
use super::soak_server::{Brief, Steady};
use crate::connection::{Fault, LOBBY};

/// How long a visit may take in all.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a client waits in the queue for another.
const QUEUE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    /// Plays in a room that somebody else may have opened, and leaves it.
    Play,
    /// Plays in a room that lives for the whole soak, and leaves it.
    PlaySteady,
    /// Plays there, and drops the connection without a word.
    Drop,
    /// Drops the connection, comes back to the seat within its grace time, and leaves.
    ComeBack,
    /// Opens a private room, and closes the connection from within it.
    Open,
    /// Reads and writes the lobby's chat, and opens a party.
    Chat,
    /// Queues, and plays if there is a match.
    Queue,
    /// Watches a room.
    Watch,
    /// Begins a session by polling, and never polls again.
    Poll,
}

impl Visit {
    const ALL: [Self; 9] =
        [Self::Play, Self::PlaySteady, Self::Drop, Self::ComeBack, Self::Open, Self::Chat, Self::Queue, Self::Watch, Self::Poll];

    /// Chooses one at random.
    pub(crate) fn any(rng: &mut ChaCha8Rng) -> Self {
        Self::ALL[rng.random_range(0..Self::ALL.len())]
    }

    /// Makes the visit. A client that plays or watches does so for this time.
    pub(crate) async fn make(self, origin: &Origin, stay: Duration) -> Result<(), Fault> {
        timeout(PATIENCE + 2 * stay, self.go(origin, stay)).await.unwrap_or(Err(Fault::Timeout))
    }

    async fn go(self, origin: &Origin, stay: Duration) -> Result<(), Fault> {
        match self {
            Self::Play => play(origin, Brief::NAME, stay).await,
            Self::PlaySteady => play(origin, Steady::NAME, stay).await,
            Self::Drop => {
                let mut player = seated(origin, "quick", Steady::NAME).await?;
                player.play(stay).await
            }
            Self::ComeBack => {
                let mut player = seated(origin, "quick", Steady::NAME).await?;
                player.play(stay).await?;
                let mut player = player.come_back().await?;
                player.play(stay).await?;
                player.leave().await?;
                player.close().await;
                Ok(())
            }
            Self::Open => {
                let mut player = Player::come(origin).await?;
                player.sit("create", &json!({"game": Brief::NAME, "private": true})).await?;
                player.play(stay).await?;
                player.close().await;
                Ok(())
            }
            Self::Chat => chat(origin).await,
            Self::Queue => {
                let mut player = Player::come(origin).await?;
                if player.queue(Brief::NAME, QUEUE).await? {
                    player.play(stay).await?;
                }
                player.close().await;
                Ok(())
            }
            Self::Watch => watch(origin, stay).await,
            Self::Poll => poll(origin).await.map_err(|error| Fault::Connect(error.to_string())),
        }
    }
}

async fn seated(origin: &Origin, request: &str, game: &str) -> Result<Player, Fault> {
    let mut player = Player::come(origin).await?;
    player.sit(request, &json!({"game": game})).await?;
    Ok(player)
}

async fn play(origin: &Origin, game: &str, stay: Duration) -> Result<(), Fault> {
    let mut player = seated(origin, "quick", game).await?;
    player.play(stay).await?;
    player.leave().await?;
    player.close().await;
    Ok(())
}

async fn chat(origin: &Origin) -> Result<(), Fault> {
    let mut player = Player::come(origin).await?;
    let _: IgnoredAny = player.ask(LOBBY, "listen", Some(&json!({"channel": "lobby"}))).await?;
    let _: IgnoredAny = player.ask(LOBBY, "chat", Some(&json!({"channel": "lobby", "text": "Who plays?"}))).await?;
    let _: IgnoredAny = player.ask::<Value, _>(LOBBY, "party_create", None).await?;
    player.close().await;
    Ok(())
}

async fn watch(origin: &Origin, stay: Duration) -> Result<(), Fault> {
    let mut player = Player::come(origin).await?;
    let Rooms { rooms } = player.ask(LOBBY, "rooms", Some(&json!({"game": Steady::NAME, "sort": "oldest"}))).await?;
    let room = rooms.into_iter().next().ok_or(Fault::NoRoom)?.room;
    player.sit("spectate", &json!({"room": room})).await?;
    player.watch(stay).await?;
    player.close().await;
    Ok(())
}

async fn poll(origin: &Origin) -> std::io::Result<()> {
    let mut tcp = origin.target.tcp().await?;
    let host = origin.target.url.trim_start_matches("http://");
    let request = format!("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: {host}\r\n\r\n");
    tcp.write_all(request.as_bytes()).await?;
    let mut answer = [0; 1024];
    let read = tcp.read(&mut answer).await?;
    match answer[..read].starts_with(b"HTTP/1.1 200") {
        true => Ok(()),
        false => Err(std::io::Error::other("the handshake was refused")),
    }
}

/// The answer to `rooms`.
#[derive(Deserialize)]
struct Rooms {
    rooms: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    room: String,
}
