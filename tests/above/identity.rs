//! Identity over real sockets: guests, tokens, refusals, the block list, and one person in several windows.

use std::future::ready;

use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp as now};
use serde_json::{Value as Json, json};
use tickcast::{
    identity::{Hook, HookFuture, IdentityError, Jwt, VerifiedUser},
    lobby::{Identity, UserId},
    server::{RunningServer, StartError},
};

use crate::server::{Client, Duel, PARSERS, seated, start, start_with};

const SECRET: &[u8] = b"a secret of thirty-two bytes, or so";
const RSA: &[u8] = include_bytes!("../support/keys/rsa.pem");
const RSA_PUBLIC: &[u8] = include_bytes!("../support/keys/rsa.pub.pem");

fn sign(claims: &Json, algorithm: Algorithm, key: &EncodingKey) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, key).unwrap()
}

fn hs256(claims: &Json) -> String {
    sign(claims, Algorithm::HS256, &EncodingKey::from_secret(SECRET))
}

/// A token that says Ada, and this instead or beside it.
fn ada(more: Json) -> String {
    let mut claims = json!({"sub": "ada", "name": "Ada", "exp": now() + 60, "iss": "us", "aud": "games"});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    hs256(&claims)
}

async fn start_with_tokens() -> RunningServer {
    start_with(|builder| builder.jwt(Jwt::hs256(SECRET).unwrap().issuer("us").audience("games"))).await
}

/// A connection and the first event on it, which is `session`.
async fn come(server: &RunningServer, namespace: &str, auth: Json) -> (Client, Json) {
    let mut client = Client::join(server, namespace, auth).await.unwrap();
    let (name, packet) = client.event(namespace).await;
    assert_eq!(name, "session", "the first event after connecting");
    (client, packet.data[1].clone())
}

/// The code with which a connection is refused.
async fn refused(server: &RunningServer, namespace: &str, auth: Json) -> String {
    let message = Client::join(server, namespace, auth).await.err().expect("refused");
    message.split_once(": ").unwrap().0.to_owned()
}

fn code(answer: &Json) -> &str {
    answer["error"]["code"].as_str().unwrap_or_else(|| panic!("no refusal: {answer}"))
}

#[tokio::test]
async fn a_guest_keeps_the_id_with_the_token() {
    let server = start().await;
    for namespace in ["/lobby", "/matchmaking"] {
        let (_, first) = come(&server, namespace, json!({"name": "Ada"})).await;
        assert_eq!((&first["name"], &first["guest"]), (&json!("Ada"), &json!(true)));
        let (_, again) = come(&server, "/lobby", json!({"token": first["token"]})).await;
        assert_eq!((&again["user"], &again["name"]), (&first["user"], &json!("Ada")));
        let (_, stranger) = come(&server, namespace, json!({})).await;
        assert_ne!(stranger["user"], first["user"]);
    }
    for parser in PARSERS {
        let mut client = Client::connect(&server, parser).await;
        client.enter("/lobby", Json::Null).await.unwrap();
        assert_eq!(client.event("/lobby").await.0, "session", "{parser:?}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn each_bad_token_has_its_code() {
    let server = start_with_tokens().await;
    let (_, session) = come(&server, "/lobby", json!({"token": ada(json!({})), "name": "Bob"})).await;
    assert_eq!(session, json!({"user": "ada", "name": "Ada", "guest": false, "token": null}), "the token's name counts");

    let rs256 = sign(&json!({"sub": "ada", "exp": now() + 60}), Algorithm::RS256, &EncodingKey::from_rsa_pem(RSA).unwrap());
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", ada(json!({})).split('.').nth(1).unwrap());
    let (_, guest) = come(&server, "/lobby", json!({})).await;
    for namespace in ["/lobby", "/matchmaking"] {
        for (token, expected) in [
            ("nonsense".to_owned(), "bad_token"),
            (format!("{}x", ada(json!({}))), "bad_token"),
            (rs256.clone(), "bad_token"),
            (unsigned.clone(), "bad_token"),
            (ada(json!({"exp": now() - 60})), "token_expired"),
            (ada(json!({"nbf": now() + 60})), "bad_token"),
            (ada(json!({"iss": "them"})), "bad_token"),
            (ada(json!({"aud": "mail"})), "bad_token"),
            (ada(json!({"sub": guest["user"]})), "bad_token"),
        ] {
            assert_eq!(refused(&server, namespace, json!({ "token": token })).await, expected, "{namespace} {token}");
        }
        assert_eq!(refused(&server, namespace, json!({"token": 5})).await, "bad_request");
    }
    let other = start().await;
    assert_eq!(refused(&other, "/lobby", json!({"token": guest["token"]})).await, "bad_token", "another server's guest");
    other.shutdown().await;
    server.shutdown().await;
}

#[tokio::test]
async fn a_public_key_takes_no_other_algorithm() {
    let server = start_with(|builder| builder.jwt(Jwt::public_key(RSA_PUBLIC).unwrap())).await;
    let claims = json!({"sub": "ada", "exp": now() + 60});
    let good = sign(&claims, Algorithm::RS256, &EncodingKey::from_rsa_pem(RSA).unwrap());
    assert_eq!(come(&server, "/lobby", json!({ "token": good })).await.1["user"], "ada");
    let confused = sign(&claims, Algorithm::HS256, &EncodingKey::from_secret(RSA_PUBLIC));
    assert_eq!(refused(&server, "/lobby", json!({ "token": confused })).await, "bad_token");
    server.shutdown().await;
}

#[tokio::test]
async fn without_guests_a_token_is_needed() {
    let server = start_with(|builder| builder.guests(false).jwt(Jwt::hs256(SECRET).unwrap())).await;
    for namespace in ["/lobby", "/matchmaking"] {
        assert_eq!(refused(&server, namespace, json!({"name": "Ada"})).await, "auth_required");
    }
    let token = hs256(&json!({"sub": "ada", "exp": now() + 60}));
    assert_eq!(come(&server, "/lobby", json!({ "token": token, "name": "Bob" })).await.1["name"], "Bob");
    server.shutdown().await;
    let closed = tickcast::server().game::<Duel>().guests(false).start("127.0.0.1:0").await;
    assert!(matches!(closed, Err(StartError::Closed)));
}

/// Knows one token of its own, and does not want Mallory.
struct Friends;

impl Hook for Friends {
    fn recognise<'a>(&'a self, token: &'a str) -> HookFuture<'a, Option<VerifiedUser>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if token == "unreachable" {
                return Err(IdentityError::Unavailable);
            }
            Ok((token == "opaque").then(|| VerifiedUser::new(UserId::parse("friend").unwrap())))
        })
    }

    fn permit<'a>(&'a self, identity: &'a Identity) -> HookFuture<'a, ()> {
        let mallory = identity.name.as_str() == "Mallory";
        Box::pin(ready(if mallory { Err(IdentityError::Blocked) } else { Ok(()) }))
    }
}

#[tokio::test]
async fn a_host_may_check_by_itself() {
    let server = start_with(|builder| builder.hook(Friends)).await;
    assert_eq!(come(&server, "/lobby", json!({"token": "opaque"})).await.1["user"], "friend");
    assert_eq!(refused(&server, "/lobby", json!({"token": "unknown"})).await, "bad_token");
    assert_eq!(refused(&server, "/lobby", json!({"token": "unreachable"})).await, "internal", "a fault of the check's");
    assert_eq!(refused(&server, "/lobby", json!({"name": "Mallory"})).await, "blocked");
    server.shutdown().await;
}

#[tokio::test]
async fn a_blocked_user_is_disconnected_and_kept_out() {
    let server = start().await;
    for parser in PARSERS {
        let (mut lobby, session) = come(&server, "/lobby", json!({})).await;
        let token = json!({"token": session["token"]});
        let mut window = Client::connect(&server, parser).await;
        window.enter("/lobby", token.clone()).await.unwrap();
        window.enter("/matchmaking", token.clone()).await.unwrap();
        assert_eq!(window.request("/matchmaking", "enqueue", json!({"game": "duel"})).await["position"], 1);
        let created = lobby.request("/lobby", "create", json!({"game": "duel"})).await;
        let (mut player, _) = seated(&server, created["ticket"].as_str().unwrap()).await;
        let (mut friend, _) = come(&server, "/lobby", json!({})).await;
        let theirs = friend.request("/lobby", "create", json!({"game": "duel"})).await;
        let watch = lobby.request("/lobby", "spectate", json!({"room": theirs["room"]})).await;
        let unused = lobby.request("/lobby", "spectate", json!({"room": theirs["room"]})).await;
        let (mut watching, _) = seated(&server, watch["ticket"].as_str().unwrap()).await;

        let user: UserId = serde_json::from_value(session["user"].clone()).unwrap();
        server.host().block(&user);
        for (namespace, told) in [
            ("/lobby", lobby.event_named("/lobby", "ended").await),
            ("/lobby", window.event_named("/lobby", "ended").await),
            ("/matchmaking", window.event_named("/matchmaking", "ended").await),
        ] {
            assert_eq!(told.data[1]["code"], "blocked", "{parser:?} {namespace}");
        }
        for client in [&mut player, &mut watching] {
            assert_eq!(client.event_named("/gameplay", "over").await.data[1]["reason"], "kicked", "{parser:?}");
        }
        assert!(lobby.ended("/lobby").await && window.ended("/lobby").await && window.ended("/matchmaking").await);
        for namespace in ["/lobby", "/matchmaking"] {
            assert_eq!(refused(&server, namespace, token.clone()).await, "blocked");
        }
        assert_eq!(refused(&server, "/gameplay", json!({"ticket": unused["ticket"]})).await, "ticket_expired");

        friend.request("/lobby", "listen", json!({"channel": "lobby"})).await;
        friend.request("/lobby", "chat", json!({"channel": "lobby", "text": "gone?"})).await;
        assert!(server.host().unblock(&user));
        let (mut lobby, again) = come(&server, "/lobby", token.clone()).await;
        assert_eq!(again["user"], session["user"]);
        let joined = lobby.request("/lobby", "join", json!({"room": created["room"]})).await;
        assert_eq!(joined["ok"], true, "the seat is free again: {joined}");
        let mut line = Client::join(&server, "/matchmaking", token).await.unwrap();
        assert_eq!(code(&line.request("/matchmaking", "leave", json!(null)).await), "not_queued", "out of the queue");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn the_newer_window_takes_the_seat() {
    let server = start().await;
    let (mut lobby, session) = come(&server, "/lobby", json!({})).await;
    let created = lobby.request("/lobby", "create", json!({"game": "duel"})).await;
    let (mut first, welcome) = seated(&server, created["ticket"].as_str().unwrap()).await;

    let (mut window, _) = come(&server, "/lobby", json!({"token": session["token"]})).await;
    let joined = window.request("/lobby", "join", json!({"room": created["room"]})).await;
    assert_ne!(joined["ticket"], created["ticket"]);
    let (mut second, taken) = seated(&server, joined["ticket"].as_str().unwrap()).await;
    assert_eq!(taken["seat"], welcome["seat"]);
    assert_eq!(taken["seats"].as_array().unwrap().len(), 1);
    assert_eq!(first.event_named("/gameplay", "over").await.data[1]["reason"], "replaced");
    let stale = refused(&server, "/gameplay", json!({"resume": welcome["resume"]})).await;
    assert_eq!(stale, "bad_resume", "the older window does not take the seat back");

    // A friend still finds the other seat, and the room is full then for everybody but these two.
    let (mut friend, _) = come(&server, "/lobby", json!({})).await;
    assert_eq!(friend.request("/lobby", "join", json!({"room": created["room"]})).await["ok"], true);
    let (mut late, _) = come(&server, "/lobby", json!({})).await;
    assert_eq!(code(&late.request("/lobby", "join", json!({"room": created["room"]})).await), "room_full");
    let third = window.request("/lobby", "join", json!({"room": created["room"]})).await;
    let (_third, taken) = seated(&server, third["ticket"].as_str().unwrap()).await;
    assert_eq!(taken["seat"], welcome["seat"]);
    assert_eq!(second.event_named("/gameplay", "over").await.data[1]["reason"], "replaced");
    server.shutdown().await;
}

#[tokio::test]
async fn tickets_for_one_seat_are_bounded() {
    let server = start().await;
    let (mut lobby, _) = come(&server, "/lobby", json!({})).await;
    let created = lobby.request("/lobby", "create", json!({"game": "duel"})).await;
    let mut tickets = vec![created["ticket"].clone()];
    for _ in 0..4 {
        tickets.push(lobby.request("/lobby", "join", json!({"room": created["room"]})).await["ticket"].clone());
    }
    assert_eq!(refused(&server, "/gameplay", json!({"ticket": tickets[0]})).await, "ticket_expired");
    let (_player, welcome) = seated(&server, tickets[1].as_str().unwrap()).await;
    assert_eq!(welcome["seat"], 1);
    server.shutdown().await;
}
