//! The memory of a connection. Each test runs in a process of its own, because it measures the whole process.

use std::{future::Future, pin::pin, time::Duration};

use serde_json::json;
use tickcast::{
    lobby::{DisplayName, Identity, UserId},
    prelude::*,
    server::RunningServer,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    heap::bytes_in_use,
    process::run_in_child,
    server::{PATIENCE, Wishes, dropped, http, start_limited},
    shares::{fill_the_chat, poll_the_lobby},
    walk::{Pad, walking},
};

/// The connections that are measured, and those that come before them so that everything shared is there.
const CONNECTIONS: usize = 200;
const BEFORE: usize = 50;

/// The seats of a room.
const SEATS: u8 = 10;

/// A room for many.
struct Crowd;

impl Game for Crowd {
    const NAME: &'static str = "crowd";
    type Input = Pad;
    type Config = Wishes;

    fn build(m: &mut MatchBuilder<Self>) {
        walking(m).seats(1..=SEATS);
    }
}

/// A WebSocket without a library, which costs the process next to nothing.
struct Bare(TcpStream);

impl Bare {
    /// Connects to a namespace of the default parser.
    async fn connect(server: &RunningServer, namespace: &str, auth: &str) -> Self {
        let tcp = TcpStream::connect(server.address()).await.unwrap();
        let mut client = Self(tcp);
        // As long as the headers of a browser.
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\naccept-language: en-US,en;q=0.9\r\n\
             user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n\
             cache-control: no-cache\r\npragma: no-cache\r\naccept-encoding: gzip, deflate, br, zstd\r\n\r\n",
            server.address()
        );
        client.0.write_all(request.as_bytes()).await.unwrap();
        client.read_until("pingInterval").await;
        let connect = format!("40{namespace},{auth}");
        // The longer form of a length fits them all.
        let [high, low] = u16::try_from(connect.len()).unwrap().to_be_bytes();
        let header = [0x81, 0xfe, high, low, 0, 0, 0, 0];
        client.0.write_all(&[&header, connect.as_bytes()].concat()).await.unwrap();
        client
    }

    async fn read_until(&mut self, text: &str) {
        let mut read = String::new();
        let reads = async {
            while !read.contains(text) {
                let mut bytes = [0; 512];
                let count = self.0.read(&mut bytes).await.unwrap();
                assert!(count > 0, "the connection ended: {read}");
                read += &String::from_utf8_lossy(&bytes[..count]);
            }
        };
        timeout(PATIENCE, reads).await.unwrap_or_else(|_| panic!("no {text} in {read}"));
    }
}

impl Bare {
    /// Asks for a long answer.
    async fn ask(&mut self) {
        let packet = br#"42/lobby,1["listen",{"channel":"lobby"}]"#;
        let header = [0x81, 0x80 | packet.len() as u8, 0, 0, 0, 0];
        // A client that was cut cannot ask any more.
        let _ = self.0.write_all(&[&header, &packet[..]].concat()).await;
    }
}

/// Runs something, and returns the most bytes by which the heap grew meanwhile.
async fn growth_during(work: impl Future<Output = ()>) -> usize {
    let (before, mut most) = (bytes_in_use(), 0);
    let mut work = pin!(timeout(PATIENCE, work));
    loop {
        // Every millisecond, and not for longer than the work.
        let ended = timeout(Duration::from_millis(1), work.as_mut()).await;
        most = bytes_in_use().saturating_sub(before).max(most);
        if let Ok(ended) = ended {
            ended.expect("clients that read nothing are cut");
            return most;
        }
    }
}

#[tokio::test]
async fn clients_that_read_nothing_hold_a_bounded_memory() {
    const CLIENTS: usize = 60;
    // Few enough requests to be answered.
    const PACE: Duration = Duration::from_millis(100);
    // The bytes that may wait for each, and the cost of a connection with the library's buffer for an answer.
    const MOST: usize = CLIENTS * (256 + 128) * 1024;
    if run_in_child("memory::clients_that_read_nothing_hold_a_bounded_memory").is_some() {
        return;
    }
    // All of them come from one address, which may have as many guests and ask as often as they do.
    let server = start_limited(|config| {
        config.net.request_burst_of_address = 0;
        config.net.connect_burst_of_address = 0;
        config.net.new_guests_of_address = 0;
    })
    .await;
    fill_the_chat(&server).await;
    let growth = growth_during(async {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let mut client = Bare::connect(&server, "/lobby", "{}").await;
            client.read_until("[\"session\"").await;
            clients.push(client);
        }
        while dropped(&server, "queued_bytes").await < CLIENTS as u64 {
            for client in &mut clients {
                client.ask().await;
            }
            sleep(PACE).await;
        }
    });
    let growth = growth.await;
    println!("{CLIENTS} WebSockets: {growth} bytes");
    assert!(growth < MOST, "{growth} bytes for {CLIENTS} WebSockets");

    let cut = dropped(&server, "queued_bytes").await;
    let growth = growth_during(async {
        let mut paths = Vec::new();
        for _ in 0..CLIENTS {
            paths.push(poll_the_lobby(&server).await);
        }
        while dropped(&server, "queued_bytes").await < cut + CLIENTS as u64 {
            for path in &paths {
                let ask = r#"42/lobby,1["listen",{"channel":"lobby"}]"#;
                http(&server, "POST", path, "", ask).await;
            }
            sleep(PACE).await;
        }
    });
    let growth = growth.await;
    println!("{CLIENTS} sessions that poll: {growth} bytes");
    assert!(growth < MOST, "{growth} bytes for {CLIENTS} sessions that poll");
    server.shutdown().await;
}

/// Returns the bytes that the server holds for one of the clients that `connect` makes.
async fn bytes_of_a_client(mut connect: impl AsyncFnMut(usize) -> Bare) -> usize {
    let mut clients = Vec::with_capacity(BEFORE + CONNECTIONS);
    for n in 0..BEFORE {
        clients.push(connect(n).await);
    }
    let before = bytes_in_use();
    for n in 0..CONNECTIONS {
        clients.push(connect(BEFORE + n).await);
    }
    let bytes = bytes_in_use().saturating_sub(before) / CONNECTIONS;
    drop(clients);
    bytes
}

#[tokio::test]
async fn a_connection_costs_little_memory() {
    if run_in_child("memory::a_connection_costs_little_memory").is_some() {
        return;
    }
    let server = tickcast::server().game::<Crowd>().start("127.0.0.1:0").await.unwrap();
    let lobby = async |_| {
        let mut client = Bare::connect(&server, "/lobby", "{}").await;
        client.read_until("[\"session\"").await;
        client
    };
    let idle = bytes_of_a_client(lobby).await;
    let seat = async |n: usize| {
        let user = UserId::parse(&format!("user-{n}")).unwrap();
        let who = Identity { user, name: DisplayName::parse("Ada").unwrap(), guest: true, address: None };
        let admission = server.host().quick("crowd", &who).unwrap();
        let auth = json!({ "ticket": admission.ticket }).to_string();
        let mut client = Bare::connect(&server, "/gameplay", &auth).await;
        client.read_until("[\"welcome\"").await;
        client
    };
    let seated = bytes_of_a_client(seat).await;
    println!("idle: {idle} bytes, seated: {seated} bytes");
    // Most of it are the library's channels and tasks. A seat has a tenth of a room in it.
    assert!(idle < 19_000, "{idle} bytes for a connection to the lobby");
    assert!(seated < 26_200, "{seated} bytes for a seat");
    server.shutdown().await;
}
