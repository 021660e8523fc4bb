//! An authoritative server for multiplayer games in the browser.
//!
//! A rules crate describes a game: components, systems on a `bevy_ecs` world, typed inputs, bots. Tickcast steps every
//! match at a fixed rate, collects the changes, encodes them once as MessagePack, and sends them over Socket.IO to everyone
//! in the match's room. The lobby, matchmaking and gameplay each have their own namespace.
//!
//! - To write a game, read the [`guide`], and start with [`prelude`], [`game::Game`] and [`game::MatchBuilder`].
//! - To host it, `tickcast::server().game::<MyGame>().run()`.
//! - To write a client, read [the protocol](guide::protocol); the TypeScript client is in `assets/sdk`.
//!
//! # Features
//!
//! All features but `client` are on by default.
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `server` | rooms, lobby and matchmaking over Socket.IO; every feature below enables it |
//! | `client` | off by default, for WebAssembly modules with [`predictor!`]: nothing of a server is linked |
//! | `cli` | `ServerBuilder::run`: a complete program with a command line, environment variables and logs |
//! | `jwt` | users who sign in with JSON Web Tokens from an issuer |
//! | `metrics` | Prometheus metrics at `/metrics` |
//! | `store-postgres`, `store-sqlite` | players, ratings, results and the block list in a database |
//! | `webhook` | results posted to another server |
//!
//! A rules crate that is built only for tests or for the browser needs none of them: set `default-features = false`. A small
//! server builds in about half the time with `default-features = false, features = ["cli"]`.
//!
//! # Layers
//!
//! The modules are declared bottom-up. Each imports only from modules that are declared before it, which
//! `tests/below/layering.rs` checks. Clocks, tasks and sockets exist only in the modules behind the feature `server`. In the
//! other modules, time and randomness are arguments, and a match is a pure function of its seed and its inputs.

#![cfg_attr(docsrs, feature(doc_cfg))]

// The code that the derive macros generate names this crate as `tickcast`, inside this library too.
extern crate self as tickcast;

pub mod math;

pub mod protocol;

mod prefetch;

pub mod sim;

pub mod replication;

pub mod game;

pub mod predict;

pub mod room;

pub use room::testing;

pub mod lobby;

pub mod matchmaking;

// The seam. The modules from here on need the feature `server`.

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

// Dependencies that a rules crate needs. It can name them through this crate, without depending on them itself.
pub use {bevy_ecs, glam, rand, serde};

// Dependencies that extensions of the server need, in the versions that the server is built with.
#[cfg(feature = "server")]
pub use {axum, socketioxide};

// `ServerBuilder::run` returns `anyhow::Error`.
#[cfg(feature = "cli")]
pub use anyhow;

pub mod prelude {
    //! The imports of a rules crate: `use tickcast::prelude::*;`.
    //!
    //! Contains a selection of `bevy_ecs` and `glam`, and the types and traits of [`game`](crate::game). It has nothing of the
    //! server.
    //!
    //! A crate that imports the whole prelude needs no dependency but `tickcast`. The derives of `bevy_ecs` find the crate
    //! `bevy_ecs` here, and the derives of `Serialize` and `Deserialize` are serde's with the path `tickcast::serde`. An explicit
    //! `use serde::Serialize;` takes precedence and brings in serde's own derive.

    // The derives of `bevy_ecs` refer to the crate by name. This re-export serves crates that do not depend on it.
    #[doc(no_inline)]
    pub use bevy_ecs;
    #[doc(no_inline)]
    pub use bevy_ecs::prelude::{
        Commands, Component, DetectChanges, DetectChangesMut, Entity, Has, IntoScheduleConfigs, Mut, Query, Ref, Res, ResMut,
        Resource, Single, With, Without, World,
    };
    #[doc(no_inline)]
    pub use glam::{Vec2, Vec3};
    #[doc(no_inline)]
    pub use rand::{RngExt, seq::IndexedRandom};
    // Only the traits. The derives of the same names come from `tickcast_derive`.
    pub use serde::{de::Deserialize, ser::Serialize};
    #[doc(inline)]
    pub use tickcast_derive::{Choice, Deserialize, GameCommand, GameEvent, GameInput, Replicate, Serialize};

    pub use crate::{
        game::{
            Bot, BotCommands, Emit, Game, MatchBuilder, NoConfig, Outcome, Picture, Received, Seen, SpawnAvatar, Strength, secs,
        },
        protocol::{Blob, Dir8, Id, Seat, Text, Tick},
        replication::{Grid, View},
        sim::{Clock, Deadline, Intent, MatchRng, Team, Teams},
        testing::TestRoom,
    };
}

/// Compiles the program in the README as a doctest.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles and runs the game in the page for coding agents as a doctest.
#[cfg(doctest)]
#[doc = include_str!("../docs/AGENTS.md")]
struct Agents;

#[expect(clippy::test_attr_in_doctest, reason = "the guide shows a whole file with its tests")]
// The guide's links to files of the repository, as links of this documentation. The first definition of a link counts.
#[doc = "[packed-lists]: crate::guide::protocol#packed-lists\n[protocol]: crate::guide::protocol"]
#[doc = include_str!("../docs/GUIDE.md")]
pub mod guide {
    #[doc = include_str!("../docs/PROTOCOL.md")]
    pub mod protocol {}
}

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
