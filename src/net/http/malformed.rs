//! Refuses requests that no correct client sends, where hyper and socketioxide would answer them.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, Method, Request, StatusCode, Version, header, uri::Authority},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};

/// The bytes of a WebSocket's key, by RFC 6455.
const KEY_BYTES: usize = 16;

/// The error of the official Socket.IO server for a handshake that is not one.
const BAD_REQUEST: &str = r#"{"code":3,"message":"Bad request"}"#;

/// Returns the answer to a request that is malformed.
pub(crate) fn refusal<B>(request: &Request<B>) -> Option<Response<Body>> {
    if !has_host(request) {
        return Some((StatusCode::BAD_REQUEST, "a request needs exactly one Host header\n").into_response());
    }
    asks_for_websocket(request).then(|| websocket_refusal(request)).flatten()
}

/// Returns whether a request names its host as RFC 9112 asks: once, or not at all in HTTP/1.0.
fn has_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.is_empty() || Authority::try_from(host.as_bytes()).is_ok(),
        (None, _) => request.version() < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Returns whether a request is for Engine.IO's transport on WebSockets. Socketioxide looks at the same parameter, and would answer it
/// as a handshake, whatever its headers are.
pub(crate) fn asks_for_websocket<B>(request: &Request<B>) -> bool {
    let transport = request.uri().query().and_then(|query| query.split('&').find(|pair| pair.starts_with("transport=")));
    request.uri().path().starts_with("/socket.io") && transport == Some("transport=websocket")
}

/// Refuses what is no WebSocket handshake by RFC 6455. A client that is refused falls back to polling.
fn websocket_refusal<B>(request: &Request<B>) -> Option<Response<Body>> {
    let headers = request.headers();
    let json = [(header::CONTENT_TYPE, "application/json")];
    let is_upgrade = request.method() == Method::GET
        && request.version() >= Version::HTTP_11
        && has_token(headers, &header::UPGRADE, "websocket")
        && has_token(headers, &header::CONNECTION, "upgrade");
    if !is_upgrade {
        return Some((StatusCode::BAD_REQUEST, json, BAD_REQUEST).into_response());
    }
    if only(headers, &header::SEC_WEBSOCKET_VERSION) != Some(b"13") {
        let right = [(header::SEC_WEBSOCKET_VERSION, "13"), (header::UPGRADE, "websocket"), (header::CONNECTION, "upgrade")];
        return Some((StatusCode::UPGRADE_REQUIRED, right).into_response());
    }
    let key = only(headers, &header::SEC_WEBSOCKET_KEY).and_then(|key| BASE64_STANDARD.decode(key).ok());
    let is_key = key.is_some_and(|key| key.len() == KEY_BYTES);
    (!is_key).then(|| (StatusCode::BAD_REQUEST, json, BAD_REQUEST).into_response())
}

/// Returns whether a header that is a list has this token.
fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|token| token.trim().eq_ignore_ascii_case(wanted))
}

/// Returns the value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| first.as_bytes().trim_ascii())
}
