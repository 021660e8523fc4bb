//! The official client in namespaces of a host's own, against a server in this process and the reference server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use std::{convert::Infallible, time::Duration};

use tickcast::{
    host::Host,
    net::in_order,
    socketioxide::{
        SocketIo,
        extract::{AckSender, Data, SocketRef},
        handler::ConnectHandler,
    },
};

use support::play_with;

/// The time that a socket takes to leave.
const FAREWELL: Duration = Duration::from_millis(50);

/// `/desk` tells how many clients are in `/shop`.
fn open(io: &SocketIo, _: &Host) {
    let count = async |socket: SocketRef| {
        let inside = |io: SocketIo, ack: AckSender| ack.send(&io.of("/shop").unwrap().sockets().len()).unwrap();
        socket.on("inside", in_order(inside));
        Ok::<_, Infallible>(())
    };
    io.ns("/desk", (async || {}).with(count));
    let admit = async |socket: SocketRef| {
        socket.on("kick", in_order(|socket: SocketRef| socket.disconnect().unwrap()));
        socket.on("echo", in_order(|Data(text): Data<String>, ack: AckSender| ack.send(&text).unwrap()));
        socket.on_disconnect(async || tokio::time::sleep(FAREWELL).await);
        Ok::<_, Infallible>(())
    };
    io.ns("/shop", (async || {}).with(admit));
}

#[test]
fn a_stock_client_enters_a_namespace_again_as_on_the_reference_server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(tickcast::server().namespaces(open).start("127.0.0.1:0")).unwrap();
    play_with(&server.url(), "reenter.mjs");
    runtime.block_on(server.shutdown());
}
