//! The measurement of bevy_replicon. Its apps exchange messages in memory, as in its own tests.

use std::time::{Duration, Instant};

use bevy::{
    ecs::component::{Component, Mutable, StorageType},
    prelude::{App, MinimalPlugins, PluginGroup, PostUpdate},
    state::app::StatesPlugin,
};
use bevy_replicon::{
    prelude::{AppRuleExt, Replicated, RepliconPlugins, ServerPlugin},
    test_app::ServerTestAppExt,
};
use serde::{Deserialize, Serialize};

use crate::{ENTITIES, UPDATES, WARMUP, position};

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Pos {
    x: f32,
    y: f32,
}

/// Written by hand, because the derive would find the `bevy_ecs` of Tickcast.
impl Component for Pos {
    const STORAGE_TYPE: StorageType = StorageType::Table;
    type Mutability = Mutable;
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Number(u32);

impl Component for Number {
    const STORAGE_TYPE: StorageType = StorageType::Table;
    type Mutability = Mutable;
}

pub fn updates(clients: usize) -> Vec<Duration> {
    let mut server = app();
    let mut clients: Vec<App> = (0..clients).map(|_| app()).collect();
    for client in &mut clients {
        server.connect_client(client);
    }
    for n in 0..ENTITIES {
        let (x, y) = position(n, 0);
        server.world_mut().spawn((Replicated, Number(n as u32), Pos { x, y }));
    }
    for update in 1..=WARMUP {
        stir(&mut server, update);
        server.update();
        exchange(&mut server, &mut clients);
    }
    clients.iter_mut().for_each(|client| check(client, WARMUP));
    (1..=UPDATES)
        .map(|update| {
            stir(&mut server, WARMUP + update);
            let began = Instant::now();
            server.update();
            let took = began.elapsed();
            exchange(&mut server, &mut clients);
            took
        })
        .collect()
}

fn app() -> App {
    let mut app = App::new();
    app.add_plugins((MinimalPlugins, StatesPlugin, RepliconPlugins.set(ServerPlugin::new(PostUpdate))));
    app.replicate::<Pos>().replicate::<Number>();
    app.finish();
    app
}

fn stir(server: &mut App, update: usize) {
    let world = server.world_mut();
    let mut all = world.query::<(&Number, &mut Pos)>();
    for (number, mut pos) in all.iter_mut(world) {
        let (x, y) = position(number.0 as usize, update);
        *pos = Pos { x, y };
    }
}

/// Delivers messages to the clients, and their acknowledgements to the server for the next update.
fn exchange(server: &mut App, clients: &mut [App]) {
    for client in clients {
        server.exchange_with_client(client);
        client.update();
        server.exchange_with_client(client);
    }
}

/// Asserts that a client holds the server's positions.
fn check(client: &mut App, update: usize) {
    let world = client.world_mut();
    let mut all = world.query::<(&Number, &Pos)>();
    assert_eq!(all.iter(world).count(), ENTITIES);
    for (number, pos) in all.iter(world) {
        assert_eq!((pos.x, pos.y), position(number.0 as usize, update), "entity {}", number.0);
    }
}
