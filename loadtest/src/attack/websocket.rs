//! Frames of WebSocket: too many, or against the rules.

use std::time::Duration;

use anyhow::{bail, ensure};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::attacker::{Attacker, PATIENCE};
use super::kind::{Attack, Seen};
use super::raw::{End, frame, handshake, text};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "pongs",
        about: "eight connections without a namespace send Engine.IO pongs without pause",
        counted: &["connection_share"],
        quick: true,
        run: |attacker| Box::pin(async move { flood(&attacker, 8, &text("3").repeat(4000)).await }),
    },
    Attack {
        name: "pings",
        about: "four connections send pings of WebSocket without pause",
        counted: &["connection_share"],
        quick: false,
        run: |attacker| Box::pin(async move { flood(&attacker, 4, &frame(0x89, b"ping").repeat(4000)).await }),
    },
    Attack {
        name: "fragments",
        about: "a message comes in 200,000 fragments of one byte",
        counted: &["connection_share", "protocol"],
        quick: false,
        run: |attacker| Box::pin(fragments(attacker)),
    },
    Attack {
        name: "acknowledged-inputs",
        about: "seats send inputs that ask for an acknowledgement, without pause",
        counted: &["connection_share"],
        quick: true,
        run: |attacker| Box::pin(acknowledged_inputs(attacker)),
    },
    Attack {
        name: "broken-frames",
        about: "frames without a mask, with RSV1, reserved opcodes, impossible lengths, invalid UTF-8, bad control frames",
        counted: &["protocol"],
        quick: true,
        run: |attacker| Box::pin(broken_frames(attacker)),
    },
    Attack {
        name: "slow-frames",
        about: "frames and messages in fragments that come a byte every 400 ms and never end, empty fragments without end",
        counted: &["unfinished", "connection_share"],
        quick: false,
        run: |attacker| Box::pin(slow_frames(attacker)),
    },
    Attack {
        name: "odd-sequences",
        about: "frames within fragments, after a close frame, of the other kind, and in the same segment as the handshake",
        counted: &["protocol", "session"],
        quick: true,
        run: |attacker| Box::pin(odd_sequences(attacker)),
    },
    Attack {
        name: "compression",
        about: "the handshake offers permessage-deflate, which must not be taken; then a frame comes compressed all the same",
        counted: &["protocol", "session"],
        quick: false,
        run: |attacker| Box::pin(compression(attacker)),
    },
    Attack {
        name: "decoy",
        about: "a second connection names the first one's session in an upgrade, then the first floods",
        counted: &["flood", "connection_share"],
        quick: true,
        run: |attacker| Box::pin(decoy(attacker)),
    },
];

/// Lets some connections send the same bytes again and again. A connection that is cut comes back.
async fn flood(attacker: &Attacker, connections: u16, bytes: &[u8]) -> Seen {
    let floods = (0..connections).map(|_| async {
        let mut cuts = 0;
        while !attacker.is_over() {
            // An address that comes back too often is not let in any more.
            let Ok(mut socket) = attacker.raw().await else { break };
            // On a slow machine a connection needs longer than the attack takes to use up its share.
            let until = if cuts == 0 { attacker.ends.max(Instant::now() + PATIENCE) } else { attacker.ends };
            cuts += u32::from(socket.flood(bytes, until).await);
        }
        cuts
    });
    let cuts = join_all(floods).await.into_iter().sum::<u32>();
    ensure!(cuts >= u32::from(connections), "{connections} connections were cut {cuts} times");
    Ok(format!("cut {cuts} times"))
}

async fn fragments(attacker: Attacker) -> Seen {
    let mut socket = attacker.raw_guest().await?;
    let message = [frame(0x01, b"4"), frame(0x00, b"2").repeat(200_000)].concat();
    ensure!(socket.flood(&message, Instant::now() + PATIENCE).await, "the connection was not cut");
    Ok("cut".to_owned())
}

async fn acknowledged_inputs(attacker: Attacker) -> Seen {
    let announced = text("451-/gameplay,7[\"i\",{\"_placeholder\":true,\"num\":0}]");
    let inputs = [announced, frame(0x82, &[0x91, 0])].concat().repeat(500);
    let floods = (0..4).map(|_| async {
        let mut cuts = 0_u32;
        while !attacker.is_over() {
            let Ok(mut socket) = attacker.raw_seat().await else { break };
            cuts += u32::from(socket.flood(&inputs, attacker.ends).await);
        }
        cuts
    });
    let cuts = join_all(floods).await.into_iter().sum::<u32>();
    ensure!(cuts > 0, "no seat was cut");
    Ok(format!("cut {cuts} times"))
}

async fn broken_frames(attacker: Attacker) -> Seen {
    let broken: [(&str, Vec<u8>); 13] = [
        ("no mask", b"\x81\x013".to_vec()),
        ("RSV1", frame(0xc1, b"3")),
        ("RSV3", frame(0x91, b"3")),
        ("reserved opcode 3", frame(0x83, b"3")),
        ("reserved control opcode", frame(0x8b, b"3")),
        ("length 2^63", [&[0x82, 0xff, 0x80][..], &[0; 11]].concat()),
        ("length 2^40", [&[0x82, 0xff, 0, 0, 1][..], &[0; 9]].concat()),
        ("invalid UTF-8", frame(0x81, b"42\xff\xfe")),
        ("long control frame", frame(0x89, &[b'x'; 126])),
        ("control frame in fragments", frame(0x09, b"ping")),
        ("continuation of nothing", frame(0x80, b"x")),
        ("message within a message", [frame(0x01, b"4"), frame(0x81, b"3")].concat()),
        ("close code 1005", frame(0x88, &1005_u16.to_be_bytes())),
    ];
    let tries = broken.map(|(what, bytes)| {
        let attacker = attacker.clone();
        async move {
            let mut socket = attacker.raw().await?;
            socket.bytes(&bytes).await;
            match socket.end(Instant::now() + PATIENCE).await {
                End::Open => bail!("{what}: the connection stays open"),
                End::Closed(_) | End::Cut => anyhow::Ok(()),
            }
        }
    });
    let tried = tries.len();
    for outcome in join_all(tries).await {
        outcome?;
    }
    Ok(format!("{tried} of {tried} closed"))
}

async fn slow_frames(attacker: Attacker) -> Seen {
    // The first bytes, and the bytes that then come again and again.
    let drips = [
        ("a frame", frame(0x81, &[b'4'; 100])[..6].to_vec(), b"4".to_vec()),
        ("a header", vec![0x81], Vec::new()),
        ("a long length", vec![0x82, 0xff, 0], vec![0]),
        ("fragments", frame(0x01, b"42"), frame(0x00, b" ")),
        ("empty fragments", frame(0x01, b""), frame(0x00, b"")),
        ("fragments and pings", frame(0x01, b"42"), [frame(0x89, b""), frame(0x00, b" ")].concat()),
    ];
    let tried = drips.len();
    let until = Instant::now() + Duration::from_secs(30);
    let tries = drips.map(|(what, first, then)| {
        let attacker = attacker.clone();
        async move {
            let mut socket = attacker.raw_guest().await?;
            socket.bytes(&first).await;
            loop {
                match socket.end(Instant::now() + Duration::from_millis(400)).await {
                    End::Open if Instant::now() > until => bail!("{what}: not cut within 30 s"),
                    End::Open => socket.bytes(&then).await,
                    End::Closed(_) | End::Cut => return anyhow::Ok(()),
                }
            }
        }
    });
    for outcome in join_all(tries).await {
        outcome?;
    }
    Ok(format!("{tried} of {tried} cut"))
}

async fn odd_sequences(attacker: Attacker) -> Seen {
    let close = frame(0x88, &1000_u16.to_be_bytes());
    let sequences: [(&str, Vec<u8>); 9] = [
        ("a close within fragments", [frame(0x01, b"42"), close.clone()].concat()),
        ("frames behind a close", [close.clone(), text("40/lobby,{}").repeat(2000)].concat()),
        ("closes without end", close.repeat(5000)),
        (
            "a ping of 125 bytes within fragments, then no end",
            [frame(0x01, b"4"), frame(0x89, &[b'x'; 125]), close.clone()].concat(),
        ),
        ("fragments of the other kind", [frame(0x01, b"4"), frame(0x02, b"x")].concat()),
        ("a close of one byte", frame(0x88, b"x")),
        ("a close with a reason that is no UTF-8", frame(0x88, b"\x03\xe8\xff\xfe")),
        ("a character cut in two and never ended", [frame(0x01, b"42\xe2"), frame(0x80, b"\x82")].concat()),
        ("a packet of Engine.IO that servers send", [text("0{\"sid\":\"x\"}"), text("6"), text("4")].concat()),
    ];
    let tried = sequences.len() + 1;
    let tries = sequences.map(|(what, bytes)| {
        let attacker = attacker.clone();
        async move {
            let mut socket = attacker.raw().await?;
            socket.bytes(&bytes).await;
            ensure!(socket.end(Instant::now() + PATIENCE).await != End::Open, "{what}: the connection stays open");
            anyhow::Ok(())
        }
    });
    for outcome in join_all(tries).await {
        outcome?;
    }
    // Frames that come with the handshake are read like others.
    let upgrade = handshake(attacker.host(), "/socket.io/?EIO=4&transport=websocket", "");
    let answer = attacker.exchange(&[upgrade.as_bytes(), &frame(0x83, b"x")].concat(), PATIENCE).await?;
    ensure!(answer.starts_with("HTTP/1.1 101"), "the handshake was answered {answer}");
    Ok(format!("{tried} of {tried} closed"))
}

async fn compression(attacker: Attacker) -> Seen {
    let offer = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n";
    let request = handshake(attacker.host(), "/socket.io/?EIO=4&transport=websocket", offer);
    let answer = attacker.exchange(&[request.as_bytes(), &frame(0xc1, b"3")].concat(), PATIENCE).await?.to_lowercase();
    ensure!(answer.starts_with("http/1.1 101"), "the handshake was answered {answer}");
    ensure!(!answer.contains("permessage-deflate"), "the server negotiates compression");
    Ok("not negotiated".to_owned())
}

async fn decoy(attacker: Attacker) -> Seen {
    let mut socket = attacker.raw_guest().await?;
    let (sid, host) = (&socket.sid, attacker.host());
    let decoys = [
        format!("GET /healthz?sid={sid} HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n"),
        handshake(host, &format!("/socket.io/?EIO=4&transport=websocket&sid={sid}"), ""),
    ];
    let mut held = Vec::new();
    for decoy in decoys {
        let mut tcp = attacker.tcp().await?;
        tokio::io::AsyncWriteExt::write_all(&mut tcp, decoy.as_bytes()).await?;
        let mut answer = [0; 64];
        tokio::time::timeout(PATIENCE, tokio::io::AsyncReadExt::read(&mut tcp, &mut answer)).await??;
        held.push(tcp);
    }
    let games = text("42/lobby,1[\"games\"]").repeat(500);
    ensure!(socket.flood(&games, Instant::now() + PATIENCE).await, "the connection that floods was not cut");
    Ok("cut".to_owned())
}
