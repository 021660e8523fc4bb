//! The playground of the page, with a game that the page has no view of.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use tickcast::prelude::*;

use support::browse_with;

/// The page, as the build script has made it.
const PAGE: &str = concat!(env!("OUT_DIR"), "/web");

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Pos {
    #[q(step = 0.125, range = 0.0..=32.0)]
    at: Vec2,
}

#[derive(Component, Replicate)]
#[replicate(id = 2)]
struct Paint(Colour);

/// What the shop has. It is nowhere.
#[derive(Component, Replicate)]
#[replicate(id = 3)]
struct Stock {
    price: u16,
    left: u8,
}

#[derive(Choice, Debug, Clone, Copy, PartialEq, Default)]
enum Colour {
    #[default]
    Red,
    Green,
    Blue,
}

#[derive(GameInput, Clone, Default)]
struct Pad {
    dir: Dir8,
    #[one_shot]
    honk: bool,
    #[q(step = 0.25, range = 0.0..=4.0)]
    speed: f32,
}

#[derive(GameEvent, Clone)]
#[event(id = 1)]
struct Honked {
    seat: u8,
}

/// Somebody has painted themselves, with so many bytes of a pattern.
#[derive(GameEvent, Clone)]
#[event(id = 2)]
struct Painted {
    seat: u8,
    letters: u8,
    bytes: u8,
    coats: u8,
}

#[derive(GameCommand, Clone)]
#[command(id = 1)]
struct Dye {
    colour: Colour,
    name: Text<12>,
    pattern: Blob<8>,
    coats: u8,
    shiny: bool,
}

#[derive(GameCommand, Clone)]
#[command(id = 2)]
struct Undo;

struct Yard;

impl Game for Yard {
    const NAME: &'static str = "yard";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(20)
            .seats(1..=4)
            .replicate::<(Pos, Paint, Stock)>()
            .event::<Honked>()
            .event::<Painted>()
            .command::<Dye>()
            .command::<Undo>()
            .on_join(|seat, world| {
                let at = Vec2::new(4.0 * f32::from(seat.0), 16.0);
                world.spawn_avatar(seat, (Pos { at }, Paint(Colour::Red)));
            })
            .systems((open, walk, dye, undo))
            .bot::<Stander>()
            .fill(2);
    }
}

fn open(shops: Query<&Stock>, mut commands: Commands) {
    if shops.is_empty() {
        commands.spawn(Stock { price: 7, left: 3 });
    }
}

fn walk(clock: Res<Clock>, mut all: Query<(&Seat, &Intent<Pad>, &mut Pos)>, mut honked: Emit<Honked>) {
    for (seat, pad, mut pos) in &mut all {
        pos.at = (pos.at + pad.dir.unit() * (4.0 + pad.speed) * clock.dt).clamp(Vec2::ZERO, Vec2::splat(32.0));
        if pad.honk {
            honked.everyone(Honked { seat: seat.0 });
        }
    }
}

fn dye(asked: Received<Dye>, mut all: Query<(&Seat, &mut Paint)>, mut painted: Emit<Painted>) {
    for (seat, dye) in asked.iter() {
        for (_, mut paint) in all.iter_mut().filter(|(other, _)| **other == seat) {
            paint.0 = dye.colour;
        }
        let [letters, bytes] = [dye.name.chars().count(), dye.pattern.len()].map(|count| u8::try_from(count).unwrap());
        painted.everyone(Painted { seat: seat.0, letters, bytes, coats: dye.coats + u8::from(dye.shiny) });
    }
}

fn undo(asked: Received<Undo>, mut all: Query<(&Seat, &mut Paint)>) {
    for (seat, _) in asked.iter() {
        for (_, mut paint) in all.iter_mut().filter(|(other, _)| **other == seat) {
            paint.0 = Colour::default();
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Stander;

impl Bot<Yard> for Stander {
    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> Pad {
        Pad::default()
    }
}

#[test]
fn a_game_without_a_view_is_played_in_the_playground() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(tickcast::server().game::<Yard>().page_folder(PAGE).start("127.0.0.1:0")).unwrap();
    browse_with(&server.url(), "playground.mjs");
    runtime.block_on(server.shutdown());
}
