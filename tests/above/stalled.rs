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
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    server::{Client, PARSERS, PATIENCE, Packet, Parser, Wishes, create_game, seated, ticket_for},
    swarm::swarming,
    walk::{self, Pad},
};

const HZ: u32 = walk::HZ as u32;

/// The number of entities that move. Their frames are three times as large as a slow reader reads in a tick.
const MOVERS: usize = 120;

/// The bytes that a slow reader reads in a tick: two kilobytes per second.
const BYTES_A_TICK: usize = 100;

/// The limit of bytes for one client in the server's kernel.
const MOST_HELD: usize = 64 * 1024;

const MERGED: i64 = 2;

/// A room with frames of about 300 bytes in every tick.
struct Swarm;

impl Game for Swarm {
    const NAME: &'static str = "swarm";
    type Input = Pad;
    type Config = Wishes;

    fn build(m: &mut MatchBuilder<Self>) {
        swarming(m, MOVERS).seats(1..=4).reconnect_grace(secs(60.0));
    }
}

async fn start() -> RunningServer {
    tickcast::server().game::<Swarm>().start("127.0.0.1:0").await.expect("a free port")
}

/// One frame as it came.
#[derive(Debug, Clone, Copy)]
struct Came {
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
    Came { kind, tick }
}

/// Somebody in the same room who reads everything at once.
struct Neighbour {
    /// The newest tick it had a frame of: the clock of these tests.
    ticks: watch::Receiver<u32>,
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<Vec<Came>>,
}

/// The frames that a neighbour got.
#[derive(Default)]
struct Heard {
    seats: Json,
    enough: bool,
}

impl Neighbour {
    fn of(mut client: Client) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let told = heard.clone();
        let (newest, ticks) = watch::channel(0);
        let task = tokio::spawn(async move {
            let mut frames = Vec::new();
            while !told.lock().unwrap().enough {
                match client.event("/gameplay").await {
                    (name, packet) if name == "s" => {
                        let came = take(&mut client, &packet).await;
                        newest.send_replace(came.tick);
                        frames.push(came);
                    }
                    (name, packet) if name == "seats" => told.lock().unwrap().seats = packet.data[1].clone(),
                    _ => {}
                }
            }
            frames
        });
        Self { ticks, heard, task }
    }

    fn tick(&self) -> u32 {
        *self.ticks.borrow()
    }

    /// Waits until it has seen this tick.
    async fn sees(&self, tick: u32) {
        let mut ticks = self.ticks.clone();
        timeout(PATIENCE, ticks.wait_for(|seen| *seen >= tick)).await.expect("the match goes on").unwrap();
    }

    /// Returns the status of another seat; `None` if it is free.
    fn status(&self, seat: &Json) -> Option<String> {
        let heard = self.heard.lock().unwrap();
        let info = heard.seats.as_array()?.iter().find(|info| info["seat"] == *seat)?;
        info["status"].as_str().map(str::to_owned)
    }

    async fn hears(&self, seat: &Json, status: &str) {
        let waits = async {
            while self.status(seat).as_deref() != Some(status) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, waits).await.unwrap_or_else(|_| panic!("seat {seat} is never {status}"));
    }

    /// It had each tick's frame, as a diff.
    async fn noticed_nothing(self) {
        self.heard.lock().unwrap().enough = true;
        let frames = self.task.await.unwrap();
        assert!(frames.len() > 60, "{} frames", frames.len());
        for pair in frames.windows(2) {
            assert_eq!((pair[1].kind, pair[1].tick), (1, pair[0].tick + 1), "the neighbour lacks nothing");
        }
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

/// A line that carries so many bytes from the server to one client in each tick that the neighbour sees, and does not slow down the other
/// way.
async fn crawl(server: SocketAddr, mut ticks: watch::Receiver<u32>) -> Narrow {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let upstream = TcpStream::connect(server).await.unwrap();
    let local = upstream.local_addr().unwrap();
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), upstream.into_split());
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        let (mut chunk, mut carried, first) = ([0; BYTES_A_TICK], 0, *ticks.borrow());
        while let Ok(count @ 1..) = from_server.read(&mut chunk).await {
            if to_client.write_all(&chunk[..count]).await.is_err() {
                break;
            }
            carried += count;
            let due = first + (carried / BYTES_A_TICK) as u32;
            if ticks.wait_for(|tick| *tick >= due).await.is_err() {
                break;
            }
        }
    });
    Narrow { address, upstream: local }
}

/// Returns the bytes for a client that the server's kernel holds: the column `tx_queue` of its socket. `None` on other systems.
fn kernel_holds(server: SocketAddr, client: SocketAddr) -> usize {
    if !cfg!(target_os = "linux") {
        return 0;
    }
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
async fn a_reader_that_stops_for_five_seconds_gets_one_merged_diff() {
    let server = start().await;
    let stop_and_go = async |parser| {
        let (neighbour, ticket) = room(&server).await;
        let (mut client, _) = sit(server.address(), parser, json!({ "ticket": ticket })).await;
        let mut last = 0;
        for _ in 0..60 {
            last = read_frame(&mut client).await.tick;
        }
        neighbour.sees(last + 5 * HZ).await;
        assert!(kernel_holds(server.address(), client.local_address()) < MOST_HELD);
        let (reads_again, mut stale) = (neighbour.tick(), 0);
        let merged = loop {
            match read_frame(&mut client).await {
                Came { kind: 1, .. } => {
                    stale += 1;
                    assert!(stale <= 10, "{parser:?}: {stale} stale frames");
                }
                came if came.kind == MERGED => break came,
                came => panic!("{parser:?}: {came:?}"),
            }
        };
        assert!(merged.tick >= reads_again, "{parser:?}: the merged diff is of now, tick {} and not {reads_again}", merged.tick);
        let next = read_frame(&mut client).await;
        assert_eq!((next.kind, next.tick), (1, merged.tick + 1), "{parser:?}: and then it is in step");
        neighbour.noticed_nothing().await;
    };
    tokio::join!(stop_and_go(PARSERS[0]), stop_and_go(PARSERS[1]));
    server.shutdown().await;
}

#[tokio::test]
async fn a_reader_over_a_narrow_line_lags_by_a_bounded_time() {
    let server = start().await;
    let (neighbour, ticket) = room(&server).await;
    let narrow = crawl(server.address(), neighbour.ticks.clone()).await;
    let (mut client, _) = sit(narrow.address, Parser::Msgpack, json!({ "ticket": ticket })).await;
    let (end, mut lags, mut merged) = (neighbour.tick() + 14 * HZ, Vec::new(), 0);
    while neighbour.tick() < end {
        let came = read_frame(&mut client).await;
        lags.push(neighbour.tick().saturating_sub(came.tick));
        merged += u32::from(came.kind == MERGED);
        let held = kernel_holds(server.address(), narrow.upstream);
        assert!(held < MOST_HELD, "the kernel holds {held} bytes for it");
    }
    assert!(merged >= 4, "{merged} merged diffs");
    // Until the server has seen how slow it is, a second's worth of frames forms a line; later a third of that does.
    let (first, later) = lags.split_at(lags.len() / 2);
    let worst = |lags: &[u32]| lags.iter().max().copied().unwrap();
    assert!(worst(first) < 6 * HZ && worst(later) < 3 * HZ, "{} and later {} ticks behind", worst(first), worst(later));
    neighbour.noticed_nothing().await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_reader_that_stops_for_good_is_cut_and_may_resume() {
    let server = start().await;
    let (neighbour, ticket) = room(&server).await;
    let (mut client, welcome) = sit(server.address(), Parser::Msgpack, json!({ "ticket": ticket })).await;
    let mut last = 0;
    for _ in 0..20 {
        last = read_frame(&mut client).await.tick;
    }
    let (stopped, tick) = (Instant::now(), neighbour.tick());
    neighbour.hears(&welcome["seat"], "away").await;
    assert!(stopped.elapsed() > Duration::from_secs(12), "it had its chance: {:?}", stopped.elapsed());
    // The room cuts it after 15 seconds of ticks, and the two for which its window was open. A heartbeat would end it after 45.
    let ticks = neighbour.tick() - tick;
    assert!(ticks < 30 * HZ, "it was cut after {ticks} ticks");
    drop(client);
    let auth = json!({ "resume": welcome["resume"], "tick": last });
    let (mut client, again) = sit(server.address(), Parser::Msgpack, auth).await;
    assert_eq!((&again["seat"], &again["state"]), (&welcome["seat"], &json!("snapshot")), "older than the server's memory");
    assert_eq!(read_frame(&mut client).await.kind, 0);
    assert_eq!(read_frame(&mut client).await.kind, 1);
    neighbour.hears(&welcome["seat"], "playing").await;
    neighbour.noticed_nothing().await;
    drop(client);
    server.shutdown().await;
}
