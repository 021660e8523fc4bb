//! The namespace `/`: open to every client, it describes this server.

use serde::Serialize;

use crate::{
    host::{Host, Refusal},
    net::namespaces::{
        namespace::{Caller, Event, Namespace},
        request::{Argument, answer},
    },
    protocol::PROTOCOL_VERSION,
};

#[derive(Clone)]
pub(crate) struct Root(pub(crate) Host);

#[derive(Serialize)]
struct Info<'a> {
    server: &'static str,
    version: &'static str,
    protocol: u8,
    games: Vec<&'a str>,
}

impl Namespace for Root {
    const PATH: &'static str = "/";
    const EVENTS: &'static [(&'static str, Event<Self>)] = &[(
        "info",
        Event::Request(|call, argument| {
            argument.none()?;
            let games = call.namespace.0.games().map(|game| game.name()).collect();
            answer(&Info { server: "tickcast", version: env!("CARGO_PKG_VERSION"), protocol: PROTOCOL_VERSION, games })
        }),
    )];
    type Session = ();

    async fn admit(&self, _: Argument, _: Caller<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}
