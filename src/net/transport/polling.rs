//! Sessions that poll: what each may send, and how many bytes may wait for it.
//!
//! A session that polls has no connection of its own. Its requests come on many, and behind a proxy they share those of others. So it
//! is counted by its id, and what is cut is the session: its further requests are not answered.

use std::{
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Request,
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use hyper::body::Frame;

use crate::{
    net::{
        limits::NetLimits,
        transport::{
            stream::StreamHandle,
            turn::{Turn, pause},
        },
    },
    observe::{self, DropReason},
};

/// The byte between two packets of one request.
const SEPARATOR: u8 = 0x1e;

/// The answer to the requests of a session that was cut.
pub(crate) const ENDED: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "the session was ended\n");

/// Counts what a session that polls sends and takes, in front of the library.
pub(crate) async fn bound_polling(limits: NetLimits, request: Request, next: Next) -> Response {
    let Some(session) = session(request.uri().query()).map(str::to_owned) else { return next.run(request).await };
    let Some(stream) = request.extensions().get::<StreamHandle>().cloned() else { return next.run(request).await };
    if request.method() == Method::POST {
        take_packets(&limits, &stream, &session, request, next).await
    } else {
        give_packets(&stream, &session, request, next).await
    }
}

/// Returns the Engine.IO session that a request names.
pub(crate) fn session(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|pair| pair.strip_prefix("sid="))
}

async fn take_packets(limits: &NetLimits, stream: &StreamHandle, session: &str, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, limits.message_bytes).await else {
        observe::dropped(DropReason::Protocol);
        return (StatusCode::PAYLOAD_TOO_LARGE, "the request is larger than one message may be\n").into_response();
    };
    let packets = 1 + body.iter().filter(|byte| **byte == SEPARATOR).count();
    if !stream.take_packets(session, u32::try_from(packets).unwrap_or(u32::MAX), body.len(), limits) {
        stream.cut_for(session, DropReason::ConnectionShare);
        return ENDED.into_response();
    }
    let body = Body::new(Packets { rest: body, turn: Turn::default(), pause: None });
    let response = next.run(Request::from_parts(head, body)).await;
    if response.status() == StatusCode::BAD_REQUEST {
        // There is no such session, or there is none any more.
        stream.forget_polling(session);
    }
    response
}

async fn give_packets(stream: &StreamHandle, session: &str, request: Request, next: Next) -> Response {
    let mut answer = pin!(next.run(request));
    let answered = std::future::poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await;
    let response = match answered {
        Poll::Ready(response) => response,
        Poll::Pending => {
            // The library answers at once if anything waits.
            stream.nothing_waits(session);
            answer.await
        }
    };
    stream.note_given(session, response.body().size_hint().exact().unwrap_or(0));
    response
}

/// The body of a request that brings packets, a packet at a time. The library handles each before it asks for the next, and others
/// have their turns in between.
struct Packets {
    rest: Bytes,
    turn: Turn,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl HttpBody for Packets {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            if self.rest.is_empty() {
                return Poll::Ready(None);
            }
            if self.turn.step() {
                let end = self.rest.iter().position(|byte| *byte == SEPARATOR).map_or(self.rest.len(), |at| at + 1);
                return Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(end)))));
            }
            self.pause = Some(Box::pin(pause()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Reads a body. Returns its pieces, and the most that came without a pause.
    async fn read(body: &[u8]) -> (Vec<Bytes>, usize) {
        let mut packets = Packets { rest: Bytes::copy_from_slice(body), turn: Turn::default(), pause: None };
        let (mut pieces, mut turn, mut longest) = (Vec::new(), 0, 0);
        loop {
            let polled = Pin::new(&mut packets).poll_frame(&mut Context::from_waker(Waker::noop()));
            let frame = match polled {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    turn = 0;
                    std::future::poll_fn(|cx| Pin::new(&mut packets).poll_frame(cx)).await
                }
            };
            let Some(Ok(frame)) = frame else { return (pieces, longest) };
            pieces.push(frame.into_data().unwrap());
            turn += 1;
            longest = longest.max(turn);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_library_gets_one_packet_at_a_time() {
        assert_eq!(read(b"").await.0, Vec::<Bytes>::new());
        assert_eq!(read(b"3").await.0, ["3"]);
        assert_eq!(read(b"3\x1e42[]\x1e\x1e3").await.0, ["3\x1e", "42[]\x1e", "\x1e", "3"]);
    }

    #[tokio::test(start_paused = true)]
    async fn many_packets_come_in_turns() {
        let (pieces, longest) = read(&b"3\x1e".repeat(8_000)).await;
        assert_eq!(pieces.len(), 8_000);
        assert!(longest <= 256, "{longest} packets in one turn");
    }
}
