//! A mistake in a game's registration is an error at start that names the culprit.

use std::ops::RangeInclusive;

use tickcast::{
    game::{GameDef, GameError},
    prelude::*,
};

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Pos(u8);

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Clash(u8);

#[derive(Component, Replicate)]
#[replicate(id = 0)]
struct SeatToo(u8);

#[derive(Component, Replicate)]
#[replicate(id = 2)]
struct Place(#[q(step = 1.0)] Vec2);

#[derive(Component, Serialize, Deserialize)]
struct Vel(u8);

#[derive(Resource, Default, Serialize, Deserialize)]
struct Weather(u8);

#[derive(GameInput, Clone, Default)]
struct Pad {}

#[derive(GameEvent)]
#[event(id = 1)]
struct Boom {}

#[derive(GameEvent)]
#[event(id = 1)]
struct Bang {}

#[derive(Default, Serialize, Deserialize)]
struct Idler;
impl<G: Game<Input = Pad>> Bot<G> for Idler {
    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> Pad {
        Pad {}
    }
}

/// The name of the match's random numbers in errors.
const RNG: &str = "tickcast::sim::resources::MatchRng";

type Build<G> = fn(&mut MatchBuilder<G>);

/// A game of one build function.
macro_rules! game {
    ($name:ident, $text:literal, $build:expr) => {
        struct $name;
        impl Game for $name {
            const NAME: &'static str = $text;
            type Input = Pad;
            type Config = NoConfig;
            fn build(m: &mut MatchBuilder<Self>) {
                let build: Build<Self> = $build;
                build(m);
            }
        }
    };
}

fn error<G: Game>() -> String {
    GameDef::new::<G>().err().expect("the game is refused").to_string()
}

#[test]
fn a_consistent_game_is_accepted() {
    game!(Clean, "clean", |m| {
        m.replicate::<Pos>().state::<Vel>().resource(Weather(0)).event::<Boom>();
        m.on_join(|seat, w| w.spawn_avatar(seat, (Pos(0), Vel(1))));
        m.systems(|mut all: Query<(&mut Pos, &Vel)>, _: Res<Weather>, mut booms: Emit<Boom>| {
            all.iter_mut().for_each(|(mut pos, vel)| pos.0 += vel.0);
            booms.everyone(Boom {});
        });
    });
    let def = GameDef::new::<Clean>().unwrap();
    assert_eq!((def.name(), def.hz(), def.seats()), ("clean", 30, 1..=16));
    assert_eq!(def.schema().components.len(), 2, "Seat and Pos");
}

#[test]
fn two_components_with_one_id_are_refused() {
    game!(Ids, "ids", |m| {
        m.replicate::<(Pos, Clash)>();
    });
    assert_eq!(error::<Ids>(), "ids: Pos and Clash both have the wire id 1");
    game!(Twice, "twice", |m| {
        m.replicate::<(Pos, Pos)>();
    });
    assert_eq!(error::<Twice>(), "twice: two components are called Pos: clients know them by name");
    game!(Seats, "seats", |m| {
        m.replicate::<SeatToo>();
    });
    assert_eq!(error::<Seats>(), "seats: Seat and SeatToo both have the wire id 0");
}

#[test]
fn two_events_with_one_id_are_refused() {
    game!(Ids, "ids", |m| {
        m.event::<Boom>().event::<Bang>();
    });
    assert_eq!(error::<Ids>(), "ids: Boom and Bang both have the wire id 1");
}

#[test]
fn an_unregistered_component_in_a_system_is_refused() {
    game!(Used, "used", |m| {
        m.replicate::<Pos>().systems(|all: Query<(&Pos, &Vel)>| assert!(all.iter().count() < 9));
    });
    assert!(
        error::<Used>().starts_with("used: below::registration::Vel is used by the rules but not registered"),
        "{}",
        error::<Used>()
    );
}

#[test]
fn an_unregistered_component_in_on_join_is_refused() {
    game!(Spawned, "spawned", |m| {
        m.replicate::<Pos>().on_join(|seat, w| w.spawn_avatar(seat, (Pos(0), Vel(0))));
    });
    assert!(error::<Spawned>().contains("below::registration::Vel"), "{}", error::<Spawned>());
}

#[test]
fn a_component_that_would_not_be_saved_is_refused() {
    game!(Named, "named", |m| {
        m.replicate::<Pos>().on_join(|seat, w| w.spawn_avatar(seat, (Pos(0), bevy_ecs::name::Name::new("Ada"))));
    });
    assert!(error::<Named>().contains("bevy_ecs::name::Name"), "{}", error::<Named>());
}

#[test]
fn an_unregistered_resource_is_refused() {
    game!(Res1, "res", |m| {
        m.systems(|weather: Option<Res<Weather>>| assert!(weather.is_none_or(|w| w.0 == 0)));
    });
    assert!(error::<Res1>().contains("registration::Weather"), "{}", error::<Res1>());
}

#[test]
fn an_unregistered_event_is_refused() {
    game!(Event, "event", |m| {
        m.systems(|mut booms: Emit<Boom>| booms.everyone(Boom {}));
    });
    let said = error::<Event>();
    assert!(said.contains("registration::Boom") && said.contains(".event::<..>()"), "{said}");
}

#[test]
fn numbers_out_of_range_are_refused() {
    game!(Slow, "slow", |m| {
        m.tick_rate(0);
    });
    assert_eq!(error::<Slow>(), "slow: the tick rate 0 must be from 1 to 128");
    game!(Fast, "fast", |m| {
        m.tick_rate(129);
    });
    assert!(matches!(GameDef::new::<Fast>(), Err(GameError::TickRate { hz: 129, .. })));
    game!(NoSeats, "no-seats", |m| {
        m.seats(RangeInclusive::new(3, 2));
    });
    assert!(error::<NoSeats>().starts_with("no-seats: .seats(3..=2) must go upwards"), "{}", error::<NoSeats>());
    game!(NoBot, "no-bot", |m| {
        m.fill(2);
    });
    assert!(matches!(GameDef::new::<NoBot>(), Err(GameError::NoBot { .. })));
    game!(Shout, "Shout!", |_| {});
    assert!(error::<Shout>().contains("\"Shout!\""));
}

#[test]
fn rules_that_fail_in_the_first_tick_are_refused() {
    game!(Fails, "fails", |m| {
        m.systems(|clock: Res<Clock>| assert!(clock.tick < 2, "no second tick"));
    });
    assert!(error::<Fails>().contains("no second tick"));
}

#[test]
fn a_method_that_sets_one_value_is_refused_when_called_twice() {
    macro_rules! twice {
        ($name:ident, $method:literal, $build:expr) => {
            game!($name, "twice", $build);
            let rest = "must be called once at most, because a second call would replace what the first one set";
            assert_eq!(error::<$name>(), format!("twice: {} {rest}", $method));
        };
    }
    twice!(Rate, ".tick_rate(..)", |m| {
        m.tick_rate(20).tick_rate(30);
    });
    twice!(Seats, ".seats(..)", |m| {
        m.seats(1..=2).seats(1..=2);
    });
    twice!(Grace, ".reconnect_grace(..) or .leave_at_once()", |m| {
        m.reconnect_grace(secs(1.0)).leave_at_once();
    });
    twice!(Idle, ".idle_after(..)", |m| {
        m.idle_after(secs(1.0)).idle_after(secs(2.0));
    });
    twice!(Delay, ".spectator_delay(..)", |m| {
        m.spectator_delay(secs(1.0)).spectator_delay(secs(2.0));
    });
    twice!(Hold, ".bots_hold_seats()", |m| {
        m.bots_hold_seats().bots_hold_seats();
    });
    twice!(Fill, ".fill(..)", |m| {
        m.fill(1).fill(2);
    });
    twice!(Pack, ".packed()", |m| {
        m.packed().packed();
    });
    twice!(Budget, ".budget(..)", |m| {
        m.budget(100).budget(200);
    });
    twice!(Finish, ".finish_when(..)", |m| {
        m.finish_when(|| None).finish_when(|| None);
    });
    twice!(Bots, ".bot::<..>()", |m| {
        m.bot::<Idler>().bot::<Idler>();
    });
    twice!(Interest, ".interest(..)", |m| {
        m.replicate::<Place>().interest(Grid::<Place>::cells(8.0)).interest(Grid::<Place>::cells(16.0));
    });
}

#[test]
fn a_resource_that_the_match_already_has_is_refused() {
    game!(Twice, "twice", |m| {
        m.resource(Weather(0)).resource(Weather(1));
    });
    let expected = "twice: .resource(..) must not replace below::registration::Weather, which the match already has";
    assert_eq!(error::<Twice>(), expected);
    game!(Seeded, "seeded", |m| {
        m.resource(MatchRng::seeded(1));
    });
    assert_eq!(error::<Seeded>(), expected.replace("twice", "seeded").replace("below::registration::Weather", RNG));
    game!(Grouped, "grouped", |m| {
        m.resource(Teams::default());
    });
    assert!(matches!(GameDef::new::<Grouped>(), Err(GameError::Resource { .. })), "teams are the matchmaker's");
    game!(Settled, "settled", |m| {
        m.resource(NoConfig::default());
    });
    assert!(matches!(GameDef::new::<Settled>(), Err(GameError::Resource { .. })), "the room's creator chooses");
}

#[test]
fn a_component_registered_twice_on_the_server_is_saved_once() {
    game!(Twice, "twice", |m| {
        m.state::<Vel>().state::<Vel>().on_join(|seat, w| w.spawn_avatar(seat, Vel(1)));
    });
    game!(Once, "once", |m| {
        m.state::<Vel>().on_join(|seat, w| w.spawn_avatar(seat, Vel(1)));
    });
    let (mut twice, mut once) = (TestRoom::<Twice>::new(1).seats(1), TestRoom::<Once>::new(1).seats(1));
    twice.run(2);
    once.run(2);
    assert_eq!(twice.room().checksum(), once.room().checksum());
}

#[test]
fn systems_and_hooks_accumulate_in_the_order_of_the_calls() {
    game!(Many, "many", |m| {
        m.state::<Vel>().on_join(|seat, w| w.spawn_avatar(seat, Vel(1)));
        m.on_join(|_, w| w.query::<&mut Vel>().iter_mut(w).for_each(|mut vel| vel.0 *= 10));
        m.systems(|mut all: Query<&mut Vel>| all.iter_mut().for_each(|mut vel| vel.0 += 1));
        m.systems(|mut all: Query<&mut Vel>| all.iter_mut().for_each(|mut vel| vel.0 *= 2));
    });
    let mut room = TestRoom::<Many>::new(1).seats(1);
    room.run(1);
    let world = room.world();
    assert_eq!(world.query::<&Vel>().single(world).unwrap().0, 22);
}

#[test]
fn a_component_that_cannot_be_rewound_is_refused() {
    macro_rules! refused {
        ($name:ident, $build:expr, $error:literal) => {
            game!($name, "rewinds", $build);
            assert_eq!(error::<$name>(), format!("rewinds: {}", $error));
        };
    }
    refused!(
        Missing,
        |m| {
            m.replicate::<Pos>().rewind::<Place>(secs(0.2));
        },
        ".rewind::<Place>(..) needs what clients saw, but Place is not replicated: add .replicate::<Place>()"
    );
    refused!(
        Clashing,
        |m| {
            m.replicate::<Pos>().rewind::<Clash>(secs(0.2));
        },
        ".rewind::<Clash>(..) needs what clients saw, but Clash is not replicated: add .replicate::<Clash>()"
    );
    refused!(
        Own,
        |m| {
            m.replicate::<Purse>().rewind::<Purse>(secs(0.2));
        },
        ".rewind::<Purse>(..) needs what every seat saw, but Purse goes to an owner or a team: replicate it to everyone"
    );
    refused!(
        Seldom,
        |m| {
            m.replicate::<Mood>().rewind::<Mood>(secs(0.2));
        },
        ".rewind::<Mood>(..) needs what clients saw in every tick, but Mood is sent less often: remove its `every`"
    );
    refused!(
        Twice,
        |m| {
            m.replicate::<Pos>().rewind::<Pos>(secs(0.2)).rewind::<Pos>(secs(0.3));
        },
        ".rewind::<Pos>(..) must be called once at most, because a second call would replace what the first one set"
    );
    refused!(
        Never,
        |m| {
            m.replicate::<Pos>().rewind::<Pos>(secs(0.0));
        },
        ".rewind::<Pos>(0ns): the window must be above 0 and at most 1s"
    );
    refused!(
        Long,
        |m| {
            m.replicate::<Pos>().rewind::<Pos>(secs(1.5));
        },
        ".rewind::<Pos>(1.5s): the window must be above 0 and at most 1s"
    );
    refused!(
        Unasked,
        |m| {
            m.replicate::<Pos>().systems(|seen: Seen<Pos>| assert_eq!(seen.picture(Seat(1)), Picture::PRESENT));
        },
        "below::registration::Pos is used by the rules but not registered: add .rewind::<..>(..)"
    );
    game!(Fine, "fine", |m| {
        m.rewind::<Pos>(secs(1.0)).replicate::<(Pos, Place)>().rewind::<Place>(secs(0.1));
    });
    assert!(GameDef::new::<Fine>().unwrap().schema().rewind, "clients are asked for what they saw");
    game!(Plain, "plain", |m| {
        m.replicate::<Pos>();
    });
    assert!(!GameDef::new::<Plain>().unwrap().schema().rewind);
}

/// A component that only an owner sees.
#[derive(Component, Replicate)]
#[replicate(id = 9, to = owner)]
struct Purse(u8);

/// A component that is compared only in every third tick.
#[derive(Component, Replicate)]
#[replicate(id = 8, every = 3)]
struct Mood(u8);

fn drift(mut all: Query<&mut Pos>) {
    all.iter_mut().for_each(|mut pos| pos.0 = pos.0.wrapping_add(1));
}
fn reads_state(mut all: Query<(&Vel, &mut Pos)>) {
    all.iter_mut().for_each(|(vel, mut pos)| pos.0 += vel.0);
}
fn writes_state(mut all: Query<&mut Vel>) {
    all.iter_mut().for_each(|mut vel| vel.0 += 1);
}
fn looks_for_state(mut all: Query<(Option<&Vel>, &mut Pos)>) {
    all.iter_mut().for_each(|(vel, mut pos)| pos.0 += u8::from(vel.is_some()));
}
fn has_state(mut all: Query<(Has<Vel>, &mut Pos)>) {
    all.iter_mut().for_each(|(has, mut pos)| pos.0 += u8::from(has));
}
fn filters_by_state(mut all: Query<&mut Pos, Without<Vel>>) {
    all.iter_mut().for_each(|mut pos| pos.0 += 1);
}
fn reads_a_team(mut all: Query<(&Team, &mut Pos)>) {
    all.iter_mut().for_each(|(team, mut pos)| pos.0 += team.0);
}
fn reads_weather(weather: Res<Weather>, mut all: Query<&mut Pos>) {
    all.iter_mut().for_each(|mut pos| pos.0 += weather.0);
}
fn reads_the_rng(rng: Res<MatchRng>, mut all: Query<&mut Pos>) {
    all.iter_mut().for_each(|mut pos| pos.0 += rng.get_word_pos() as u8);
}
fn writes_intents(mut all: Query<&mut Intent<Pad>>) {
    all.iter_mut().for_each(|mut intent| intent.0 = Pad {});
}
fn looks_past_avatars(mut all: Query<&mut Pos, Without<Intent<Pad>>>) {
    all.iter_mut().for_each(|mut pos| pos.0 += 1);
}
fn looks_at_everything(all: Query<bevy_ecs::world::EntityRef>) {
    assert!(all.iter().count() < 1000);
}
fn cheers(mut all: Query<&mut Mood>) {
    all.iter_mut().for_each(|mut mood| mood.0 = 1);
}

#[test]
fn predicted_systems_run_on_the_server_in_the_order_of_the_calls() {
    fn double(clock: Res<Clock>, _: Res<NoConfig>, _: Res<Teams>, mut all: Query<(&mut Pos, &Intent<Pad>), With<Seat>>) {
        assert!(clock.tick > 0);
        all.iter_mut().for_each(|(mut pos, _)| pos.0 = pos.0.wrapping_mul(2));
    }
    type Any = bevy_ecs::query::Or<(With<Seat>, Without<Seat>)>;
    fn first(mut pos: Single<&mut Pos, Any>) {
        pos.0 = pos.0.wrapping_add(10);
    }
    game!(Fine, "fine", |m| {
        m.replicate::<Pos>().on_join(|seat, w| w.spawn_avatar(seat, Pos(0)));
        m.systems(drift).predicted((double, first)).systems(drift).predicted(double);
    });
    let mut room = TestRoom::<Fine>::new(1).seats(1);
    room.run(1);
    assert_eq!(room.view(0).me::<Pos>().unwrap().0, (2 + 10 + 1) * 2);
}

#[test]
fn a_predicted_system_that_sees_more_than_clients_is_refused_by_name() {
    macro_rules! refused {
        ($name:ident, $system:ident, $reason:literal) => {
            game!($name, "guess", |m| {
                m.replicate::<(Pos, Mood)>().state::<Vel>().resource(Weather(1)).predicted((drift, $system));
            });
            let reason = $reason.replace("{here}", "below::registration");
            let system = concat!("below::registration::", stringify!($system));
            let help = "replicate what it needs, or add it with .systems(..) instead";
            assert_eq!(error::<$name>(), format!("guess: {system} cannot be predicted, because {reason}: {help}"));
        };
    }
    refused!(A, reads_state, "it reads {here}::Vel, which clients do not have");
    refused!(B, writes_state, "it writes {here}::Vel, which clients do not have");
    refused!(C, looks_for_state, "it reads {here}::Vel, which clients do not have");
    refused!(D, has_state, "it reads {here}::Vel, which clients do not have");
    refused!(E, filters_by_state, "it reads {here}::Vel, which clients do not have");
    refused!(F, reads_a_team, "it reads tickcast::sim::resources::Team, which clients do not have");
    refused!(G, reads_weather, "it reads {here}::Weather, which clients do not have");
    refused!(H, reads_the_rng, "it reads tickcast::sim::resources::MatchRng, which clients do not have");
    refused!(I, writes_intents, "it writes tickcast::sim::resources::Intent<{here}::Pad>, which only the server sets");
    refused!(J, cheers, "it writes {here}::Mood, which is not compared in every tick");
    refused!(
        L,
        looks_past_avatars,
        "it looks for entities without tickcast::sim::resources::Intent<{here}::Pad>, which clients have on their own avatar alone"
    );
    refused!(K, looks_at_everything, "it looks at all components of an entity, but clients have only those that are replicated");
}

#[test]
fn a_game_that_steps_on_input_has_nothing_that_needs_every_tick() {
    macro_rules! refused {
        ($name:ident, $with:literal, $build:expr) => {
            game!($name, "rests", $build);
            let expected = format!("rests: .steps_on_input() cannot go with {}, which needs every tick", $with);
            assert_eq!(error::<$name>(), expected);
        };
    }
    refused!(Predicts, ".predicted(..)", |m| {
        m.steps_on_input().replicate::<Pos>().predicted(|_: Query<&mut Pos>| {});
    });
    refused!(Rewinds, ".rewind::<..>(..)", |m| {
        m.replicate::<Pos>().rewind::<Pos>(secs(0.2)).steps_on_input();
    });
    refused!(Grids, ".interest(..)", |m| {
        m.steps_on_input().replicate::<Place>().interest(Grid::<Place>::cells(8.0));
    });
    refused!(Seldom, "#[replicate(every = ..)]", |m| {
        m.steps_on_input().replicate::<Mood>();
    });
    game!(Waits, "waits", |m| {
        m.systems(|mut deadline: ResMut<Deadline>| deadline.by(10));
    });
    assert!(error::<Waits>().ends_with("not registered: add .steps_on_input()"), "{}", error::<Waits>());
}
