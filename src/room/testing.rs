//! A room in virtual time for tests of rules, with clients that hold mirrors.

use std::{fmt::Display, marker::PhantomData};

use bevy_ecs::prelude::World;
use bytes::Bytes;

use super::{Message, Outbox, Over, OverReason, Room, RoomStats};
use crate::{
    game::{Game, GameCommand, GameDef, GameEvent, Outcome, Strength},
    protocol::{
        Columns, ErrorCode, InputHead, Seat, Tick, ValueReader, Values, WireCommand, WireEvents, decode_events, encode_ack,
        encode_command, encode_input,
    },
    replication::{Mirror, View},
    sim::EIGHTHS,
};

/// A match in virtual time, for tests of rules. Players are numbered from 0, in the order in which they joined.
///
/// # Examples
///
/// ```
/// # use tickcast::prelude::*;
/// # #[derive(Component, Replicate)] #[replicate(id = 1)] struct Steps(u16);
/// # #[derive(GameInput, Clone, Default)] struct Pad { go: bool }
/// # struct Walk;
/// # impl Game for Walk {
/// #     const NAME: &'static str = "walk"; type Input = Pad; type Config = NoConfig;
/// #     fn build(m: &mut MatchBuilder<Self>) {
/// #         m.replicate::<Steps>().on_join(|seat, w| w.spawn_avatar(seat, Steps(0)))
/// #             .systems(|mut all: Query<(&Intent<Pad>, &mut Steps)>| all.iter_mut().for_each(|(i, mut s)| s.0 += u16::from(i.go)));
/// #     }
/// # }
/// let mut test = TestRoom::<Walk>::new(7).seats(2);
/// test.press(0, Pad { go: true });
/// test.run(30);
/// assert_eq!(test.view(0).me::<Steps>().unwrap().0, 30);
/// assert_eq!(test.view(1).me::<Steps>().unwrap().0, 0);
/// ```
pub struct TestRoom<G: Game> {
    room: Room,
    players: Vec<Player>,
    over: Option<Over>,
    marker: PhantomData<fn() -> G>,
}

struct Player {
    seat: Seat,
    mirror: Mirror,
    seq: u32,
    events: WireEvents,
    frame_bytes: Vec<usize>,
    drop_next: u32,
    connected: bool,
    /// While asleep: the frames that wait for the player.
    asleep: Option<Vec<Bytes>>,
}

impl<G: Game> TestRoom<G> {
    /// Makes an empty room of a game, with its default configuration and no bots.
    ///
    /// # Panics
    /// If the game's registration is wrong.
    #[track_caller]
    pub fn new(seed: u64) -> Self {
        Self::with_config(seed, G::Config::default())
    }

    /// Makes an empty room of a game with a configuration and no bots.
    ///
    /// # Panics
    /// If the game's registration is wrong, or it refuses the configuration.
    #[track_caller]
    pub fn with_config(seed: u64, config: G::Config) -> Self {
        let def = must(GameDef::new::<G>());
        let config = serde_json::to_value(config).expect("a configuration is plain data");
        let mut room = must(Room::new(&def, Some(&config), seed));
        room.allow_bots(false);
        Self { room, players: Vec::new(), over: None, marker: PhantomData }
    }

    /// Allows bots to fill seats as the game says.
    #[must_use]
    pub fn bots(mut self) -> Self {
        self.room.allow_bots(true);
        self
    }

    /// Sets how strong the bots play. Default: as [`Strength::by_people`] says.
    ///
    /// # Panics
    /// If the game's bots do not have this strength.
    #[must_use]
    #[track_caller]
    pub fn strength(mut self, strength: Strength) -> Self {
        must(self.room.def().check_strength(strength));
        self.room.set_strength(Some(strength));
        self
    }

    /// Seats more players.
    ///
    /// # Panics
    /// If the seats are taken.
    #[must_use]
    #[track_caller]
    pub fn seats(mut self, players: usize) -> Self {
        for _ in 0..players {
            self.join();
        }
        self
    }

    /// Seats one more player, and returns the player's number.
    ///
    /// # Panics
    /// If the seats are taken.
    #[track_caller]
    pub fn join(&mut self) -> usize {
        let player = self.players.len();
        let seat = must(self.room.reserve(&format!("player {player}")));
        must(self.room.enter(seat, None));
        let mirror = Mirror::new(self.room.schema().clone());
        let (events, frame_bytes) = (Vec::new(), Vec::new());
        self.players.push(Player { seat, mirror, seq: 0, events, frame_bytes, drop_next: 0, connected: true, asleep: None });
        player
    }

    /// Sends an input of a player. It acts from the next tick on.
    ///
    /// # Panics
    /// If the match is over, the player has no seat any more, or the room refuses the input.
    #[track_caller]
    pub fn press(&mut self, player: usize, input: G::Input) {
        self.send(player, input, None);
    }

    /// Sends an input of a player who saw the others `ticks` ticks behind the tick in which it acts, for rules with
    /// [`rewind`](crate::game::MatchBuilder::rewind). The room counts in eighths of a tick.
    ///
    /// # Panics
    /// As [`press`](Self::press).
    #[track_caller]
    pub fn press_behind(&mut self, player: usize, input: G::Input, ticks: f32) {
        self.send(player, input, Some((ticks * EIGHTHS as f32).round() as u16));
    }

    #[track_caller]
    fn send(&mut self, player: usize, input: G::Input, behind: Option<u16>) {
        assert!(!self.room.is_over(), "the match is over");
        let mut columns = vec![0; G::Input::WIDTH];
        input.quantise(&mut columns);
        let mut bytes = Vec::new();
        let Player { seat, seq, mirror, .. } = self.player_mut(player);
        *seq += 1;
        encode_input(&mut bytes, InputHead { ack: mirror.tick().0 as u16, seq: *seq, behind, ..InputHead::default() }, &columns);
        let seat = *seat;
        match self.room.handle(seat, &bytes) {
            Ok(()) => {}
            Err(ErrorCode::ResumeExpired) => panic!("player {player} has no seat any more"),
            Err(ErrorCode::RateLimited) => panic!("player {player} sent too many inputs without a `run` between them"),
            Err(code) => panic!("the input of player {player} was refused: {code}"),
        }
    }

    /// Sends a command of a player. It acts in the next step.
    ///
    /// # Panics
    /// If the game did not register the command, the player has no seat any more, or the room refuses the command.
    #[track_caller]
    pub fn command<C: GameCommand>(&mut self, player: usize, command: &C) {
        let mut values = Values::new();
        command.write(&mut values);
        let seat = self.seat(player);
        let number = self.room.newest_command(seat) + 1;
        let mut bytes = Vec::new();
        encode_command(&mut bytes, &WireCommand { number, id: C::ID, values });
        if let Err(code) = self.room.command(seat, &bytes) {
            panic!("the command {} of player {player} was refused: {code}", C::NAME);
        }
    }

    /// Steps the match. Frames reach the players' mirrors. A match that steps on input takes only the steps that it needs, as on a
    /// server.
    ///
    /// # Panics
    /// If a frame does not fit its mirror, or a mirror differs from the server's state.
    #[track_caller]
    pub fn run(&mut self, ticks: u32) {
        for _ in 0..ticks {
            let next = Tick(self.room.current_tick().0 + 1);
            if self.room.next_step() != Some(next) {
                self.room.skip_to(next);
                continue;
            }
            let out = self.room.tick();
            self.deliver(out);
        }
    }

    /// Drops the next frames to a player, as if the connection's queue were full.
    #[track_caller]
    pub fn drop_next(&mut self, player: usize, frames: u32) {
        self.player_mut(player).drop_next = frames;
    }

    /// Stops a player from reading. Frames wait, as in the buffers of a kernel.
    #[track_caller]
    pub fn sleep(&mut self, player: usize) {
        self.player_mut(player).asleep = Some(Vec::new());
    }

    /// Lets a player read again. Returns the number of frames that had waited.
    ///
    /// # Panics
    /// If one of them does not fit its mirror.
    #[track_caller]
    pub fn wake(&mut self, player: usize) -> usize {
        let waited = self.player_mut(player).asleep.take().unwrap_or_default();
        for frame in &waited {
            self.apply(player, frame);
        }
        self.acknowledge(player);
        waited.len()
    }

    /// Cuts a player's connection.
    #[track_caller]
    pub fn disconnect(&mut self, player: usize) {
        self.player_mut(player).connected = false;
        self.room.disconnect(self.seat(player));
    }

    /// Reconnects a player with the mirror that they hold.
    ///
    /// # Errors
    /// The seat is not kept any more.
    #[track_caller]
    pub fn resume(&mut self, player: usize) -> Result<super::Entered, super::RoomError> {
        let Player { seat, mirror, .. } = self.player(player);
        let (seat, held) = (*seat, mirror.tick());
        let entry = self.room.enter(seat, Some(held))?;
        self.player_mut(player).connected = true;
        Ok(entry)
    }

    /// Makes a player leave for good.
    #[track_caller]
    pub fn leave(&mut self, player: usize) {
        self.player_mut(player).connected = false;
        self.room.leave(self.seat(player));
    }

    /// Returns the seat of a player.
    #[track_caller]
    pub fn seat(&self, player: usize) -> Seat {
        self.player(player).seat
    }

    /// Returns the state that a player in step sees.
    #[track_caller]
    pub fn view(&self, player: usize) -> View<'_> {
        self.room.view(self.seat(player))
    }

    /// Returns a player's mirror.
    #[track_caller]
    pub fn mirror(&mut self, player: usize) -> &mut Mirror {
        &mut self.player_mut(player).mirror
    }

    /// Returns the game events of a type that a player got, in order.
    ///
    /// # Panics
    /// If the game did not register the event, or there is no such player.
    #[track_caller]
    pub fn events<E: GameEvent>(&self, player: usize) -> Vec<E> {
        let spec = self.room.schema().events.iter().find(|spec| spec.name == E::NAME);
        let Some(id) = spec.and_then(|spec| spec.id) else { panic!("the game has no event {}", E::NAME) };
        let heard = self.player(player).events.iter().filter(|(heard, _)| *heard == id);
        heard.map(|(_, values)| must(E::read(&mut ValueReader::new(values)).ok_or("the bytes are no such event"))).collect()
    }

    /// Returns the sizes in bytes of the frames that a player was sent.
    #[track_caller]
    pub fn frame_bytes(&self, player: usize) -> &[usize] {
        &self.player(player).frame_bytes
    }

    /// Returns how the match ended, if it was played to its end. `None` also when the rules failed; see [`over`](Self::over).
    pub fn outcome(&self) -> Option<&Outcome> {
        self.room.outcome().filter(|_| self.over.as_ref().is_none_or(|over| over.reason == OverReason::Finished))
    }

    /// Returns the end of the match as the players were told.
    pub fn over(&self) -> Option<&Over> {
        self.over.as_ref()
    }

    /// Returns the world, to change it between two ticks.
    pub fn world(&mut self) -> &mut World {
        self.room.sim.world_mut()
    }

    /// Returns the room itself.
    pub fn room(&mut self) -> &mut Room {
        &mut self.room
    }

    /// Returns the counters of the room.
    pub fn stats(&self) -> &RoomStats {
        self.room.stats()
    }

    /// Delivers the messages of a tick. Players who read acknowledge what they hold.
    #[track_caller]
    fn deliver(&mut self, out: Outbox) {
        for seat in &out.stalled {
            self.room.disconnect(*seat);
            self.players.iter_mut().filter(|player| player.seat == *seat).for_each(|player| player.connected = false);
        }
        for (seat, _) in &out.evicted {
            self.players.iter_mut().filter(|player| player.seat == *seat).for_each(|player| player.connected = false);
        }
        for (seat, message) in out.messages {
            if let (Some(at), Message::Events(bytes)) = (self.connected(seat), message) {
                let (_, events) = must(decode_events(self.room.schema(), &bytes));
                self.players[at].events.extend(events);
            }
        }
        for (seat, frame) in out.frames.iter() {
            let Some(at) = self.connected(seat) else { continue };
            let player = &mut self.players[at];
            if player.drop_next > 0 {
                player.drop_next -= 1;
                self.room.missed(seat);
                continue;
            }
            player.frame_bytes.push(frame.len());
            match &mut player.asleep {
                Some(waiting) => waiting.push(frame.to_bytes()),
                None => {
                    self.apply(at, &frame.to_bytes());
                    self.acknowledge(at);
                }
            }
        }
        self.over = out.over.or(self.over.take());
    }

    fn connected(&self, seat: Seat) -> Option<usize> {
        self.players.iter().position(|player| player.connected && player.seat == seat)
    }

    #[track_caller]
    fn player(&self, player: usize) -> &Player {
        let joined = self.players.len();
        let Some(player) = self.players.get(player) else {
            panic!("there is no player {player}: {joined} joined, counted from 0")
        };
        player
    }

    #[track_caller]
    fn player_mut(&mut self, player: usize) -> &mut Player {
        self.player(player);
        &mut self.players[player]
    }

    #[track_caller]
    fn apply(&mut self, player: usize, frame: &[u8]) {
        let Player { seat, mirror, .. } = &mut self.players[player];
        let applied = match mirror.apply(frame) {
            Ok(applied) => applied,
            Err(error) => panic!("seat {seat}: {error}"),
        };
        assert_eq!(applied.desync, None, "seat {seat} at tick {}", applied.tick);
    }

    #[track_caller]
    fn acknowledge(&mut self, player: usize) {
        let Player { seat, mirror, .. } = &self.players[player];
        let mut bytes = Vec::new();
        encode_ack(&mut bytes, mirror.tick().0 as u16);
        if let Err(code) = self.room.handle(*seat, &bytes) {
            panic!("the acknowledgement was refused: {code}");
        }
    }
}

/// Unwraps a result. A failure is reported at the test's own line.
#[track_caller]
fn must<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
