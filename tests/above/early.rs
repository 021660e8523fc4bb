//! A client's first packet, which comes with the handshake of its WebSocket.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::StreamExt;
use serde_json::{Value as Json, json};
use tickcast::server::RunningServer;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest};

use crate::{
    polling::{Polling, session_of},
    server::{Client, PATIENCE, create, http, start},
};

/// Opens a WebSocket with a packet in its handshake. Returns what the server sends first, after the packet of the session.
async fn first_answer(server: &RunningServer, endpoint: &str, packet: &[u8]) -> Result<Message, Error> {
    let protocol = format!("tickcast.first.{}", URL_SAFE_NO_PAD.encode(packet));
    let mut request = format!("ws://{}/{endpoint}/?EIO=4&transport=websocket", server.address()).into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol.parse().unwrap());
    let (mut websocket, answer) = tokio_tungstenite::connect_async(request).await?;
    assert_eq!(answer.headers()["sec-websocket-protocol"], protocol, "the server has taken it");
    loop {
        let message = timeout(PATIENCE, websocket.next()).await.expect("the server says something").unwrap()?;
        match &message {
            // The session begins with its packet and the first ping.
            Message::Text(text) if text.starts_with('0') || text.as_str() == "2" => {}
            _ => return Ok(message),
        }
    }
}

#[tokio::test]
async fn a_client_enters_a_namespace_with_its_handshake() {
    let server = start().await;
    let created = create(&server, json!({})).await;
    let mut player = Client::join(&server, "/gameplay", json!({ "ticket": created["ticket"] })).await.unwrap();
    let resume = player.event_named("/gameplay", "welcome").await.data[1]["resume"].clone();
    player.input(&[0x91, 0], false).await;
    let auth = json!({ "resume": resume });
    let text = first_answer(&server, "socket.io", format!("40/gameplay,{auth}").as_bytes()).await.unwrap();
    assert!(text.to_text().unwrap().starts_with("40/gameplay,{\"sid\":"), "{text:?}");
    assert_eq!(player.event_named("/gameplay", "over").await.data[1]["reason"], "replaced", "it has the seat");
    let packet = rmp_serde::to_vec_named(&json!({ "type": 0, "nsp": "/gameplay", "data": auth })).unwrap();
    let binary = first_answer(&server, "socket.io-msgpack", &packet).await.unwrap();
    let answer: Json = rmp_serde::from_slice(&binary.into_data()).unwrap();
    assert_eq!((&answer["type"], &answer["nsp"]), (&json!(0), &json!("/gameplay")));
    let refused = first_answer(&server, "socket.io", b"40/gameplay,{\"resume\":\"forged\"}").await.unwrap();
    assert!(refused.to_text().unwrap().starts_with("44/gameplay,{\"message\":\"bad_resume"), "{refused:?}");
    server.shutdown().await;
}

#[tokio::test]
async fn a_handshake_with_something_else_in_it_is_refused() {
    let server = start().await;
    for wrong in [&b""[..], b"42[\"info\"]", b"40\xff", &[b'4'; 2000]] {
        let refused = first_answer(&server, "socket.io", wrong).await;
        assert!(matches!(&refused, Err(Error::Http(answer)) if answer.status() == 400), "{wrong:?}: {refused:?}");
    }
    // A session that polls has entered its namespaces already.
    let session = Polling::open(server.address(), "socket.io").await;
    let target = format!("/socket.io/?EIO=4&transport=websocket&sid={}", session_of(&session.opened));
    let headers = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let first = format!("{headers}Sec-WebSocket-Protocol: tickcast.first.NDA\r\n");
    assert_eq!(http(&server, "GET", &target, &first, "").await.0, 400);
    server.shutdown().await;
}
