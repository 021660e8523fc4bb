//! Paths, methods, bodies and protocols that no browser sends.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use super::attacker::{Attacker, PATIENCE, status};
use super::hostile_server::LENGTH;
use super::http::polling_session;
use super::kind::{Attack, Seen};
use super::log::SECRET;
use super::raw::{handshake, text};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "odd-paths",
        about: "paths that leave their folder, with encoded dots and slashes, zeros and bytes that are no UTF-8",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(odd_paths(attacker)),
    },
    Attack {
        name: "odd-methods",
        about: "every path with every method, with and without a body",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(odd_methods(attacker)),
    },
    Attack {
        name: "smuggled-requests",
        about: "two lengths, a length and chunks, unknown encodings, folded headers: a second request inside of the first",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(smuggled_requests(attacker)),
    },
    Attack {
        name: "other-protocols",
        about: "the beginning of HTTP/2, of TLS, of SSH and of Redis, an upgrade to h2c, zeros",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(other_protocols(attacker)),
    },
    Attack {
        name: "endless-bodies",
        about: "bodies without end in chunks, to a session that polls, a route of the host's own, and paths that take none",
        counted: &["protocol"],
        quick: true,
        run: |attacker| Box::pin(endless_bodies(attacker)),
    },
    Attack {
        name: "dripping-bodies",
        about: "100 bodies that come a byte a second, with chunks and with a length",
        counted: &["slow_request"],
        quick: false,
        run: |attacker| Box::pin(dripping_bodies(attacker)),
    },
    Attack {
        name: "many-ranges",
        about: "a thousand ranges of one page, conditions that are none, and encodings without end",
        counted: &[],
        quick: true,
        run: |attacker| Box::pin(many_ranges(attacker)),
    },
    Attack {
        name: "misplaced-secrets",
        about: "tokens in URLs, cookies and headers, which must neither let anybody in nor be logged",
        counted: &["malformed"],
        quick: true,
        run: |attacker| Box::pin(misplaced_secrets(attacker)),
    },
];

/// Makes a request and checks that the answer is none of the server's own faults.
async fn refused(attacker: &Attacker, what: &str, bytes: &[u8]) -> anyhow::Result<String> {
    let answer = attacker.exchange(bytes, 2 * PATIENCE).await.with_context(|| what.to_owned())?;
    let status = status(&answer);
    ensure!(status == 0 || (400..500).contains(&status), "{what}: answered {status}");
    Ok(answer)
}

async fn odd_paths(attacker: Attacker) -> Seen {
    let host = attacker.host();
    let paths = [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/..\\..\\etc\\passwd",
        "/schema/../../etc/passwd",
        "/schema/..%2fCargo.toml",
        "/schema/%2e%2e%2farena.json",
        "/schema/arena.json%00.d.ts",
        "/schema/%ff%fe",
        "/schema/%c0%ae%c0%ae",
        "/schema/%",
        "/schema/",
        "//etc/passwd",
        "/./././.",
        "/socket.io/../../etc/passwd?EIO=5&transport=polling",
        "/socket.io/%2e%2e/metrics?EIO=5&transport=polling",
        "/socket.io-msgpack/x?EIO=4&transport=pigeon",
        "/socket.io/?EIO=4&transport=polling&sid=%00%ff",
        "/socket.io/?EIO=4&EIO=5&transport=pigeon&transport=polling",
        "/%0d%0aset-cookie:%20a=b",
        "*",
        "http://elsewhere.example/%2e%2e",
    ];
    for path in paths {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = refused(&attacker, path, request.as_bytes()).await?;
        ensure!(!answer.contains("root:") && !answer.to_lowercase().contains("set-cookie"), "{path}: {answer}");
    }
    for bytes in
        [&b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"[..], b"GET /a b c HTTP/1.1\r\nhost: a\r\n\r\n"]
    {
        refused(&attacker, "bytes that are no path", bytes).await?;
    }
    Ok(format!("{} refused", paths.len() + 2))
}

async fn odd_methods(attacker: Attacker) -> Seen {
    let methods = ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "POST"];
    let polling = "/socket.io/?EIO=4&transport=polling";
    let paths = ["/healthz", "/readyz", "/metrics", "/schema/arena.json", "/nothing", polling, "/socket.io/socket.io.js", LENGTH];
    let mut answered = 0;
    for method in methods {
        for path in paths {
            let (status, answer) = attacker.http(method, path, "content-type: text/plain\r\n", "4 no packet").await?;
            ensure!(status < 500, "{method} {path}: {status}");
            ensure!(method != "TRACE" || !answer.contains("4 no packet"), "TRACE {path} is answered with the request");
            ensure!(method != "HEAD" || answer.ends_with("\r\n\r\n"), "HEAD {path} is answered with a body");
            answered += 1;
        }
    }
    Ok(format!("{answered} answered"))
}

async fn smuggled_requests(attacker: Attacker) -> Seen {
    let host = attacker.host();
    let inner = format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let length = inner.len();
    let heads = [
        ("two lengths", format!("content-length: 0\r\ncontent-length: {length}\r\n")),
        ("a list of lengths", format!("content-length: 0, {length}\r\n")),
        ("a length with a sign", format!("content-length: +{length}\r\n")),
        ("a length that is too large", "content-length: 99999999999999999999999\r\n".to_owned()),
        ("a length and chunks", format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n")),
        ("chunks that are not the last encoding", "transfer-encoding: chunked, gzip\r\n".to_owned()),
        ("an unknown encoding", "transfer-encoding: xchunked\r\n".to_owned()),
        ("a space before the colon", format!("content-length : {length}\r\n")),
        ("a folded header", format!("x: a\r\n content-length: {length}\r\n")),
        ("a name with a zero", format!("content-len\0gth: {length}\r\n")),
        ("a bare carriage return", format!("x: a\rcontent-length: {length}\r\n")),
    ];
    let tried = heads.len();
    for (what, head) in heads {
        let request = format!("POST /healthz HTTP/1.1\r\nhost: {host}\r\n{head}\r\n{inner}");
        let answer = attacker.exchange(request.as_bytes(), PATIENCE).await.with_context(|| what.to_owned())?;
        ensure!(!answer.contains("tickcast_drops_total"), "{what}: the inner request was answered");
        ensure!(answer.matches("HTTP/1.1 ").count() <= 1, "{what}: two answers");
        ensure!(status(&answer) < 500, "{what}: {answer}");
    }
    // A chunk whose length is a lie ends the request.
    for chunk in ["ffffffffffffffff\r\n", "-1\r\n", "5;a=\"\r\n", "zz\r\nabc\r\n0\r\n\r\n", "5\r\n4\r\n0\r\n\r\n"] {
        let head = "transfer-encoding: chunked\r\nconnection: close\r\n";
        let request = format!("POST {LENGTH} HTTP/1.1\r\nhost: {host}\r\n{head}\r\n{chunk}{inner}");
        let answer = attacker.exchange(request.as_bytes(), 2 * PATIENCE).await.with_context(|| format!("{chunk:?}"))?;
        ensure!(!answer.contains("tickcast_drops_total"), "{chunk:?}: the inner request was answered");
    }
    Ok(format!("{} refused, none answered twice", tried + 5))
}

async fn other_protocols(attacker: Attacker) -> Seen {
    let beginnings: [(&str, &[u8]); 8] = [
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
        ("TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x20\0\0"),
        ("SSH", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        ("Redis", b"*1\r\n$4\r\nPING\r\n\r\n"),
        ("PROXY", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"),
        ("zeros", &[0; 4096]),
        ("line ends", &[b'\n'; 40_000]),
        ("HTTP/9.9", b"GET /healthz HTTP/9.9\r\nhost: a\r\n\r\n"),
    ];
    for (what, bytes) in beginnings {
        refused(&attacker, what, bytes).await?;
    }
    let host = attacker.host();
    let settings = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let request = format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\n{settings}\r\n");
    let mut tcp = attacker.tcp().await?;
    tcp.write_all(request.as_bytes()).await?;
    let mut answer = vec![0; 4096];
    let length = timeout(PATIENCE, tcp.read(&mut answer)).await??;
    ensure!(answer[..length].starts_with(b"HTTP/1.1 200"), "an upgrade to h2c is not ignored");
    // Frames may come with the handshake, but not with one for another transport.
    let upgrade = handshake(host, "/socket.io/?EIO=4&transport=polling", "content-length: 0\r\n");
    let answer = attacker.exchange(&[upgrade.as_bytes(), &text("40/lobby,{}")].concat(), 2 * PATIENCE).await?;
    ensure!(!answer.starts_with("HTTP/1.1 101"), "a poll is upgraded");
    Ok(format!("{} refused or ignored", beginnings.len() + 2))
}

async fn endless_bodies(attacker: Attacker) -> Seen {
    let sid = polling_session(&attacker).await?;
    let host = attacker.host();
    let paths = [
        ("POST", format!("/socket.io/?EIO=4&transport=polling&sid={sid}")),
        ("POST", LENGTH.to_owned()),
        ("POST", "/healthz".to_owned()),
        ("GET", "/metrics".to_owned()),
        ("PUT", "/nothing".to_owned()),
    ];
    let chunk = [b"4000\r\n".as_slice(), &[b'4'; 0x4000], b"\r\n"].concat();
    let chunks = &chunk;
    let tries = paths.iter().map(|(method, path)| {
        let attacker = attacker.clone();
        async move {
            let mut tcp = attacker.tcp().await?;
            let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\n");
            tcp.write_all(head.as_bytes()).await?;
            let (mut reader, mut writer) = tcp.split();
            let mut sent = 0_usize;
            let writes = async {
                // The server may read, but not for ever.
                while sent < 256 * 1024 * 1024 && writer.write_all(chunks).await.is_ok() {
                    sent += chunks.len();
                }
            };
            let mut answer = Vec::new();
            let reads = reader.read_to_end(&mut answer);
            let _ = timeout(2 * PATIENCE, async {
                tokio::select! {
                    () = writes => {}
                    _ = reads => {}
                }
            })
            .await;
            ensure!(sent < 256 * 1024 * 1024, "{method} {path}: the server reads on after 256 MiB");
            anyhow::Ok(sent)
        }
    });
    let mut most = 0;
    for outcome in join_all(tries).await {
        most = most.max(outcome?);
    }
    Ok(format!("at most {} kB read", most / 1000))
}

async fn dripping_bodies(attacker: Attacker) -> Seen {
    let sid = polling_session(&attacker).await?;
    let host = attacker.host();
    let end = Instant::now() + Duration::from_secs(25);
    let drips = (0..100).map(|number| {
        let (attacker, sid) = (attacker.clone(), &sid);
        async move {
            let path = if number % 2 == 0 { format!("/socket.io/?EIO=4&transport=polling&sid={sid}") } else { LENGTH.to_owned() };
            let (head, drip) = match number % 4 {
                0 | 1 => ("content-length: 1000\r\n", "4"),
                _ => ("transfer-encoding: chunked\r\n", "1\r\n4\r\n"),
            };
            let mut tcp = attacker.tcp().await?;
            let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{head}\r\n");
            tcp.write_all(head.as_bytes()).await?;
            let (mut reader, mut writer) = tcp.split();
            let drops = async {
                while writer.write_all(drip.as_bytes()).await.is_ok() {
                    sleep(Duration::from_secs(1)).await;
                }
            };
            let mut answer = Vec::new();
            let closed = async {
                tokio::select! {
                    () = drops => {}
                    _ = reader.read_to_end(&mut answer) => {}
                }
            };
            anyhow::Ok(tokio::time::timeout_at(end, closed).await.is_ok())
        }
    });
    let open = join_all(drips).await.into_iter().filter(|closed| matches!(closed, Ok(false))).count();
    ensure!(open == 0, "{open} of 100 are open after 25 s");
    Ok("all closed within 25 s".to_owned())
}

async fn many_ranges(attacker: Attacker) -> Seen {
    let path = "/schema/arena.json";
    let (status, whole) = attacker.http("GET", path, "", "").await?;
    ensure!(status == 200, "{path} is answered {status}");
    let ranges = (0..1000).map(|n| format!("{n}-")).collect::<Vec<_>>().join(",");
    let tags = vec!["\"a\""; 1000].join(",");
    let headers = [
        format!("range: bytes={ranges}\r\n"),
        "range: bytes=0-18446744073709551615\r\n".to_owned(),
        "range: bytes=-0\r\nif-range: x\r\n".to_owned(),
        format!("if-none-match: {tags}\r\n"),
        format!("accept-encoding: {}\r\n", vec!["gzip;q=0.1"; 1000].join(",")),
        "accept-encoding: gzip;q=NaN, br;q=-1, *;q=9e999\r\n".to_owned(),
        "if-modified-since: Thu, 99 Foo 9999 99:99:99 GMT\r\n".to_owned(),
    ];
    let tried = headers.len();
    for headers in headers {
        let (status, answer) = attacker.http("GET", path, &headers, "").await?;
        ensure!([200, 206, 304, 416].contains(&status), "{headers:.40}: {status}");
        ensure!(answer.len() <= 2 * whole.len() + 500, "{headers:.40}: answered with {} bytes", answer.len());
    }
    Ok(format!("{tried} answered with one page at most"))
}

async fn misplaced_secrets(attacker: Attacker) -> Seen {
    let (known, session) = attacker.guest(crate::connection::LOBBY).await?;
    let token = session.token.context("a guest gets no token")?;
    drop(known);
    let host = attacker.host();
    let query = format!("token={token}&auth={token}&access_token={token}&x={SECRET}");
    let headers = format!("authorization: Bearer {token}\r\ncookie: token={token}; x={SECRET}\r\nx-token: {token}\r\n");
    let path = format!("/socket.io/?EIO=4&transport=polling&{query}");
    let (status, answer) = attacker.http("GET", &path, &headers, "").await?;
    ensure!(status == 200, "a handshake with unknown parameters is answered {status}");
    let sid = answer.split("\"sid\":\"").nth(1).and_then(|rest| rest.split('"').next()).context("no session")?;
    let path = format!("{path}&sid={sid}");
    let (status, _) = attacker.http("POST", &path, &headers, "40/lobby,{}").await?;
    ensure!(status == 200, "CONNECT is answered {status}");
    let user = async {
        loop {
            let (status, answer) = attacker.http("GET", &path, &headers, "").await?;
            ensure!(status == 200, "a poll is answered {status}");
            if let Some(user) = answer.split("\"user\":\"").nth(1).and_then(|rest| rest.split('"').next()) {
                return Ok(user.to_owned());
            }
        }
    };
    let user = timeout(PATIENCE, user).await.context("no event `session` in time")??;
    ensure!(user != session.user, "a token in the URL or in a header lets somebody in");
    // Everything that is refused, too, must not be logged with what was sent.
    for path in ["/", "/nothing", "/healthz", "/metrics", "/socket.io/", "/socket.io/?EIO=5&transport=polling"] {
        let joint = if path.contains('?') { '&' } else { '?' };
        for method in ["GET", "POST", "BREW"] {
            attacker.http(method, &format!("{path}{joint}{query}"), &headers, SECRET).await?;
        }
    }
    for bytes in
        [format!("GET /{SECRET} HTP/1.1\r\n\r\n"), format!("GET /?{SECRET} HTTP/1.1\r\nhost: {host}\r\n{SECRET}\r\n\r\n")]
    {
        refused(&attacker, "no HTTP", bytes.as_bytes()).await?;
    }
    let mut socket = attacker.raw().await?;
    for packet in [format!("40/lobby,{{\"token\":\"{SECRET}\"}}"), format!("40/gameplay,{{\"resume\":\"{SECRET}\"}}")] {
        socket.text(&packet).await;
        socket.until("44/").await.context("a token that is none is not refused")?;
    }
    socket.text(&format!("42/lobby,[\"{SECRET}\"")).await;
    Ok("nobody was let in by them".to_owned())
}
