//! Authoritative multiplayer matches for browsers.
//!
//! A rules crate describes a game: components, systems on a `bevy_ecs` world, typed inputs, bots. Tickcast steps every
//! match at a fixed rate, finds what changed, encodes it once as MessagePack, and sends it over Socket.IO to everyone in
//! that match's room. Lobby, matchmaking and gameplay are namespaces of their own.
//!
//! - To write a game, read the [`guide`], and start with [`prelude`], [`game::Game`] and [`game::MatchBuilder`].
//! - To host it, `tickcast::server().game::<MyGame>().run()`.
//! - To write a client, read `docs/PROTOCOL.md`; the one in TypeScript is `assets/sdk`.
//!
//! # Features
//!
//! All are on by default.
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `server` | rooms, lobby and matchmaking over Socket.IO; each feature below includes it |
//! | `cli` | `ServerBuilder::run`: a whole program, with a command line, environment variables and logs |
//! | `jwt` | users with JSON Web Tokens of an issuer |
//! | `metrics` | counters for Prometheus at `/metrics` |
//! | `store-postgres`, `store-sqlite` | players, ratings, results and the block list in a database |
//! | `webhook` | results posted to another server |
//!
//! Rules that only compile for tests or for the browser need none of them: `default-features = false`. A small server builds in
//! about half the time with `default-features = false, features = ["cli"]`.
//!
//! # The rooms
//!
//! The modules below are declared from the foundation up, and each imports only from those declared above it
//! (`tests/below/layering.rs` checks that). Above the seam, the feature `server`, there are clocks, tasks and sockets; below it
//! there are none: time and randomness are arguments, and a match is a pure function of its seed and its inputs.

#![cfg_attr(docsrs, feature(doc_cfg))]

// The derive macros name this crate from outside; so does the library itself.
extern crate self as tickcast;

pub mod protocol;

pub mod sim;

pub mod replication;

pub mod game;

pub mod room;

pub use room::testing;

pub mod lobby;

pub mod matchmaking;

// The seam.

#[cfg(feature = "server")]
pub mod observe;

#[cfg(feature = "server")]
pub mod identity;

#[cfg(feature = "server")]
pub mod host;

#[cfg(feature = "server")]
pub mod store;

#[cfg(feature = "server")]
pub mod net;

#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "server")]
pub use server::server;

// A rules crate is written in these, and may name them through this crate alone.
pub use {bevy_ecs, glam, rand, serde};

// What a host adds to the server is written in these, in the versions that the server is built with.
#[cfg(feature = "server")]
pub use {axum, socketioxide};

// `ServerBuilder::run` returns its error.
#[cfg(feature = "cli")]
pub use anyhow;

pub mod prelude {
    //! What a rules crate needs: `use tickcast::prelude::*;`.
    //!
    //! A selection of `bevy_ecs` and `glam`, and the words of the plug-in contract. Nothing about sockets.
    //!
    //! A crate that imports all of it depends on `tickcast` alone: the derives of `bevy_ecs` find the crate `bevy_ecs` here, and
    //! the derives of `Serialize` and `Deserialize` are serde's with the path `tickcast::serde`. With a name of its own,
    //! `use serde::Serialize;`, a crate gets serde's derive.

    // The derives of `bevy_ecs` name it, and a crate that does not depend on it finds it by this.
    #[doc(no_inline)]
    pub use bevy_ecs;
    pub use bevy_ecs::prelude::{
        Commands, Component, DetectChanges, DetectChangesMut, Entity, Has, IntoScheduleConfigs, Mut, Query, Ref, Res, ResMut,
        Resource, Single, With, Without, World,
    };
    pub use glam::{Vec2, Vec3};
    pub use rand::{RngExt, seq::IndexedRandom};
    // The traits; the derives of the same names are those of `tickcast_derive`.
    pub use serde::{de::Deserialize, ser::Serialize};
    pub use tickcast_derive::{Choice, Deserialize, GameEvent, GameInput, Replicate, Serialize};

    pub use crate::{
        game::{Bot, Emit, Game, MatchBuilder, NoConfig, Outcome, SpawnAvatar, secs},
        protocol::{Dir8, Id, Seat, Tick},
        replication::{Grid, View},
        sim::{Clock, Intent, MatchRng, Team, Teams},
        testing::TestRoom,
    };
}

/// The program in the README is compiled.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[expect(clippy::test_attr_in_doctest, reason = "the guide shows a whole file with its tests")]
#[doc = include_str!("../docs/GUIDE.md")]
pub mod guide {}
