//! The life of one client: connect, get a ticket, take the seat, read frames and send inputs until the run ends.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use tickcast::game::Strength;
use tickcast::protocol::Schema;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, timeout};

use crate::commands::CommandGenerator;
use crate::connection::{Connection, Fault, GAMEPLAY, LOBBY, MSGPACK_PATH, Target, wire_len};
use crate::inputs::InputGenerator;
use crate::replica::{FrameResult, Head, MERGED, Replica, Resync};
use crate::slow::{CRAWL_BYTES, Habit, LagMeter, STALL, Slow};
use crate::tally::{Count, Difference, Tally};
use crate::wire::{self, BinaryEvent, Kind, Packet};

/// How often a client that sends no inputs acknowledges the tick that it holds.
const ACK_ONLY: Duration = Duration::from_secs(1);

/// The commands that a client sends in a second, in games that have commands.
const COMMANDS: f64 = 1.0;

/// The protocol promises a frame at least this often. A longer wait that is open at the end of the run counts as a gap.
const FRAME_PROMISED: Duration = Duration::from_secs(1);

/// The settings and counters that all clients of a run share.
pub(crate) struct Common {
    pub(crate) target: Target,
    pub(crate) tally: Arc<Tally>,
    pub(crate) game: String,
    pub(crate) config: Option<serde_json::Value>,
    /// How strong the bots of created rooms play. `None`: as the server decides.
    pub(crate) strength: Option<Strength>,
    /// Inputs per second. `None`: one per tick of the room.
    pub(crate) input_hz: Option<u16>,
    /// Ticks from the newest frame's tick to the tick that an input is for.
    pub(crate) lead: u32,
    /// A client without a seat gives up after this time.
    pub(crate) seat_within: Duration,
    /// Limits how many clients connect at one time.
    pub(crate) connecting: Semaphore,
}

/// How a client gets into its first room.
pub(crate) enum RoomChoice {
    /// Creates the room and sends its id to the others. If that fails, the sender is dropped, which ends their wait.
    Create(watch::Sender<Option<String>>),
    Join(watch::Receiver<Option<String>>),
    Quick,
}

pub(crate) struct Client {
    pub(crate) common: Arc<Common>,
    pub(crate) number: usize,
    pub(crate) seed: u64,
    pub(crate) verify: bool,
    pub(crate) slow: Option<Arc<Slow>>,
}

impl Client {
    /// Plays until the run ends or something fails. Counts and returns the fault.
    pub(crate) async fn live(self, choice: RoomChoice) -> Result<(), Fault> {
        let result = self.seat_and_play(choice).await;
        if let Err(fault) = &result {
            self.common.tally.error(fault.kind(), 1);
        }
        result
    }

    async fn seat_and_play(&self, choice: RoomChoice) -> Result<(), Fault> {
        let tally = &self.common.tally;
        let seat_within = self.common.seat_within;
        let first = timeout(seat_within, self.first_seat(choice)).await;
        tally.add(Count::Settled, 1);
        let (mut connection, mut seat) = first.unwrap_or(Err(Fault::SeatTimeout))?;
        tally.add(Count::Seated, 1);
        if let Some(slow) = &self.slow {
            slow.tally.add(Count::Seated, 1);
            connection.count_in(&slow.tally);
            if slow.habit == Habit::Crawl {
                connection.crawl(CRAWL_BYTES);
            }
        }
        while seat.play(&mut connection).await? == Ended::Over {
            let next = timeout(seat_within, self.next_seat(&mut connection)).await;
            seat = next.unwrap_or(Err(Fault::SeatTimeout))?;
            tally.add(Count::Rejoins, 1);
        }
        connection.close().await;
        Ok(())
    }

    async fn first_seat(&self, choice: RoomChoice) -> Result<(Connection, Seat), Fault> {
        let room = match &choice {
            RoomChoice::Join(room) => Some(announced(room.clone()).await?),
            RoomChoice::Create(_) | RoomChoice::Quick => None,
        };
        let mut connection = {
            let _permit = self.common.connecting.acquire().await.expect("the semaphore is never closed");
            Connection::open(&self.common.target, MSGPACK_PATH, Arc::clone(&self.common.tally)).await?
        };
        connection.enter(LOBBY, &Name { name: format!("load {}", self.number) }).await?;
        let game = self.common.game.as_str();
        let pass: Pass = match choice {
            RoomChoice::Create(announce) => {
                let Common { config, strength, .. } = &*self.common;
                let create = Create { game, config: config.as_ref(), private: false, strength: *strength };
                let pass: Pass = connection.request(LOBBY, "create", Some(&create)).await?;
                announce.send_replace(Some(pass.room.clone()));
                pass
            }
            RoomChoice::Join(_) => connection.request(LOBBY, "join", Some(&Join { room })).await?,
            RoomChoice::Quick => connection.request(LOBBY, "quick", Some(&Quick { game })).await?,
        };
        let seat = self.take_seat(&mut connection, pass).await?;
        Ok((connection, seat))
    }

    async fn next_seat(&self, connection: &mut Connection) -> Result<Seat, Fault> {
        let quick = Quick { game: &self.common.game };
        let pass: Pass = connection.request(LOBBY, "quick", Some(&quick)).await?;
        connection.leave_gameplay().await?;
        self.take_seat(connection, pass).await
    }

    async fn take_seat(&self, connection: &mut Connection, pass: Pass) -> Result<Seat, Fault> {
        if !pass.url.is_empty() && pass.url.trim_end_matches('/') != self.common.target.url {
            return Err(Fault::OtherServer(pass.url));
        }
        connection.enter(GAMEPLAY, &Ticket { ticket: pass.ticket }).await?;
        loop {
            let bytes = connection.next_packet().await?;
            let packet = Packet::decode(&bytes)?;
            if (packet.kind, packet.nsp) == (Kind::Event, GAMEPLAY)
                && let ("welcome", welcome) = packet.event()?
            {
                return self.sit(welcome);
            }
        }
    }

    fn sit(&self, encoded: &[u8]) -> Result<Seat, Fault> {
        let Welcome { tick, hz, schema, .. } = wire::parse(encoded)?;
        let schema = Arc::new(schema);
        let input_hz = self.common.input_hz.unwrap_or(hz);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        Ok(Seat {
            tally: Arc::clone(self.slow.as_ref().map_or(&self.common.tally, |slow| &slow.tally)),
            lag_meter: self.slow.clone().map(|slow| LagMeter::new(slow, hz, Instant::now())),
            inputs: InputGenerator::new(&schema.input.fields, rng.random()),
            commands: CommandGenerator::new(&schema.commands, rng.random()),
            command: BinaryEvent::new(GAMEPLAY, "c"),
            command_share: (COMMANDS / f64::from(input_hz.max(1))).min(1.0),
            replica: Replica::new(tick, self.verify.then(|| schema.clone())),
            schema,
            ticker: ticker(input_hz, &mut rng),
            sends_inputs: input_hz > 0,
            seq: 0,
            lead: self.common.lead,
            event: BinaryEvent::new(GAMEPLAY, "i"),
            last_frame: Instant::now(),
            frames: 0,
        })
    }
}

/// Ticks at the input rate, with a random phase, so that the clients do not all send at once.
fn ticker(input_hz: u16, rng: &mut ChaCha8Rng) -> Interval {
    let period = match input_hz {
        0 => ACK_ONLY,
        hz => Duration::from_secs_f64(1.0 / f64::from(hz)),
    };
    let mut ticker = interval_at(Instant::now() + period.mul_f64(rng.random()), period);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticker
}

async fn announced(mut room: watch::Receiver<Option<String>>) -> Result<String, Fault> {
    let room = room.wait_for(Option::is_some).await.map_err(|_| Fault::NoRoom)?;
    room.clone().ok_or(Fault::NoRoom)
}

/// Why a client stopped playing, other than by a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The room is over.
    Over,
    /// The run is over.
    Stopped,
}

/// A taken seat.
struct Seat {
    tally: Arc<Tally>,
    schema: Arc<Schema>,
    replica: Replica,
    inputs: InputGenerator,
    commands: CommandGenerator,
    command: BinaryEvent,
    /// The share of inputs with which a command is sent.
    command_share: f64,
    ticker: Interval,
    sends_inputs: bool,
    seq: u32,
    lead: u32,
    event: BinaryEvent,
    last_frame: Instant,
    frames: u64,
    /// Present if the client is slow on purpose.
    lag_meter: Option<LagMeter>,
}

/// The next action after a packet.
enum Heard {
    Nothing,
    Over,
    Ask(Resync),
}

impl Seat {
    async fn play(&mut self, connection: &mut Connection) -> Result<Ended, Fault> {
        loop {
            if let Some(lag_meter) = self.lag_meter.as_mut().filter(|lag_meter| lag_meter.stalls(Instant::now())) {
                sleep(STALL).await;
                lag_meter.go_on(Instant::now());
            }
            let message = tokio::select! {
                biased;
                _ = self.ticker.tick() => None,
                message = connection.incoming() => Some(message?),
            };
            let Some(message) = message else {
                if self.tally.stopping() {
                    return self.leave(connection).await;
                }
                connection.check_heartbeat(Instant::now())?;
                connection.send(self.input()).await?;
                if let Some(command) = self.commands.next(self.command_share) {
                    connection.send(self.command.packet(&command)).await?;
                }
                continue;
            };
            let Some(bytes) = connection.packet(message).await? else {
                continue;
            };
            match self.hear(&bytes)? {
                Heard::Nothing => {}
                Heard::Over => return Ok(Ended::Over),
                Heard::Ask(resync) => connection.send(wire::event(GAMEPLAY, "resync", Some(&resync), None)).await?,
            }
        }
    }

    async fn leave(&mut self, connection: &mut Connection) -> Result<Ended, Fault> {
        // Without this, a client that gets no more frames would hide its longest gap.
        let waiting = self.last_frame.elapsed();
        if waiting > FRAME_PROMISED {
            self.tally.gap(waiting);
        }
        connection.send(wire::event(GAMEPLAY, "leave", None::<&()>, None)).await?;
        Ok(Ended::Stopped)
    }

    fn input(&mut self) -> Vec<u8> {
        let ack = i64::from(self.replica.ack());
        if self.sends_inputs {
            self.seq += 1;
            self.tally.add(Count::Inputs, 1);
            let tick = i64::from(self.replica.newest()) + i64::from(self.lead);
            return self.event.packet(&self.inputs.next([ack, self.seq.into(), tick]));
        }
        let mut input = Vec::new();
        wire::append_array(&mut input, 1);
        wire::append_int(&mut input, ack);
        self.event.packet(&input)
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<Heard, Fault> {
        let packet = Packet::decode(bytes)?;
        if packet.nsp != GAMEPLAY {
            return Ok(Heard::Nothing);
        }
        match packet.kind {
            Kind::Event => {}
            Kind::Disconnect => {
                return Err(Fault::Lost("the server ended the seat without `over`".to_owned()));
            }
            _ => return Ok(Heard::Nothing),
        }
        match packet.event()? {
            ("s", argument) => {
                self.tally.add(Count::FrameWireBytes, wire_len(bytes.len()));
                Ok(self.hear_frame(wire::binary(argument)?))
            }
            ("over", _) => Ok(Heard::Over),
            ("refused", argument) => {
                let refused: Refused = wire::parse(argument)?;
                self.tally.error(&refused.code, refused.count);
                Ok(Heard::Nothing)
            }
            _ => Ok(Heard::Nothing),
        }
    }

    fn hear_frame(&mut self, frame: &[u8]) -> Heard {
        let now = Instant::now();
        self.tally.add(Count::Frames, 1);
        self.tally.add(Count::FrameBytes, frame.len() as u64);
        if self.replica.verifies() {
            self.tally.add(Count::Verified, 1);
        }
        if self.frames > 0 {
            self.tally.gap(now.duration_since(self.last_frame));
        }
        self.frames += 1;
        self.last_frame = now;
        if let Some(head) = Head::read(frame) {
            self.tally.add(Count::Merged, u64::from(head.kind == MERGED));
            if let Some(lag_meter) = &mut self.lag_meter {
                lag_meter.read(head.tick, now);
            }
        }
        match self.replica.take(frame, now) {
            FrameResult::Held | FrameResult::Ignored => Heard::Nothing,
            FrameResult::Mended(mended) => {
                self.tally.mended(Difference::new(&self.schema, &mended));
                Heard::Nothing
            }
            FrameResult::AskAgain(resync) => Heard::Ask(resync),
            FrameResult::BadFrame(resync) => self.ask_after("bad_frame", resync),
            FrameResult::WrongBase(resync) => self.ask_after("wrong_base", resync),
            FrameResult::Desync(resync) => {
                self.tally.add(Count::Desyncs, 1);
                Heard::Ask(resync)
            }
        }
    }

    fn ask_after(&self, kind: &str, resync: Resync) -> Heard {
        self.tally.error(kind, 1);
        Heard::Ask(resync)
    }
}

/// `auth` of `/lobby`.
#[derive(Serialize)]
pub(crate) struct Name {
    pub(crate) name: String,
}

/// `auth` of `/gameplay`.
#[derive(Serialize)]
pub(crate) struct Ticket {
    pub(crate) ticket: String,
}

#[derive(Serialize)]
struct Create<'a> {
    game: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a serde_json::Value>,
    private: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    strength: Option<Strength>,
}

#[derive(Serialize)]
struct Join {
    room: Option<String>,
}

#[derive(Serialize)]
struct Quick<'a> {
    game: &'a str,
}

/// The answer to `create`, `join` and `quick`.
#[derive(Deserialize)]
pub(crate) struct Pass {
    pub(crate) ticket: String,
    pub(crate) url: String,
    pub(crate) room: String,
}

/// The fields of the welcome that a client needs.
#[derive(Deserialize)]
pub(crate) struct Welcome {
    pub(crate) seat: u8,
    pub(crate) tick: u32,
    pub(crate) hz: u16,
    pub(crate) schema: Schema,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) count: u64,
}
