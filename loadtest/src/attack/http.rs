//! Requests of HTTP and Engine.IO: malformed, too long, too slow, too many.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::attacker::{Attacker, PATIENCE, status};
use super::kind::{Attack, Seen};
use super::raw::handshake;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "malformed-requests",
        about: "an unknown version, transport or session, a POST without a session, no Host, two of them",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(malformed_requests(attacker)),
    },
    Attack {
        name: "malformed-handshakes",
        about: "WebSocket handshakes without Upgrade, of another version, with a short key, over HTTP/1.0",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(malformed_handshakes(attacker)),
    },
    Attack {
        name: "long-headers",
        about: "a URL of 1 MB, and 5,000 headers",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(long_headers(attacker)),
    },
    Attack {
        name: "foreign-origin",
        about: "a page of another origin connects, by WebSocket and by polling",
        counted: &["origin"],
        quick: true,
        run: |attacker| Box::pin(foreign_origin(attacker)),
    },
    Attack {
        name: "half-headers",
        about: "200 connections send half a header and wait",
        counted: &["slow_request"],
        quick: false,
        run: |attacker| Box::pin(half_headers(attacker)),
    },
    Attack {
        name: "slow-bodies",
        about: "200 connections announce a body that never comes",
        counted: &["slow_request"],
        quick: false,
        run: |attacker| Box::pin(slow_bodies(attacker)),
    },
    Attack {
        name: "idle-connections",
        about: "one address opens 600 connections and says nothing",
        counted: &["address"],
        quick: true,
        run: |attacker| Box::pin(idle_connections(attacker)),
    },
    Attack {
        name: "silent-sessions",
        about: "one address opens 2,000 WebSockets that never enter a namespace",
        counted: &["address"],
        quick: false,
        run: |attacker| Box::pin(silent_sessions(attacker)),
    },
    Attack {
        name: "polling-handshakes",
        about: "one connection begins polling sessions without pause",
        counted: &["address"],
        quick: true,
        run: |attacker| Box::pin(async move { polling_handshakes(&attacker, 1).await }),
    },
    Attack {
        name: "polling-from-everywhere",
        about: "64 addresses begin polling sessions without pause",
        counted: &["sessions"],
        quick: false,
        run: |attacker| Box::pin(async move { polling_handshakes(&attacker, 64).await }),
    },
    Attack {
        name: "abandoned-upgrades",
        about: "polling sessions begin an upgrade to WebSocket and leave it",
        counted: &["probe"],
        quick: false,
        run: |attacker| Box::pin(abandoned_upgrades(attacker)),
    },
    Attack {
        name: "request-flood",
        about: "eight connections send pipelined requests without pause, and read the answers",
        counted: &[],
        quick: true,
        run: |attacker| Box::pin(async move { request_flood(&attacker, "GET", "/healthz", "").await }),
    },
    Attack {
        name: "polling-flood",
        about: "eight sessions that poll post packets without pause",
        counted: &["connection_share"],
        quick: true,
        run: |attacker| Box::pin(polling_flood(attacker)),
    },
];

/// Checks the status of each request.
async fn statuses(attacker: &Attacker, requests: Vec<(&str, String, &[u16])>) -> Seen {
    let tries = requests.iter().map(|(what, request, expected)| async move {
        let answer = attacker.exchange(request.as_bytes(), PATIENCE).await.with_context(|| (*what).to_owned())?;
        let status = status(&answer);
        ensure!(expected.contains(&status), "{what}: {status} instead of {expected:?}");
        anyhow::Ok(status)
    });
    let mut seen = Vec::new();
    for outcome in join_all(tries).await {
        seen.push(outcome?.to_string());
    }
    seen.sort();
    seen.dedup();
    Ok(format!("{} requests answered {}", requests.len(), seen.join(", ")))
}

fn request(host: &str, line: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
}

async fn malformed_requests(attacker: Attacker) -> Seen {
    let host = attacker.host();
    let lines = [
        ("version 5", "GET /socket.io/?EIO=5&transport=polling"),
        ("no version", "GET /socket.io/?transport=polling"),
        ("unknown transport", "GET /socket.io/?EIO=4&transport=pigeon"),
        ("unknown session", "GET /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA"),
        ("POST without a session", "POST /socket.io/?EIO=4&transport=polling"),
        ("POST to an unknown session", "POST /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA"),
    ];
    let mut requests: Vec<_> = lines.iter().map(|(what, line)| (*what, request(host, line), &[400][..])).collect();
    requests.push(("no Host", "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(), &[400]));
    requests.push(("two Hosts", "GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n".to_owned(), &[400]));
    requests.push(("a method of its own", request(host, "BREW /healthz"), &[400, 405, 501]));
    requests.push(("no HTTP", "\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n".to_owned(), &[0, 400]));
    statuses(&attacker, requests).await
}

async fn malformed_handshakes(attacker: Attacker) -> Seen {
    let good = handshake(attacker.host(), "/socket.io/?EIO=4&transport=websocket", "");
    let changed = |from: &str, to: &str| good.replace(from, to).replace("connection: upgrade", "connection: upgrade, close");
    let refused: &[u16] = &[400, 426];
    let without_upgrade = changed("upgrade: websocket\r\n", "").replace("connection: upgrade, close", "connection: close");
    statuses(
        &attacker,
        vec![
            ("no Upgrade", without_upgrade, refused),
            ("version 8", changed("version: 13", "version: 8"), refused),
            ("no version", changed("sec-websocket-version: 13\r\n", ""), refused),
            ("a key of three bytes", changed("dGhlIHNhbXBsZSBub25jZQ==", "YWJj"), refused),
            ("no key", changed("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), refused),
            ("a transport with more behind it", changed("transport=websocket", "transport=websocket=x"), refused),
            ("a version with more behind it", changed("EIO=4", "EIO=4=x"), refused),
            ("HTTP/1.0", changed("HTTP/1.1", "HTTP/1.0"), &[400, 426, 0]),
        ],
    )
    .await
}

async fn long_headers(attacker: Attacker) -> Seen {
    let refused: &[u16] = &[400, 414, 431];
    let host = attacker.host();
    let many = (0..5000).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    statuses(
        &attacker,
        vec![
            ("a URL of 1 MB", request(host, &format!("GET /{}", "a".repeat(1_000_000))), refused),
            ("5,000 headers", format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n{many}\r\n"), refused),
            (
                "a header of 1 MB",
                format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\nx: {}\r\n\r\n", "a".repeat(1_000_000)),
                refused,
            ),
        ],
    )
    .await
}

async fn foreign_origin(attacker: Attacker) -> Seen {
    let host = attacker.host();
    let origin = "origin: https://attack.example\r\nconnection: close\r\n";
    let socket = handshake(host, "/socket.io/?EIO=4&transport=websocket", "origin: https://attack.example\r\n");
    let poll = format!("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: {host}\r\n{origin}\r\n");
    let socket = socket.replace("connection: upgrade", "connection: upgrade, close");
    statuses(&attacker, vec![("WebSocket", socket, &[403]), ("polling", poll, &[403])]).await
}

/// Opens connections that send some bytes each, and waits until the server has closed all of them.
async fn held(attacker: &Attacker, bytes: &str, within: Duration) -> Seen {
    const CONNECTIONS: u16 = 200;
    let end = Instant::now() + within;
    let holds = (0..CONNECTIONS).map(|_| async {
        let mut tcp = attacker.tcp().await?;
        tcp.write_all(bytes.as_bytes()).await?;
        let mut room = Vec::new();
        anyhow::Ok(timeout_at(end, tcp.read_to_end(&mut room)).await.is_ok())
    });
    let closed = join_all(holds).await.into_iter().filter(|outcome| !matches!(outcome, Ok(false))).count();
    ensure!(closed == usize::from(CONNECTIONS), "{closed} of {CONNECTIONS} were closed within {} s", within.as_secs());
    Ok(format!("all closed within {} s", within.as_secs()))
}

async fn half_headers(attacker: Attacker) -> Seen {
    held(&attacker, "GET /healthz HTTP/1.1\r\nhost: half", Duration::from_secs(15)).await
}

async fn slow_bodies(attacker: Attacker) -> Seen {
    let sid = polling_session(&attacker).await?;
    let host = attacker.host();
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    let post = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 1000\r\n\r\n4");
    held(&attacker, &post, Duration::from_secs(25)).await
}

async fn idle_connections(attacker: Attacker) -> Seen {
    let opens = (0..600).map(|_| attacker.tcp());
    let mut held: Vec<_> = join_all(opens).await.into_iter().flatten().collect();
    let mut refused = 0;
    for tcp in &mut held {
        let mut answer = [0; 64];
        // Those that are let in get no answer until they ask for something.
        let read = timeout(Duration::from_millis(20), tcp.read(&mut answer)).await;
        refused += u32::from(read.is_ok());
    }
    ensure!(refused >= 600 - 256, "only {refused} of 600 connections were refused");
    Ok(format!("{refused} of 600 refused"))
}

async fn silent_sessions(attacker: Attacker) -> Seen {
    let mut held = Vec::new();
    let mut refused = 0;
    for _ in 0..40 {
        for outcome in join_all((0..50).map(|_| attacker.raw())).await {
            match outcome {
                Ok(socket) => held.push(socket),
                Err(_) => refused += 1,
            }
        }
    }
    ensure!(held.len() <= 256, "{} sessions are open", held.len());
    let end = Instant::now() + Duration::from_secs(15);
    let ends = join_all(held.iter_mut().map(|socket| socket.end(end))).await;
    let open = ends.iter().filter(|end| **end == super::raw::End::Open).count();
    ensure!(open == 0, "{open} sessions are open after 15 s");
    Ok(format!("{refused} of 2000 refused, the others ended"))
}

/// Begins polling sessions on a kept-alive connection of each address. Returns how many were answered how.
async fn polling_handshakes(attacker: &Attacker, addresses: u16) -> Seen {
    let floods = (1..=addresses).map(|place| {
        let attacker = attacker.at(place);
        async move {
            let mut tcp = attacker.tcp().await?;
            let host = attacker.host();
            let one = format!("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: {host}\r\n\r\n");
            let batch = one.repeat(100);
            let (mut reader, mut writer) = tcp.split();
            let writes = async { while writer.write_all(batch.as_bytes()).await.is_ok() {} };
            let mut opened = 0_usize;
            let reads = async {
                let mut room = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = reader.read(&mut room).await {
                    opened += room[..count].windows(7).filter(|bytes| bytes == b"\"sid\":\"").count();
                }
            };
            tokio::select! {
                () = writes => {}
                () = reads => {}
                () = tokio::time::sleep_until(attacker.ends) => {}
            }
            anyhow::Ok(opened)
        }
    });
    let opened: Vec<_> = join_all(floods).await.into_iter().flatten().collect();
    let most = opened.iter().max().copied().unwrap_or_default();
    ensure!(most <= 300, "one address opened {most} sessions");
    Ok(format!("{} sessions opened", opened.iter().sum::<usize>()))
}

/// Begins a session by polling. Returns its id.
pub(crate) async fn polling_session(attacker: &Attacker) -> anyhow::Result<String> {
    let (status, answer) = attacker.http("GET", "/socket.io/?EIO=4&transport=polling", "", "").await?;
    ensure!(status == 200, "a polling handshake is answered {status}");
    let sid = answer.split("\"sid\":\"").nth(1).and_then(|rest| rest.split('"').next());
    Ok(sid.context("the handshake names no session")?.to_owned())
}

async fn abandoned_upgrades(attacker: Attacker) -> Seen {
    let mut held = Vec::new();
    for _ in 0..100 {
        let sid = polling_session(&attacker).await?;
        let mut tcp = attacker.tcp().await?;
        let request = handshake(attacker.host(), &format!("/socket.io/?EIO=4&transport=websocket&sid={sid}"), "");
        tcp.write_all(request.as_bytes()).await?;
        held.push(tcp);
    }
    let end = Instant::now() + Duration::from_secs(40);
    let ends = held.iter_mut().map(|tcp| async move {
        let mut room = Vec::new();
        timeout_at(end, tcp.read_to_end(&mut room)).await.is_ok()
    });
    let ended = join_all(ends).await.into_iter().filter(|ended| *ended).count();
    ensure!(ended == 100, "{ended} of 100 ended within 40 s");
    Ok("all ended".to_owned())
}

async fn request_flood(attacker: &Attacker, method: &str, path: &str, body: &str) -> Seen {
    let host = attacker.host();
    let one = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let batch = one.repeat(200);
    let floods = (0..8).map(|_| async {
        let mut read = 0_usize;
        while !attacker.is_over() {
            let mut tcp = attacker.tcp().await?;
            let (mut reader, mut writer) = tcp.split();
            let writes = async { while writer.write_all(batch.as_bytes()).await.is_ok() {} };
            let reads = async {
                let mut room = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = reader.read(&mut room).await {
                    read += count;
                }
            };
            tokio::select! {
                () = writes => {}
                () = reads => {}
                () = tokio::time::sleep_until(attacker.ends) => {}
            }
        }
        anyhow::Ok(read)
    });
    let read: usize = join_all(floods).await.into_iter().flatten().sum();
    Ok(format!("{} kB answered", read / 1000))
}

async fn polling_flood(attacker: Attacker) -> Seen {
    let until = attacker.ends.max(Instant::now() + PATIENCE);
    let floods = (0..8).map(|_| async {
        let mut cuts = 0;
        while !attacker.is_over() {
            let sid = polling_session(&attacker).await?;
            let path = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
            let body = vec!["3"; 1000].join("\x1e");
            loop {
                let (status, _) = attacker.http("POST", &path, "content-type: text/plain\r\n", &body).await?;
                match status {
                    // On a slow machine a session needs longer than the attack takes to use up its share.
                    200 if Instant::now() >= until => break,
                    200 => {}
                    0 | 400..=499 => {
                        cuts += 1;
                        break;
                    }
                    other => bail!("a post is answered {other}"),
                }
            }
            // The address has used up its handshakes after some sessions.
            if cuts > 20 {
                break;
            }
        }
        Ok(cuts)
    });
    let mut cuts = 0;
    for outcome in join_all(floods).await {
        cuts += outcome?;
    }
    ensure!(cuts > 0, "no session was cut");
    Ok(format!("{cuts} sessions cut"))
}
