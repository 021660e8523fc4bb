//! The life of one client: connect, get a ticket, take the seat, read frames and send inputs until the run ends.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use tickcast::protocol::Schema;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, timeout};

use crate::follow::{Follower, Head, MERGED, Resync, Taken};
use crate::link::{Fault, GAMEPLAY, LOBBY, Link, MSGPACK_PATH, Target, wire_len};
use crate::slow::{CRAWL_BYTES, Habit, Pace, STALL, Slow};
use crate::tally::{Count, Difference, Tally};
use crate::walk::Walker;
use crate::wire::{self, BinaryEvent, Kind, Packet};

/// How often a client that sends no inputs still says what it holds.
const ACK_ONLY: Duration = Duration::from_secs(1);

/// The protocol promises a frame at least this often; a wait still open at the end counts once it is longer.
const FRAME_PROMISED: Duration = Duration::from_secs(1);

/// What all clients of a run have in common.
pub(crate) struct Common {
    pub(crate) target: Target,
    pub(crate) tally: Arc<Tally>,
    pub(crate) game: String,
    pub(crate) config: Option<serde_json::Value>,
    /// Inputs a second; without one as many as the room has ticks.
    pub(crate) input_hz: Option<u16>,
    /// How many ticks after the newest frame's an input is meant for.
    pub(crate) lead: u32,
    /// After which time without a seat a client gives up.
    pub(crate) seat_within: Duration,
    /// How many may be connecting at one time.
    pub(crate) doors: Semaphore,
}

/// How a client comes to its first room.
pub(crate) enum Way {
    /// Creates it and tells the others its id; if that fails, they hear of it by the sender's end.
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
    /// Lives until the run ends or something fails, which is counted and returned.
    pub(crate) async fn live(self, way: Way) -> Result<(), Fault> {
        let result = self.seat_and_play(way).await;
        if let Err(fault) = &result {
            self.common.tally.error(fault.kind(), 1);
        }
        result
    }

    async fn seat_and_play(&self, way: Way) -> Result<(), Fault> {
        let tally = &self.common.tally;
        let seat_within = self.common.seat_within;
        let first = timeout(seat_within, self.first_seat(way)).await;
        tally.add(Count::Settled, 1);
        let (mut link, mut seat) = first.unwrap_or(Err(Fault::SeatTimeout))?;
        tally.add(Count::Seated, 1);
        if let Some(slow) = &self.slow {
            slow.tally.add(Count::Seated, 1);
            link.count_in(&slow.tally);
            if slow.habit == Habit::Crawl {
                link.crawl(CRAWL_BYTES);
            }
        }
        while seat.play(&mut link).await? == Ended::Over {
            let next = timeout(seat_within, self.next_seat(&mut link)).await;
            seat = next.unwrap_or(Err(Fault::SeatTimeout))?;
            tally.add(Count::Rejoins, 1);
        }
        link.close().await;
        Ok(())
    }

    async fn first_seat(&self, way: Way) -> Result<(Link, Seat), Fault> {
        let room = match &way {
            Way::Join(room) => Some(announced(room.clone()).await?),
            Way::Create(_) | Way::Quick => None,
        };
        let mut link = {
            let _door = self.common.doors.acquire().await.expect("the doors are never closed");
            Link::open(&self.common.target, MSGPACK_PATH, Arc::clone(&self.common.tally)).await?
        };
        link.enter(LOBBY, &Name { name: format!("load {}", self.number) }).await?;
        let game = self.common.game.as_str();
        let pass: Pass = match way {
            Way::Create(announce) => {
                let create = Create { game, config: self.common.config.as_ref(), private: false };
                let pass: Pass = link.request(LOBBY, "create", Some(&create)).await?;
                announce.send_replace(Some(pass.room.clone()));
                pass
            }
            Way::Join(_) => link.request(LOBBY, "join", Some(&Join { room })).await?,
            Way::Quick => link.request(LOBBY, "quick", Some(&Quick { game })).await?,
        };
        let seat = self.take_seat(&mut link, pass).await?;
        Ok((link, seat))
    }

    async fn next_seat(&self, link: &mut Link) -> Result<Seat, Fault> {
        let quick = Quick { game: &self.common.game };
        let pass: Pass = link.request(LOBBY, "quick", Some(&quick)).await?;
        link.leave_gameplay().await?;
        self.take_seat(link, pass).await
    }

    async fn take_seat(&self, link: &mut Link, pass: Pass) -> Result<Seat, Fault> {
        if !pass.url.is_empty() && pass.url.trim_end_matches('/') != self.common.target.url {
            return Err(Fault::OtherServer(pass.url));
        }
        link.enter(GAMEPLAY, &Ticket { ticket: pass.ticket }).await?;
        loop {
            let bytes = link.next_packet().await?;
            let packet = Packet::decode(&bytes)?;
            if (packet.kind, packet.nsp) == (Kind::Event, GAMEPLAY)
                && let ("welcome", welcome) = packet.event()?
            {
                return self.sit(welcome);
            }
        }
    }

    fn sit(&self, encoded: &[u8]) -> Result<Seat, Fault> {
        let Welcome { tick, hz, schema } = wire::parse(encoded)?;
        let schema = Arc::new(schema);
        let input_hz = self.common.input_hz.unwrap_or(hz);
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        Ok(Seat {
            tally: Arc::clone(self.slow.as_ref().map_or(&self.common.tally, |slow| &slow.tally)),
            pace: self.slow.clone().map(|slow| Pace::new(slow, hz, Instant::now())),
            walker: Walker::new(&schema.input.fields, rng.random()),
            follower: Follower::new(tick, self.verify.then(|| schema.clone())),
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

/// Ticks at the input rate, each client at a moment of its own, so that they do not all send at once.
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

/// Why playing came to an end without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The room is over.
    Over,
    /// The run is.
    Stopped,
}

/// A taken seat.
struct Seat {
    tally: Arc<Tally>,
    schema: Arc<Schema>,
    follower: Follower,
    walker: Walker,
    ticker: Interval,
    sends_inputs: bool,
    seq: u32,
    lead: u32,
    event: BinaryEvent,
    last_frame: Instant,
    frames: u64,
    /// Of a client that is slow on purpose.
    pace: Option<Pace>,
}

/// What a packet calls for.
enum Heard {
    Nothing,
    Over,
    Ask(Resync),
}

impl Seat {
    async fn play(&mut self, link: &mut Link) -> Result<Ended, Fault> {
        loop {
            if let Some(pace) = self.pace.as_mut().filter(|pace| pace.stalls(Instant::now())) {
                sleep(STALL).await;
                pace.go_on(Instant::now());
            }
            let message = tokio::select! {
                biased;
                _ = self.ticker.tick() => None,
                message = link.incoming() => Some(message?),
            };
            let Some(message) = message else {
                if self.tally.stopping() {
                    return self.leave(link).await;
                }
                link.check_heartbeat(Instant::now())?;
                link.send(self.input()).await?;
                continue;
            };
            let Some(bytes) = link.packet(message).await? else {
                continue;
            };
            match self.hear(&bytes)? {
                Heard::Nothing => {}
                Heard::Over => return Ok(Ended::Over),
                Heard::Ask(resync) => link.send(wire::event(GAMEPLAY, "resync", Some(&resync), None)).await?,
            }
        }
    }

    async fn leave(&mut self, link: &mut Link) -> Result<Ended, Fault> {
        // A client that hears nothing any more would otherwise hide its last, longest gap.
        let waiting = self.last_frame.elapsed();
        if waiting > FRAME_PROMISED {
            self.tally.gap(waiting);
        }
        link.send(wire::event(GAMEPLAY, "leave", None::<&()>, None)).await?;
        Ok(Ended::Stopped)
    }

    fn input(&mut self) -> Vec<u8> {
        let mut input = Vec::with_capacity(32);
        let ack = i64::from(self.follower.ack());
        if self.sends_inputs {
            self.seq += 1;
            wire::append_array(&mut input, 3 + self.walker.len() as u32);
            wire::append_int(&mut input, ack);
            wire::append_int(&mut input, self.seq.into());
            wire::append_int(&mut input, i64::from(self.follower.newest()) + i64::from(self.lead));
            self.walker.append_next(&mut input);
            self.tally.add(Count::Inputs, 1);
        } else {
            wire::append_array(&mut input, 1);
            wire::append_int(&mut input, ack);
        }
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
                return Err(Fault::Lost("the seat was ended without `over`".to_owned()));
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
        if self.follower.verifies() {
            self.tally.add(Count::Verified, 1);
        }
        if self.frames > 0 {
            self.tally.gap(now.duration_since(self.last_frame));
        }
        self.frames += 1;
        self.last_frame = now;
        if let Some(head) = Head::read(frame) {
            self.tally.add(Count::Merged, u64::from(head.kind == MERGED));
            if let Some(pace) = &mut self.pace {
                pace.read(head.tick, now);
            }
        }
        match self.follower.take(frame, now) {
            Taken::Held | Taken::Ignored => Heard::Nothing,
            Taken::Mended(mended) => {
                self.tally.mended(Difference::new(&self.schema, &mended));
                Heard::Nothing
            }
            Taken::AskAgain(resync) => Heard::Ask(resync),
            Taken::BadFrame(resync) => self.ask_after("bad_frame", resync),
            Taken::WrongBase(resync) => self.ask_after("wrong_base", resync),
            Taken::Desync(resync) => {
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

/// Of the welcome what a client needs.
#[derive(Deserialize)]
pub(crate) struct Welcome {
    pub(crate) tick: u32,
    pub(crate) hz: u16,
    pub(crate) schema: Schema,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) count: u64,
}
