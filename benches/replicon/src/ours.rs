//! The measurement of Tickcast.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use bevy_ecs::prelude::World;
use tickcast::{
    prelude::*,
    protocol::{Audience, Columns, Frame, Head, Kind, Schema},
    replication::{Mirror, Replicator, Viewer},
};

use crate::{ENTITIES, UPDATES, WARMUP, position};

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Pos {
    #[q(step = 0.03125)]
    at: Vec2,
}

#[derive(GameInput, Clone, Default)]
struct Pad {}

struct Server {
    world: World,
    replicator: Replicator,
    tick: Tick,
}

pub fn updates(clients: usize) -> Vec<Duration> {
    let mut server = Server::new();
    server.collect();
    let mut mirrors: Vec<Mirror> = (0..clients).map(|_| Mirror::new(schema())).collect();
    let mut bytes = Vec::new();
    let snapshot = |server: &Server, seat| [server.replicator.snapshot(viewer(seat))];
    for (seat, mirror) in mirrors.iter_mut().enumerate() {
        let head = Head { kind: Kind::Snapshot, tick: server.tick, base: Tick(0), ack: 0, margin: 0 };
        mirror.apply(&Frame::new(head, snapshot(&server, seat)).to_bytes()).expect("a snapshot fits");
    }
    for update in 1..=WARMUP {
        server.stir(update);
        server.collect();
        for (seat, mirror) in mirrors.iter_mut().enumerate() {
            bytes.clear();
            server.frame(seat).write_to(&mut bytes);
            mirror.apply(&bytes).expect("a diff fits");
        }
    }
    mirrors.iter().for_each(|mirror| check(mirror, WARMUP));
    (1..=UPDATES)
        .map(|update| {
            server.stir(WARMUP + update);
            let began = Instant::now();
            server.collect();
            for seat in 0..clients {
                bytes.clear();
                server.frame(seat).write_to(&mut bytes);
                black_box(&bytes);
            }
            began.elapsed()
        })
        .collect()
}

impl Server {
    fn new() -> Self {
        let mut world = World::new();
        let mut replicator = Replicator::new(&mut world, 30);
        replicator.register::<Pos>(&mut world);
        world.spawn_batch((0..ENTITIES).map(|n| Pos { at: position(n, 0).into() }));
        Self { world, replicator, tick: Tick(0) }
    }

    fn stir(&mut self, update: usize) {
        let mut all = self.world.query::<&mut Pos>();
        all.iter_mut(&mut self.world).enumerate().for_each(|(n, mut pos)| pos.at = position(n, update).into());
    }

    fn collect(&mut self) {
        self.tick.0 += 1;
        self.replicator.collect(&mut self.world, self.tick);
    }

    fn frame(&self, seat: usize) -> Frame {
        let head = Head { kind: Kind::Diff, tick: self.tick, base: Tick(self.tick.0 - 1), ack: 7, margin: 1 };
        Frame::new(head, self.replicator.diff(viewer(seat)))
    }
}

fn viewer(seat: usize) -> Viewer {
    Viewer { seat: Seat(seat as u8 + 1), team: None }
}

fn schema() -> Arc<Schema> {
    let components = vec![Seat::spec(Some(0), Some(Audience::Everyone)), Pos::spec(Some(1), Some(Audience::Everyone))];
    Arc::new(Schema::new("bench", 30, components, Vec::new(), Pad::spec(None, None)).expect("the schema is consistent"))
}

/// Asserts that a mirror holds the server's positions, in steps of 1/32.
fn check(mirror: &Mirror, update: usize) {
    assert_eq!(mirror.entities().count(), ENTITIES);
    for (n, (_, components)) in mirror.entities().enumerate() {
        let (x, y) = position(n, update);
        assert_eq!(*components[&1], [(x * 32.0).round() as i64, (y * 32.0).round() as i64], "entity {n}");
    }
}
