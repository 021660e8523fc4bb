//! stub
extern crate self as tickcast;

pub mod game;
pub mod protocol;
pub mod replication;
pub mod room;
pub mod sim;

pub mod lobby;
pub mod matchmaking;

#[cfg(feature = "server")]
pub mod observe;

#[cfg(feature = "server")]
pub mod host;

#[cfg(feature = "server")]
pub mod net;

#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "server")]
pub use server::serve;

pub mod prelude {
    //! What a rules crate needs: `use tickcast::prelude::*;`.

    pub use bevy_ecs::prelude::{
        Commands, Component, DetectChanges, DetectChangesMut, Entity, Has, In, IntoScheduleConfigs, Mut, Query, Ref, Res, ResMut,
        Resource, Single, With, Without, World,
    };
    pub use glam::{Vec2, Vec3};
    pub use rand::{RngExt, seq::IndexedRandom};
    pub use tickcast_derive::{Choice, GameEvent, GameInput, Replicate};

    pub use crate::{
        game::{Bot, Emit, Game, Leave, MatchBuilder, NoConfig, Outcome, SpawnAvatar, secs},
        protocol::{Dir8, Id, Seat, Tick},
        replication::View,
        room::Table,
        sim::{Clock, Intent, Rng, Team},
    };
}
