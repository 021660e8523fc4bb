//! One match in this process, without a clock: players come, play, lose frames and connections, come back and leave, for as many
//! ticks as asked for. Each has a mirror that checks every frame.

use anyhow::{Context, bail};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickcast::game::GameDef;
use tickcast::protocol::{InputHead, Seat, encode_input};
use tickcast::replication::Mirror;
use tickcast::room::{Outbox, Room};

use super::series::{Figure, Series};
use super::soak_server::Steady;
use crate::heap;

/// The part of the ticks before the first sample.
const WARMUP: f64 = 0.25;

/// The number of samples.
const SAMPLES: u32 = 200;

/// The most players at a time.
const PLAYERS: usize = 8;

/// The ticks between two inputs of a player.
const INPUT: u32 = 4;

/// The ticks for which a player who lost the connection may be away: less than the game's grace time of 2 s.
const AWAY: u32 = 250;

struct Player {
    seat: Seat,
    mirror: Mirror,
    seq: u32,
    /// While away: the tick after which the player does not come back.
    away_until: Option<u32>,
}

struct Match {
    room: Room,
    players: Vec<Player>,
    rng: ChaCha8Rng,
}

/// Steps the match, and samples this process's heap.
pub(crate) fn run(ticks: u32, seed: u64) -> anyhow::Result<Series> {
    heap::count();
    let room = Room::new(&GameDef::new::<Steady>()?, None, seed)?;
    let mut game = Match { room, players: Vec::new(), rng: ChaCha8Rng::seed_from_u64(seed) };
    let mut series = Series::new("one room", Figure::HeapBytes);
    let (warmup, each) = ((f64::from(ticks) * WARMUP) as u32, ticks.div_ceil(SAMPLES).max(1));
    for tick in 0..ticks {
        game.churn(tick)?;
        game.send_inputs(tick);
        let out = game.room.tick();
        game.deliver(&out).with_context(|| format!("tick {tick}"))?;
        drop(out);
        if tick >= warmup && tick.is_multiple_of(each) {
            series.push(tick.into(), heap::bytes_in_use());
        }
    }
    Ok(series)
}

impl Match {
    fn chance(&mut self, one_in: u32) -> bool {
        self.rng.random_ratio(1, one_in)
    }

    /// Lets players come, go, lose their connections and come back.
    fn churn(&mut self, tick: u32) -> anyhow::Result<()> {
        // Players who did not come back have their seats for a little longer.
        let has_seats = self.players.len() < PLAYERS && self.room.open_seats()[0] > 0;
        if has_seats && self.chance(64) {
            let seat = self.room.reserve("player")?;
            self.room.enter(seat, None)?;
            let mirror = Mirror::new(self.room.schema().clone());
            self.players.push(Player { seat, mirror, seq: 0, away_until: None });
        }
        let mut at = 0;
        while at < self.players.len() {
            let stays = self.churn_player(at, tick);
            if stays {
                at += 1;
            } else {
                self.players.swap_remove(at);
            }
        }
        Ok(())
    }

    /// Returns whether the player stays.
    fn churn_player(&mut self, at: usize, tick: u32) -> bool {
        let (seat, away_until) = (self.players[at].seat, self.players[at].away_until);
        if let Some(until) = away_until {
            if tick >= until {
                return false;
            }
            if self.chance(128) {
                self.players[at].away_until = None;
                return self.room.enter(seat, Some(self.players[at].mirror.tick())).is_ok();
            }
        } else if self.chance(1024) {
            self.room.disconnect(seat);
            self.players[at].away_until = Some(tick + AWAY);
        } else if self.chance(1024) {
            self.room.leave(seat);
            return false;
        } else if self.chance(1024) {
            self.room.resync(seat);
        }
        true
    }

    fn send_inputs(&mut self, tick: u32) {
        for player in self.players.iter_mut().filter(|player| player.away_until.is_none() && tick.is_multiple_of(INPUT)) {
            player.seq += 1;
            let columns: [i64; 2] = [self.rng.random_range(-8..=8), self.rng.random_range(-8..=8)];
            let mut bytes = Vec::new();
            let head = InputHead { ack: player.mirror.tick().0 as u16, seq: player.seq, ..InputHead::default() };
            encode_input(&mut bytes, head, &columns);
            // A refusal is counted by the room, and told to the seat.
            let _ = self.room.handle(player.seat, &bytes);
        }
    }

    fn deliver(&mut self, out: &Outbox) -> anyhow::Result<()> {
        if let Some(over) = &out.over {
            bail!("the match is over: {}", over.message);
        }
        if let Some(seat) = out.stalled.first() {
            bail!("seat {seat} has stalled");
        }
        for (seat, frame) in out.frames.iter() {
            if self.rng.random_ratio(1, 128) {
                self.room.missed(seat);
                continue;
            }
            let Some(player) = self.players.iter_mut().find(|player| player.seat == seat) else { continue };
            let applied = player.mirror.apply(&frame.to_bytes()).with_context(|| format!("seat {seat}"))?;
            if let Some(desync) = applied.desync {
                bail!("seat {seat}: {desync:?}");
            }
        }
        Ok(())
    }
}
