//! Real readers that stop, crawl or never come back: what they find, what they cost, and that nobody else notices.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value as Json, json};
use tickcast::{prelude::*, server::RunningServer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::server::{Client, PARSERS, Packet, Pad, Parser, Pos, Wishes, create_game, seated, ticket_for};

const HZ: u32 = 20;

/// Twenty frames a second of this many movers are three times what a slow reader takes.
const MOVERS: usize = 120;

const MERGED: i64 = 2;

/// A room in which everything moves in every tick: about 6 kB/s for each seat.
struct Swarm;

impl Game for Swarm {
    const NAME: &'static str = "swarm";
    type Input = Pad;
    type Config = Wishes;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(HZ as u16)
            .seats(1..=4)
            .replicate::<(Pos,)>()
            .on_join(|seat: Seat, world: &mut World| {
                world.spawn_avatar(seat, (Pos { at: Vec2::ZERO },));
            })
            .reconnect_grace(secs(5.0))
            .systems((hatch, mill_about).chain());
    }
}

fn hatch(clock: Res<Clock>, mut commands: Commands) {
    if clock.tick == 1 {
        commands.spawn_batch((0..MOVERS).map(|n| Pos { at: Vec2::splat(n as f32) }));
    }
}

fn mill_about(clock: Res<Clock>, mut all: Query<&mut Pos>) {
    let by = Vec2::from_angle(clock.tick as f32) * 3.0;
    all.iter_mut().for_each(|mut pos| pos.at += by);
}

async fn start() -> RunningServer {
    tickcast::server().game::<Swarm>().start("127.0.0.1:0").await.expect("a free port")
}

/// What a busy machine may be late by; who waited for the reader beside them would wait for longer.
const LONGEST_GAP: Duration = Duration::from_secs(2);

/// One frame as it came.
#[derive(Debug, Clone, Copy)]
struct Came {
    at: Instant,
    kind: i64,
    tick: u32,
}

/// The next frame; acknowledges it.
async fn read_frame(client: &mut Client) -> Came {
    let packet = client.event_named("/gameplay", "s").await;
    take(client, &packet).await
}

async fn take(client: &mut Client, packet: &Packet) -> Came {
    let frame: Vec<Json> = rmp_serde::from_slice(packet.binary.as_ref().expect("a frame is binary")).unwrap();
    let (kind, tick) = (frame[0].as_i64().unwrap(), frame[1].as_u64().unwrap() as u32);
    let [high, low] = (tick as u16).to_be_bytes();
    client.input(&[0x91, 0xcd, high, low], false).await;
    Came { at: Instant::now(), kind, tick }
}

/// Somebody in the same room who reads everything at once.
struct Neighbour {
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<Vec<Came>>,
}

/// What a neighbour knows.
#[derive(Default)]
struct Heard {
    tick: u32,
    seats: Json,
    enough: bool,
}

impl Neighbour {
    fn of(mut client: Client) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let told = heard.clone();
        let task = tokio::spawn(async move {
            let mut frames = Vec::new();
            while !told.lock().unwrap().enough {
                match client.event("/gameplay").await {
                    (name, packet) if name == "s" => {
                        let came = take(&mut client, &packet).await;
                        told.lock().unwrap().tick = came.tick;
                        frames.push(came);
                    }
                    (name, packet) if name == "seats" => told.lock().unwrap().seats = packet.data[1].clone(),
                    _ => {}
                }
            }
            frames
        });
        Self { heard, task }
    }

    fn tick(&self) -> u32 {
        self.heard.lock().unwrap().tick
    }

    /// What another seat is said to do; nothing if nobody has it.
    fn status(&self, seat: &Json) -> Option<String> {
        let heard = self.heard.lock().unwrap();
        let info = heard.seats.as_array()?.iter().find(|info| info["seat"] == *seat)?;
        info["status"].as_str().map(str::to_owned)
    }

    async fn hears(&self, seat: &Json, status: &str, patience: Duration) {
        let waits = async {
            while self.status(seat).as_deref() != Some(status) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(patience, waits).await.unwrap_or_else(|_| panic!("seat {seat} is not {status} after {patience:?}"));
    }

    /// It had each tick's frame, as a diff, at its time.
    async fn noticed_nothing(self) {
        self.heard.lock().unwrap().enough = true;
        let frames = self.task.await.unwrap();
        assert!(frames.len() > 60, "{} frames", frames.len());
        let mut longest = Duration::ZERO;
        for pair in frames.windows(2) {
            assert_eq!((pair[1].kind, pair[1].tick), (1, pair[0].tick + 1), "the neighbour lacks nothing");
            longest = longest.max(pair[1].at - pair[0].at);
        }
        println!("the neighbour: {} frames, longest gap {} ms", frames.len(), longest.as_millis());
        assert!(longest < LONGEST_GAP, "the neighbour waited for {longest:?}");
    }
}

/// A room with a neighbour in it, and a ticket for one more seat.
async fn room(server: &RunningServer) -> (Neighbour, String) {
    let created = create_game(server, "swarm", json!({})).await;
    let (neighbour, _) = seated(server, created["ticket"].as_str().unwrap()).await;
    let ticket = ticket_for(server, &created["room"]).await;
    (Neighbour::of(neighbour), ticket)
}

async fn sit(address: SocketAddr, parser: Parser, auth: Json) -> (Client, Json) {
    let mut client = Client::connect_to(address, parser).await;
    client.enter("/gameplay", auth).await.unwrap();
    let welcome = client.event_named("/gameplay", "welcome").await.data[1].clone();
    (client, welcome)
}

/// A narrow line to a server.
struct Narrow {
    /// Where to connect.
    address: SocketAddr,
    /// Its own end of the connection to the server.
    upstream: SocketAddr,
}

/// A line that carries so many bytes a second from the server to one client, and does not slow down the other way.
async fn crawl(server: SocketAddr, bytes_a_second: usize) -> Narrow {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let upstream = TcpStream::connect(server).await.unwrap();
    let local = upstream.local_addr().unwrap();
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), upstream.into_split());
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        // The handshake and the snapshot may pass quickly.
        let mut chunk = vec![0; bytes_a_second / 20];
        while let Ok(count @ 1..) = from_server.read(&mut chunk).await {
            if to_client.write_all(&chunk[..count]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs_f64(count as f64 / bytes_a_second as f64)).await;
        }
    });
    Narrow { address, upstream: local }
}

/// What the server's kernel holds of what was written to a client: the column `tx_queue` of its socket.
#[cfg(target_os = "linux")]
fn kernel_holds(server: SocketAddr, client: SocketAddr) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let (local, remote) = (format!(":{:04X}", server.port()), format!(":{:04X}", client.port()));
    let found = table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        (fields[1].ends_with(&local) && fields[2].ends_with(&remote)).then(|| fields[4].to_owned())
    });
    let queues = found.expect("the connection stands");
    usize::from_str_radix(queues.split_once(':').unwrap().0, 16).unwrap()
}

#[tokio::test]
async fn a_reader_that_stopped_for_five_seconds_is_in_step_again_at_once() {
    let server = start().await;
    let stop_and_go = async |parser| {
        let (neighbour, ticket) = room(&server).await;
        let (mut client, _) = sit(server.address(), parser, json!({ "ticket": ticket })).await;
        let mut last = 0;
        for _ in 0..60 {
            last = read_frame(&mut client).await.tick;
        }
        sleep(Duration::from_secs(5)).await;
        assert!(kernel_holds(server.address(), client.local_address()) < 64 * 1024);
        let (reads_again, mut stale) = (Instant::now(), 0);
        let merged = loop {
            match read_frame(&mut client).await {
                Came { kind: 1, .. } => stale += 1,
                came if came.kind == MERGED => break came,
                came => panic!("{parser:?}: {came:?}"),
            }
        };
        let (took, lag) = (merged.at - reads_again, neighbour.tick().saturating_sub(merged.tick));
        println!("{parser:?}: {stale} stale frames, merged diff {lag} ticks old after {} ms of reading", took.as_millis());
        assert!(stale <= 10, "{parser:?}: {stale} stale frames");
        assert!(merged.tick > last + 80, "{parser:?}: the merged diff is of now, tick {} after {last}", merged.tick);
        // A round trip on this machine is nothing, a tick is 50 ms, as the line above shows; the rest is for a machine that is busy.
        assert!(took < LONGEST_GAP / 2 && lag <= 10, "{parser:?}: {took:?}, {lag} ticks behind");
        let next = read_frame(&mut client).await;
        assert_eq!((next.kind, next.tick), (1, merged.tick + 1), "{parser:?}: and then it is in step");
        neighbour.noticed_nothing().await;
    };
    tokio::join!(stop_and_go(PARSERS[0]), stop_and_go(PARSERS[1]));
    server.shutdown().await;
}

#[tokio::test]
async fn a_reader_at_two_kilobytes_a_second_stays_and_lags_by_a_bounded_time() {
    let server = start().await;
    let (neighbour, ticket) = room(&server).await;
    let narrow = crawl(server.address(), 2000).await;
    let (mut client, _) = sit(narrow.address, Parser::Msgpack, json!({ "ticket": ticket })).await;
    let (began, mut lags, mut merged, mut held) = (Instant::now(), Vec::new(), 0, 0);
    while began.elapsed() < Duration::from_secs(14) {
        let came = read_frame(&mut client).await;
        lags.push(neighbour.tick().saturating_sub(came.tick));
        merged += u32::from(came.kind == MERGED);
        held = held.max(kernel_holds(server.address(), narrow.upstream));
    }
    println!("{} frames, {merged} merged, the kernel held {held} bytes at most; ticks behind: {lags:?}", lags.len());
    assert!(merged >= 4, "{merged} merged diffs");
    // Until the server has seen how slow it is, a second's worth of frames forms a line; later a third of that does.
    let (first, later) = lags.split_at(lags.len() / 2);
    let worst = |lags: &[u32]| lags.iter().max().copied().unwrap();
    assert!(worst(first) < 6 * HZ && worst(later) < 3 * HZ, "{} and later {} ticks behind", worst(first), worst(later));
    assert!(held < 64 * 1024, "the kernel held {held} bytes for it");
    neighbour.noticed_nothing().await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_reader_that_stopped_for_good_is_cut_off_and_may_resume() {
    let server = start().await;
    let (neighbour, ticket) = room(&server).await;
    let (mut client, welcome) = sit(server.address(), Parser::Msgpack, json!({ "ticket": ticket })).await;
    let mut last = 0;
    for _ in 0..20 {
        last = read_frame(&mut client).await.tick;
    }
    let stopped = Instant::now();
    neighbour.hears(&welcome["seat"], "away", Duration::from_secs(20)).await;
    println!("cut off after {:.1} s", stopped.elapsed().as_secs_f32());
    assert!(stopped.elapsed() > Duration::from_secs(12), "it had its chance: {:?}", stopped.elapsed());
    drop(client);
    // The grace time is five seconds.
    sleep(Duration::from_secs(2)).await;
    assert_eq!(neighbour.status(&welcome["seat"]).as_deref(), Some("away"), "the seat is kept");
    let auth = json!({ "resume": welcome["resume"], "tick": last });
    let (mut client, again) = sit(server.address(), Parser::Msgpack, auth).await;
    assert_eq!((&again["seat"], &again["state"]), (&welcome["seat"], &json!("snapshot")), "older than the server's memory");
    assert_eq!(read_frame(&mut client).await.kind, 0);
    assert_eq!(read_frame(&mut client).await.kind, 1);
    neighbour.hears(&welcome["seat"], "playing", Duration::from_secs(1)).await;
    neighbour.noticed_nothing().await;
    drop(client);
    server.shutdown().await;
}
