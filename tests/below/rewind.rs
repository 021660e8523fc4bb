//! The past as seats saw it, against a plain record of what was sent, and the bounds of what a client may claim to have seen.

use std::{collections::BTreeMap, f32::consts::TAU};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};
use tickcast::{
    prelude::*,
    protocol::{Columns, InputHead, encode_input},
    room::Room,
};

const HZ: u16 = 20;
/// The window of the game, in ticks.
const WINDOW: f32 = 6.0;
/// How much older and newer than an acknowledged tick a picture may be, in ticks.
const BEFORE_ACKNOWLEDGED: f32 = 3.0;
const BEYOND_ACKNOWLEDGED: u32 = 5;

#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq)]
#[replicate(id = 1)]
struct Tag(u32);

/// Has columns that are interpolated in each way.
#[derive(Component, Replicate, Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[replicate(id = 2)]
struct Mark {
    #[q(step = 0.03125)]
    at: Vec2,
    #[q(angle = 1024)]
    turn: f32,
    kind: u8,
}

#[derive(GameInput, Clone, Default)]
struct Look {
    watch: bool,
    #[one_shot]
    shoot: bool,
}

/// The places that seats saw, by tick, seat and tag, and how many ticks ago it was.
#[derive(Resource, Default, Serialize, Deserialize)]
struct Noted(Vec<(u32, Seat, f32, BTreeMap<u32, Mark>)>);

/// A shot, with the picture of its shooter.
#[derive(Component, Serialize, Deserialize)]
struct Shot(Picture);

struct Gallery;

impl Game for Gallery {
    const NAME: &'static str = "gallery";
    type Input = Look;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(HZ)
            .seats(1..=4)
            .replicate::<(Tag, Mark)>()
            .rewind::<Mark>(secs(0.3))
            .state::<Shot>()
            .resource(Noted::default())
            .on_join(|seat, world| world.spawn_avatar(seat, (Tag(u32::from(seat.0)), mark(0.0, 0.0))))
            .systems((drift, shoot, watch));
    }
}

fn mark(x: f32, turn: f32) -> Mark {
    Mark { at: Vec2::new(x, -x), turn, kind: 0 }
}

/// Every mark moves by less than a step or by many, turns, and changes its kind.
fn drift(mut all: Query<(&Tag, &mut Mark)>) {
    for (tag, mut mark) in &mut all {
        let pace = 0.01 + (tag.0 % 5) as f32 * 0.37;
        mark.at += Vec2::new(pace, -2.0 * pace);
        mark.turn = (mark.turn + pace).rem_euclid(TAU);
        mark.kind = mark.kind.wrapping_add(1);
    }
}

fn shoot(mut commands: Commands, gunners: Query<(&Seat, &Intent<Look>)>, seen: Seen<Mark>) {
    for (seat, _) in gunners.iter().filter(|(_, intent)| intent.shoot) {
        commands.spawn((*seat, Shot(seen.picture(*seat))));
    }
}

fn watch(
    clock: Res<Clock>, watchers: Query<(&Seat, &Intent<Look>)>, shots: Query<(&Seat, &Shot)>, seen: Seen<Mark>,
    all: Query<(Entity, &Tag)>, mut noted: ResMut<Noted>,
) {
    let watching = watchers.iter().filter(|(_, intent)| intent.watch).map(|(seat, _)| (*seat, seen.picture(*seat)));
    for (seat, picture) in watching.chain(shots.iter().map(|(seat, shot)| (*seat, shot.0))) {
        let marks = all.iter().filter_map(|(entity, tag)| Some((tag.0, seen.at(picture, entity)?)));
        noted.0.push((clock.tick, seat, picture.ticks(), marks.collect()));
    }
}

fn gallery(players: usize) -> TestRoom<Gallery> {
    let mut test = TestRoom::new(7).seats(players);
    test.run(u32::from(HZ));
    test
}

fn watching() -> Look {
    Look { watch: true, shoot: false }
}

/// How many ticks behind a seat saw the others in the newest tick.
fn newest(test: &mut TestRoom<Gallery>) -> f32 {
    let now = test.room().current_tick().0;
    let noted = test.world().resource::<Noted>().0.last().expect("somebody watches");
    assert_eq!(noted.0, now);
    noted.2
}

/// The sent place of every entity, by tick and tag.
type Sent = BTreeMap<u32, BTreeMap<u32, Mark>>;

fn record(test: &TestRoom<Gallery>, sent: &mut Sent) {
    let view = test.view(0);
    let marks = view.iter::<Tag>().filter_map(|(id, tag)| Some((tag.0, view.get::<Mark>(id)?)));
    sent.insert(view.tick().0, marks.collect());
}

/// The place that a client draws at a moment between two ticks, by the record.
fn drawn(sent: &Sent, tag: u32, moment: f32) -> Option<Mark> {
    let (tick, part) = (moment.floor(), moment.fract());
    let from = *sent.get(&(tick as u32))?.get(&tag)?;
    let Some(to) = sent.get(&(tick as u32 + 1)).and_then(|marks| marks.get(&tag)) else { return Some(from) };
    let way = (to.turn - from.turn + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
    Some(Mark { at: from.at.lerp(to.at, part), turn: (from.turn + way * part).rem_euclid(TAU), kind: from.kind })
}

fn is_alike(one: Mark, other: Mark) -> bool {
    let turned = (one.turn - other.turn + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
    // Half a step of rounding.
    let gap = (one.at - other.at).abs().max_element();
    gap <= 0.5 / 32.0 + 1e-4 && turned.abs() <= 0.5 * TAU / 1024.0 + 1e-4 && one.kind == other.kind
}

/// Lets entities come and go, and gives and takes marks.
fn stir(test: &mut TestRoom<Gallery>, rng: &mut ChaCha8Rng, next: &mut u32) {
    let world = test.world();
    let mut all = world.query_filtered::<(Entity, Has<Mark>), (With<Tag>, Without<Intent<Look>>)>();
    let all: Vec<(Entity, bool)> = all.iter(world).collect();
    let Some(&(entity, marked)) = all.choose(rng) else {
        *next += 1;
        world.spawn((Tag(*next), mark(*next as f32, 6.0)));
        return;
    };
    match rng.random_range(0..8) {
        0 => assert!(world.despawn(entity)),
        1 | 2 if all.len() < 12 => {
            *next += 1;
            world.spawn((Tag(*next), mark(rng.random_range(-9.0..9.0), 6.0)));
        }
        3 if marked => drop(world.entity_mut(entity).remove::<Mark>()),
        3 => drop(world.entity_mut(entity).insert(mark(rng.random_range(-9.0..9.0), 3.0))),
        4 if marked => world.get_mut::<Mark>(entity).unwrap().at = Vec2::splat(rng.random_range(-9.0..9.0)),
        _ => {}
    }
}

#[test]
fn a_seat_sees_what_its_client_drew() {
    let (mut test, mut sent, mut next) = (gallery(2), Sent::new(), 100);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (mut compared, mut between) = (0, 0);
    for _ in 0..1500 {
        record(&test, &mut sent);
        stir(&mut test, &mut rng, &mut next);
        let claim = rng.random_range(0..60) as f32 / 8.0;
        test.press_behind(1, watching(), claim);
        test.run(1);
        record(&test, &mut sent);
        let noted = test.world().resource_mut::<Noted>().0.pop().unwrap();
        let (tick, seat, behind, seen) = noted;
        // The newest tick acknowledged is the one before.
        assert_eq!((seat, behind), (Seat(2), claim.min(1.0 + BEFORE_ACKNOWLEDGED)), "a claim of {claim}");
        let tags: Vec<u32> = sent.values().flat_map(|marks| marks.keys().copied()).collect();
        for tag in tags {
            // Entities that are gone cannot be looked at.
            if !has_tag(&mut test, tag) {
                assert_eq!(seen.get(&tag), None, "{tag} in tick {tick}");
                continue;
            }
            let expected = drawn(&sent, tag, tick as f32 - behind);
            let is_right = match (seen.get(&tag), expected) {
                (Some(seen), Some(expected)) => is_alike(*seen, expected),
                (seen, expected) => seen.is_none() && expected.is_none(),
            };
            assert!(is_right, "{tag} in tick {tick}, {behind} behind: {:?} instead of {expected:?}", seen.get(&tag));
            (compared, between) = (compared + 1, between + u32::from(behind.fract() > 0.0));
        }
        sent.retain(|sent, _| *sent + 10 > tick);
    }
    assert!(compared > 50_000 && between > 10_000, "{compared}, {between}");
}

fn has_tag(test: &mut TestRoom<Gallery>, tag: u32) -> bool {
    let world = test.world();
    world.query::<&Tag>().iter(world).any(|known| known.0 == tag)
}

#[test]
fn a_claim_holds_as_long_as_its_input() {
    let mut test = gallery(2);
    test.press_behind(1, watching(), 2.5);
    for _ in 0..10 {
        test.run(1);
        assert_eq!(newest(&mut test), 2.5);
    }
    test.press(1, watching());
    test.run(1);
    assert_eq!(newest(&mut test), 0.0, "a client that says nothing sees the present");
}

#[test]
fn what_flies_keeps_the_picture_of_its_shooter() {
    let mut test = gallery(2);
    test.press_behind(1, Look { watch: false, shoot: true }, 3.25);
    test.run(1);
    test.press_behind(1, Look::default(), 1.0);
    for _ in 0..10 {
        test.run(1);
        assert_eq!(newest(&mut test), 3.25);
    }
}

/// Sends an input of player 1 for a tick, with an acknowledgement of another.
fn send(test: &mut TestRoom<Gallery>, seq: u32, tick: u32, ack: u32, behind: f32) {
    let mut columns = vec![0; Look::WIDTH];
    watching().quantise(&mut columns);
    let head = InputHead { ack: ack as u16, seq, tick: Tick(tick), behind: Some((behind * 8.0) as u16) };
    let mut bytes = Vec::new();
    encode_input(&mut bytes, head, &columns);
    let seat = test.seat(1);
    test.room().handle(seat, &bytes).unwrap();
}

#[test]
fn a_picture_is_hardly_newer_than_what_was_acknowledged() {
    let mut test = gallery(2);
    test.sleep(1);
    let held = test.mirror(1).tick().0;
    test.run(8);
    let now = test.room().current_tick().0;
    send(&mut test, 1, now + 1, held, 1.5);
    test.run(1);
    assert_eq!(newest(&mut test), (now + 1 - held - BEYOND_ACKNOWLEDGED) as f32, "it has seen nothing since {held}");
}

#[test]
fn a_picture_is_hardly_older_than_what_was_acknowledged() {
    let mut test = gallery(2);
    let held = test.mirror(1).tick().0;
    send(&mut test, 1, held + 1, held, 100.0);
    test.run(1);
    assert_eq!(newest(&mut test), 1.0 + BEFORE_ACKNOWLEDGED);
}

#[test]
fn a_picture_is_not_older_than_the_window() {
    let mut test = gallery(2);
    test.sleep(1);
    let held = test.mirror(1).tick().0;
    test.run(10);
    let now = test.room().current_tick().0;
    for (seq, claim) in [(1, 12.0), (2, 8000.0)] {
        send(&mut test, seq, now + seq, held, claim);
        test.run(1);
        assert_eq!(newest(&mut test), WINDOW, "a claim of {claim}");
    }
    // An input for a later tick has no older picture either.
    let now = test.room().current_tick().0;
    send(&mut test, 3, now + 15, held, 20.0);
    test.run(15);
    assert_eq!(newest(&mut test), WINDOW);
}

#[test]
fn a_client_that_acknowledges_nothing_sees_the_present() {
    let mut test = TestRoom::<Gallery>::new(7).seats(1);
    let late = test.join();
    assert_eq!(late, 1);
    test.sleep(1);
    test.run(10);
    send(&mut test, 1, 11, 0, 3.0);
    test.run(1);
    assert_eq!(newest(&mut test), 0.0);
}

#[test]
fn a_late_input_acts_on_the_picture_that_it_meant() {
    let mut test = gallery(2);
    test.sleep(1);
    let held = test.mirror(1).tick().0;
    test.run(2);
    send(&mut test, 1, held + 1, held, 2.0);
    test.run(1);
    assert_eq!(newest(&mut test), 4.0, "it acts two ticks late");
    test.run(1);
    assert_eq!(newest(&mut test), 2.0, "and the next ticks are not late");
}

#[test]
fn another_player_in_the_seat_inherits_no_picture() {
    let mut test = gallery(2);
    test.press_behind(1, watching(), 3.0);
    test.run(2);
    test.leave(1);
    test.run(1);
    let player = test.join();
    assert_eq!(test.seat(player), Seat(2));
    test.run(5);
    test.press(player, watching());
    test.run(1);
    assert_eq!(newest(&mut test), 0.0);
}

#[test]
fn a_restored_match_remembers_what_seats_saw() {
    let mut test = gallery(2);
    for entity in 0..3 {
        test.world().spawn((Tag(50 + entity), mark(3.0, 0.0)));
    }
    test.press_behind(0, Look { watch: true, shoot: true }, 3.5);
    test.press_behind(1, watching(), 2.0);
    test.run(3);
    let saved = test.room().save();
    let mut again = Room::restore(test.room().def(), &saved).unwrap();
    assert_eq!(again.save(), saved);
    assert_eq!(again.checksum(), test.room().checksum());
    for player in 0..2 {
        again.enter(test.seat(player), None).unwrap();
    }
    for tick in 0..12 {
        drop(again.tick());
        test.run(1);
        assert_eq!(again.checksum(), test.room().checksum(), "{tick} ticks after the restore");
    }
}

#[test]
fn the_past_takes_no_more_memory_than_the_window_needs() {
    let size = |ticks: u32| {
        let mut test = gallery(1);
        for tick in 0..ticks {
            // Something comes, moves and goes all the time.
            let entity = test.world().spawn((Tag(1000), mark(tick as f32, 0.0))).id();
            test.run(3);
            test.world().despawn(entity);
        }
        test.room().save().len()
    };
    // Larger numbers have more digits.
    let (early, late) = (size(100), size(1000));
    assert!(late < early * 3 / 2, "{early} bytes, and {late} later");
}
