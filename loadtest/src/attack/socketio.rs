//! Packets of Socket.IO: malformed, for namespaces that do not exist, or more of them than a person sends.

use std::time::Duration;

use anyhow::{bail, ensure};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::attacker::{Attacker, PATIENCE};
use super::hostile_server::DESK;
use super::kind::{Attack, Seen};
use super::raw::{End, text};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "broken-packets",
        about: "empty, unknown and type-less packets, events without a name, bad JSON, an event before CONNECT",
        counted: &["session"],
        quick: true,
        run: |attacker| Box::pin(broken_packets(attacker)),
    },
    Attack {
        name: "deep-json",
        about: "JSON nested as deeply as a message allows",
        counted: &["too_large", "session"],
        quick: true,
        run: |attacker| Box::pin(deep_json(attacker)),
    },
    Attack {
        name: "long-namespace",
        about: "names of namespaces of 1 kB, 10 kB and 64 kB, which must not be echoed",
        counted: &["protocol", "nowhere"],
        quick: true,
        run: |attacker| Box::pin(long_namespace(attacker)),
    },
    Attack {
        name: "unknown-namespaces",
        about: "one connection asks for a hundred namespaces that do not exist",
        counted: &["nowhere"],
        quick: true,
        run: |attacker| Box::pin(unknown_namespaces(attacker)),
    },
    Attack {
        name: "connect-twice",
        about: "a client enters the lobby twice on one connection",
        counted: &[],
        quick: true,
        run: |attacker| Box::pin(connect_twice(attacker)),
    },
    Attack {
        name: "strange-acknowledgements",
        about: "acknowledgements that nobody asked for",
        counted: &["unasked"],
        quick: false,
        run: |attacker| Box::pin(strange_acknowledgements(attacker)),
    },
    Attack {
        name: "wrong-arguments",
        about: "requests with arguments of other types, unknown fields, and unknown names",
        counted: &["bad_request", "unknown_event"],
        quick: true,
        run: |attacker| Box::pin(wrong_arguments(attacker)),
    },
    Attack {
        name: "odd-ids",
        about: "acknowledgements and requests with ids that are huge, negative, broken or given twice",
        counted: &["session"],
        quick: true,
        run: |attacker| Box::pin(odd_ids(attacker)),
    },
    Attack {
        name: "own-namespace",
        about: "the host's own namespace gets deep, large, binary and broken events, and events without pause",
        counted: &["connection_share", "flood"],
        quick: true,
        run: |attacker| Box::pin(own_namespace(attacker)),
    },
    Attack {
        name: "event-flood",
        about: "a guest makes requests without pause, and reads the answers",
        counted: &["flood", "connection_share"],
        quick: true,
        run: |attacker| Box::pin(event_flood(attacker)),
    },
    Attack {
        name: "short-visits",
        about: "a guest leaves and enters the lobby between bursts of 20 requests, which must not renew its share",
        counted: &["rate_limited"],
        quick: true,
        run: |attacker| Box::pin(short_visits(attacker)),
    },
    Attack {
        name: "refused-connects",
        about: "eight connections try to enter the lobby with forged tokens without pause",
        counted: &["rate_limited"],
        quick: true,
        run: |attacker| Box::pin(refused_connects(attacker)),
    },
];

async fn broken_packets(attacker: Attacker) -> Seen {
    let packets = [
        "",
        "9",
        "4",
        "49",
        "42",
        "42{}",
        "42[]",
        "42[{}]",
        "42[7]",
        "42[\"a\"",
        "42/lobby,[",
        "42/lobby,[]",
        "4x",
        "40{",
        "43[]",
        "451-",
        "45-1-[\"a\"]",
        "6",
        "bnotbase64",
    ];
    let tries = packets.map(|packet| {
        let attacker = attacker.clone();
        async move {
            let mut socket = attacker.raw().await?;
            socket.text(packet).await;
            // A request that is not answered, so that a server that ignores the packet is told apart from one that is stuck.
            socket.text("40/lobby,{}").await;
            let answered = socket.until("40/lobby,").await.is_some();
            let ended = socket.end(Instant::now()).await != End::Open;
            ensure!(answered || ended, "{packet:?}: neither closed nor ignored");
            anyhow::Ok(u32::from(!answered))
        }
    });
    let mut closed = 0;
    for outcome in join_all(tries).await {
        closed += outcome?;
    }
    ensure!(closed > 0, "no broken packet closed its connection");
    Ok(format!("{closed} of {} closed, the others ignored", packets.len()))
}

async fn deep_json(attacker: Attacker) -> Seen {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 16_000 / (open.len() + close.len());
        let packet = format!("42/lobby,1[\"rooms\",{}1{}]", open.repeat(depth), close.repeat(depth));
        let mut socket = attacker.raw_guest().await?;
        socket.text(&packet).await;
        let answer = socket.until("43/lobby,1").await;
        if let Some(answer) = answer {
            ensure!(answer.contains("\"ok\":false"), "{answer}");
        }
    }
    let (status, _) = attacker.http("GET", "/healthz", "", "").await?;
    ensure!(status == 200, "/healthz is answered {status}");
    Ok("refused or closed".to_owned())
}

async fn long_namespace(attacker: Attacker) -> Seen {
    for length in [1000, 10_000, 64_000] {
        let mut socket = attacker.raw().await?;
        socket.text(&format!("40/{},{{}}", "n".repeat(length))).await;
        let answer = socket.until("4").await;
        ensure!(answer.is_none(), "a name of {length} bytes is answered");
        ensure!(socket.end(Instant::now()).await != End::Open, "a name of {length} bytes leaves the connection open");
    }
    Ok("not echoed, closed".to_owned())
}

async fn unknown_namespaces(attacker: Attacker) -> Seen {
    let mut socket = attacker.raw().await?;
    for n in 0..100 {
        socket.text(&format!("40/nowhere{n},{{}}")).await;
    }
    let mut refused = 0;
    while socket.until("44/nowhere").await.is_some() {
        refused += 1;
    }
    ensure!(socket.end(Instant::now()).await != End::Open, "the connection stays open");
    ensure!(refused <= 8, "{refused} were refused one by one");
    Ok(format!("cut after {refused}"))
}

async fn connect_twice(attacker: Attacker) -> Seen {
    let mut socket = attacker.raw_guest().await?;
    socket.text("40/lobby,{}").await;
    socket.text("42/lobby,5[\"games\"]").await;
    // The reference server answers and goes on; closing is fine as well. Silence is not.
    let answered = socket.until("43/lobby,5").await.is_some();
    let ended = socket.end(Instant::now()).await != End::Open;
    ensure!(answered || ended, "neither answered nor closed");
    Ok(if answered { "answered" } else { "closed" }.to_owned())
}

async fn strange_acknowledgements(attacker: Attacker) -> Seen {
    let mut socket = attacker.raw_guest().await?;
    for n in 0..20_u64 {
        socket.text(&format!("43/lobby,{}[\"x\"]", n * 1_000_000_007)).await;
    }
    socket.text("42/lobby,5[\"games\"]").await;
    ensure!(socket.until("43/lobby,5").await.is_some(), "the next request is not answered");
    Ok("ignored".to_owned())
}

async fn wrong_arguments(attacker: Attacker) -> Seen {
    let mut socket = attacker.raw_guest().await?;
    let requests = [
        "[\"create\",7]",
        "[\"create\",[]]",
        "[\"create\",\"arena\"]",
        "[\"create\",{\"game\":7}]",
        "[\"join\",{\"room\":{}}]",
        "[\"chat\",{\"channel\":1,\"text\":[]}]",
        "[\"rooms\",{\"limit\":-1}]",
        "[\"create\",{\"game\":\"arena\",\"more\":1}]",
        "[\"no such request\",{}]",
        "[\"presence\",{\"users\":\"all\"}]",
    ];
    for (id, request) in requests.iter().enumerate() {
        socket.text(&format!("42/lobby,{id}{request}")).await;
        let Some(answer) = socket.until(&format!("43/lobby,{id}[")).await else { bail!("{request}: no answer") };
        ensure!(answer.contains("\"bad_request\"") || answer.contains("\"unknown_event\""), "{request}: {answer}");
    }
    Ok(format!("{} refused", requests.len()))
}

async fn odd_ids(attacker: Attacker) -> Seen {
    let packets = [
        "42/lobby,9223372036854775807[\"games\"]",
        "42/lobby,9223372036854775808[\"games\"]",
        "42/lobby,99999999999999999999999999[\"games\"]",
        "42/lobby,-1[\"games\"]",
        "42/lobby,1e5[\"games\"]",
        "42/lobby,007[\"games\"]",
        "42/lobby,7[\"games\"]\x007[\"games\"]",
        "42/lobby,7,7[\"games\"]",
        "43/lobby,99999999999999999999999999[]",
        "43/lobby,[]",
        "43/lobby,-5[{}]",
        "461-/lobby,18446744073709551616[{\"_placeholder\":true,\"num\":0}]",
        "41/lobby,trailing",
        "40/lobby,[]",
        "44/lobby,{\"message\":\"x\"}",
    ];
    let tries = packets.map(|packet| {
        let attacker = attacker.clone();
        async move {
            let mut socket = attacker.raw_guest().await?;
            socket.text(packet).await;
            socket.text("40/,{}").await;
            let answered = socket.until("40{").await.is_some();
            // Packets behind a broken one may be answered before the connection ends.
            let patience = if answered { Duration::from_millis(300) } else { PATIENCE };
            let ended = socket.end(Instant::now() + patience).await != End::Open;
            ensure!(answered || ended, "{packet:?}: neither closed nor ignored");
            anyhow::Ok(u32::from(ended))
        }
    });
    let mut closed = 0;
    for outcome in join_all(tries).await {
        closed += outcome?;
    }
    ensure!(closed > 0, "no broken id closed its connection");
    Ok(format!("{closed} of {} closed, the others ignored", packets.len()))
}

async fn own_namespace(attacker: Attacker) -> Seen {
    let enter = async || {
        let mut socket = attacker.raw().await?;
        socket.text(&format!("40{DESK},{{}}")).await;
        ensure!(socket.until(&format!("40{DESK},")).await.is_some(), "{DESK} lets nobody in");
        anyhow::Ok(socket)
    };
    let deep = format!("{}1{}", "[".repeat(7000), "]".repeat(7000));
    let arguments = [
        deep.as_str(),
        "[1e999999999]",
        "\"\\ud800\"",
        "{\"a\":1,\"a\":2}",
        "\"\u{202e}\u{0}x\"",
        "-0.0",
        "18446744073709551616",
    ];
    for argument in arguments {
        let mut socket = enter().await?;
        socket.text(&format!("42{DESK},1[\"echo\",{argument}]")).await;
        socket.text(&format!("42{DESK},2[\"echo\",2]")).await;
        let answered = socket.until(&format!("43{DESK},2")).await.is_some();
        let ended = answered || socket.end(Instant::now() + PATIENCE).await != End::Open;
        ensure!(ended, "{argument:.40}: neither closed nor answered");
    }
    let mut socket = enter().await?;
    let flood = text(&format!("42{DESK},1[\"echo\",\"{}\"]", "x".repeat(2000))).repeat(20);
    ensure!(socket.flood(&flood, Instant::now() + PATIENCE).await, "a flood of events was not cut");
    Ok(format!("{} arguments survived, the flood cut", arguments.len()))
}

async fn event_flood(attacker: Attacker) -> Seen {
    let mut socket = attacker.raw_guest().await?;
    let bytes = text("42/lobby,1[\"games\"]").repeat(100);
    ensure!(socket.flood(&bytes, Instant::now() + PATIENCE).await, "the connection was not cut");
    Ok("cut".to_owned())
}

/// The most requests that a connection may have answered in this time: the sustained rate and one burst, doubled.
fn share(seconds: f64) -> f64 {
    2.0 * (10.0 * seconds + 20.0)
}

async fn short_visits(attacker: Attacker) -> Seen {
    let mut socket = attacker.raw_guest().await?;
    let began = Instant::now();
    let (mut answered, mut visits) = (0, 0);
    let burst: String = (0..20).map(|n| format!("42/lobby,{n}[\"games\"]\n")).collect();
    let burst: Vec<u8> = burst.lines().flat_map(text).collect();
    while !attacker.is_over() {
        socket.bytes(&burst).await;
        // The answers come in order, so the last one says that all have come.
        let Some(last) = socket.until("43/lobby,19").await else { break };
        answered += if last.contains("\"ok\":true") { 20 } else { 0 };
        socket.bytes(&[text("41/lobby,"), text("40/lobby,{}")].concat()).await;
        if socket.until("4").await.is_none_or(|answer| !answer.starts_with("40/lobby")) {
            break;
        }
        visits += 1;
    }
    let most = share(began.elapsed().as_secs_f64());
    ensure!(f64::from(answered) <= most, "{answered} requests were answered in {visits} visits, beyond {most:.0}");
    Ok(format!("{answered} answered in {visits} visits"))
}

async fn refused_connects(attacker: Attacker) -> Seen {
    // A token of the form that the issuer's have, so that its signature is checked.
    let forged = format!("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjQwMDAwMDAwMDB9.{}", "A".repeat(342));
    let connect = text(&format!("40/lobby,{{\"token\":\"{forged}\"}}")).repeat(20);
    let floods = (0..8).map(|_| async {
        let (mut cuts, mut opened) = (0_u32, 0_u32);
        while !attacker.is_over() && opened < 20 {
            let mut socket = attacker.raw().await?;
            opened += 1;
            cuts += u32::from(socket.flood(&connect, attacker.ends).await);
        }
        anyhow::Ok(cuts)
    });
    let cuts = join_all(floods).await.into_iter().flatten().sum::<u32>();
    ensure!(cuts > 0, "no connection was cut");
    Ok(format!("cut {cuts} times"))
}
