//! A client far away predicts its own seat: in step with the server, and back in step after what it could not foresee.

use std::collections::BTreeMap;

use tickcast::{
    predict::{Predictor, Told, module::Module},
    prelude::*,
    protocol::{Columns, Id, Tick},
    room::SeatPlan,
};

use crate::{remote::Remote, slide::*};

const DIRS: [Dir8; 9] = [Dir8::None, Dir8::E, Dir8::NE, Dir8::N, Dir8::NW, Dir8::W, Dir8::SW, Dir8::S, Dir8::SE];

fn remote() -> Remote<Slide> {
    Remote::new(TestRoom::new(7).seats(1), SlideConfig::default())
}

fn push(dir: Dir8) -> Push {
    Push { dir, boost: false }
}

/// The inputs of a player who changes their mind now and then, and boosts.
fn restless(tick: u32) -> Push {
    let hash = (tick / 7).wrapping_mul(2_654_435_761) >> 20;
    Push { dir: DIRS[hash as usize % 9], boost: tick % 31 == 4 }
}

/// The server's columns of the avatar's position and speed.
fn truth<G: Game>(remote: &mut Remote<G>) -> [i64; 4] {
    let avatar = remote.avatar().unwrap();
    let world = remote.table.world();
    let mut columns = [0; 4];
    world.get::<Pos>(avatar).unwrap().quantise(&mut columns[..2]);
    world.get::<Speed>(avatar).unwrap().quantise(&mut columns[2..]);
    columns
}

/// The columns of a prediction.
fn predicted(rows: &BTreeMap<u8, Vec<f64>>) -> [i64; 4] {
    let column = |component: u8, at: usize| (rows[&component][at] * 16.0).round() as i64;
    [column(1, 0), column(1, 1), column(2, 0), column(2, 1)]
}

/// Plays, and returns the ticks for which the prediction at their own time was further from the server's state than `steps`.
fn play<G: Game<Input = Push>>(remote: &mut Remote<G>, ticks: u32, steps: u64, press: impl Fn(u32) -> Push) -> Vec<u32> {
    let (mut guesses, mut wrong) = (BTreeMap::new(), Vec::new());
    for _ in 0..ticks {
        let now = remote.table.room().current_tick().0 + 1;
        let tick = remote.tick(press(now));
        if remote.mirror.avatar().is_some() && remote.avatar().is_some() {
            guesses.insert(remote.predictor.now(), predicted(&remote.predicted()));
            if let Some(guess) = guesses.remove(&tick) {
                let off = std::iter::zip(guess, truth(remote)).map(|(guess, truth)| guess.abs_diff(truth)).max().unwrap();
                wrong.extend((off > steps).then_some(tick.0));
            }
        }
    }
    wrong
}

#[test]
fn a_far_client_is_in_step_with_the_server() {
    let mut remote = remote();
    assert_eq!(play(&mut remote, 900, 1, restless), [] as [u32; 0]);
    assert_eq!(remote.corrections(), [] as [u32; 0], "one step is agreement, and the unrounded values go on");
    assert!(remote.sent.len() > 100 && remote.loads.len() > 500);
    assert_eq!(remote.predictor.component::<Fuel>().unwrap().0, 0, "boosts are one-shots");
}

#[test]
fn late_inputs_act_when_the_server_took_them() {
    let mut remote = remote();
    remote.lead = 1;
    play(&mut remote, 600, 1, restless);
    assert!(remote.table.stats().inputs_late > 50, "{:?}", remote.table.stats());
    let replayed: u32 = remote.loads.iter().map(|(_, loaded)| loaded.replayed).sum();
    assert!(replayed > 100, "{replayed}");
    // Nobody presses anything for a while, so what the client has now is what the server has, too.
    remote.lead = 5;
    play(&mut remote, 20, 1, |_| push(Dir8::None));
    assert_eq!(play(&mut remote, 100, 1, |_| push(Dir8::None)), [] as [u32; 0]);
}

#[test]
fn lost_frames_leave_a_prediction_as_it_is() {
    let mut remote = remote();
    play(&mut remote, 30, 1, restless);
    for _ in 0..10 {
        remote.lose = 3;
        assert_eq!(play(&mut remote, 40, 1, restless), [] as [u32; 0]);
    }
    assert_eq!(remote.corrections(), [] as [u32; 0]);
    assert!(remote.table.stats().missed >= 30 && remote.table.stats().merged > 5);
}

#[test]
fn a_peek_is_the_next_tick_and_changes_nothing() {
    let mut remote = remote();
    play(&mut remote, 60, 1, restless);
    let predictor = &mut remote.predictor;
    let now = predictor.now();
    let columns = |dir| {
        let mut columns = [0; Push::WIDTH];
        push(dir).quantise(&mut columns);
        columns
    };
    let mut peek = |dir| {
        let mut rows = Vec::new();
        predictor.peek(&columns(dir), &mut rows);
        rows
    };
    let (north, south) = (peek(Dir8::N), peek(Dir8::S));
    assert!(north != south && north == peek(Dir8::N));
    assert_eq!(predictor.now(), now);
    predictor.input(1_000_000, Tick(now.0 + 1), &columns(Dir8::N));
    predictor.advance(Tick(now.0 + 1));
    let mut next = Vec::new();
    predictor.read(Tick(now.0 + 1), &mut next);
    assert_eq!(next, north);
}

#[test]
fn a_gust_is_corrected_and_blended() {
    let mut remote = remote();
    play(&mut remote, 60, 1, restless);
    let avatar = remote.avatar().unwrap();
    remote.table.world().get_mut::<Speed>(avatar).unwrap().0.x += 3.0;
    let gust = remote.table.room().current_tick().0 + 1;
    let mut before = remote.predicted();
    while remote.corrections().is_empty() {
        before = remote.predicted();
        let now = remote.table.room().current_tick().0 + 1;
        remote.tick(restless(now));
    }
    assert_eq!(remote.corrections(), [gust]);
    let (_, loaded) = *remote.loads.last().unwrap();
    assert!(!loaded.is_snapped && loaded.replayed == remote.lead + remote.back - 1, "{loaded:?}");
    let errors = crate::remote::split(&remote.predictor, remote.predictor.errors());
    let last = Tick(remote.predictor.now().0 - 1);
    let after = crate::remote::rows(&remote.predictor, last);
    for (component, row) in &errors {
        for (at, error) in row.iter().enumerate() {
            assert_eq!(*error, before[component][at] - after[component][at], "the picture does not jump");
        }
    }
    assert!(errors[&1][0] < -0.4, "{errors:?}");
    assert_eq!(play(&mut remote, 100, 2, restless), [] as [u32; 0]);
}

#[test]
fn a_respawn_is_drawn_at_once() {
    let mut remote = remote();
    play(&mut remote, 60, 1, restless);
    let avatar = remote.avatar().unwrap();
    remote.table.world().get_mut::<Pos>(avatar).unwrap().0 += Vec2::new(5.0, 0.0);
    play(&mut remote, 10, 100, restless);
    let snapped: Vec<bool> = remote.loads.iter().filter(|(_, l)| l.is_corrected).map(|(_, l)| l.is_snapped).collect();
    assert_eq!(snapped, [true]);
    assert_eq!(play(&mut remote, 100, 2, restless), [] as [u32; 0]);
}

#[test]
fn components_come_and_go() {
    let mut remote = remote();
    play(&mut remote, 60, 1, restless);
    let avatar = remote.avatar().unwrap();
    remote.table.world().entity_mut(avatar).insert(Frozen);
    play(&mut remote, 10, 1000, restless);
    assert_eq!(remote.corrections().len(), 1);
    let frozen = remote.predicted();
    assert_eq!(play(&mut remote, 30, 1, restless), [] as [u32; 0]);
    assert_eq!(remote.predicted(), frozen);
    remote.table.world().entity_mut(avatar).remove::<Frozen>();
    play(&mut remote, 10, 1000, restless);
    assert_eq!(remote.corrections().len(), 2);
    assert_ne!(remote.predicted(), frozen);
}

#[test]
fn a_component_that_systems_only_read_corrects_nothing_while_the_prediction_holds() {
    let mut remote = remote();
    play(&mut remote, 60, 1, restless);
    // It comes to rest.
    play(&mut remote, 200, 1, |_| push(Dir8::None));
    let avatar = remote.avatar().unwrap();
    for _ in 0..3 {
        remote.table.world().entity_mut(avatar).insert(Frozen);
        play(&mut remote, 20, 1, |_| push(Dir8::None));
        remote.table.world().entity_mut(avatar).remove::<Frozen>();
        play(&mut remote, 20, 1, |_| push(Dir8::None));
    }
    assert_eq!(remote.corrections(), [] as [u32; 0]);
    remote.table.world().entity_mut(avatar).insert(Frozen);
    play(&mut remote, 20, 1000, |_| push(Dir8::E));
    assert_eq!(remote.corrections().len(), 1, "it wanted to walk");
}

#[test]
fn a_component_that_comes_seldom_is_wrong_until_it_comes() {
    let mut remote = Remote::new(TestRoom::<Gale>::new(7).seats(1), SlideConfig::default());
    play(&mut remote, 60, 1, restless);
    let avatar = remote.avatar().unwrap();
    remote.table.world().entity_mut(avatar).insert(Wind(0.0));
    assert_eq!(play(&mut remote, 60, 1, restless), [] as [u32; 0], "it comes at once, and changes nothing");
    assert_eq!(remote.corrections(), [] as [u32; 0]);
    for wind in [20.0, -20.0, 5.0] {
        remote.table.world().get_mut::<Wind>(avatar).unwrap().0 = wind;
        let changed = remote.table.room().current_tick().0 + 1;
        // Five ticks until it is sent, and the way to the client and back.
        let until_seen = 5 + remote.back + remote.lead;
        play(&mut remote, until_seen, 1000, restless);
        assert_eq!(play(&mut remote, 60, 1, restless), [] as [u32; 0]);
        let late = remote.corrections().into_iter().filter(|tick| *tick > changed + 5).count();
        assert_eq!(late, 0, "{:?} after a change in tick {changed}", remote.corrections());
    }
    assert!(!remote.corrections().is_empty());
}

#[test]
fn stones_that_a_budget_delays_leave_nothing_wrong_behind() {
    let mut remote = Remote::new(TestRoom::<Swarm>::new(7).seats(1), SlideConfig::default());
    for x in 0..60u8 {
        remote.table.world().spawn(Pos(Vec2::new(f32::from(x), 40.0)));
    }
    remote.table.run(0);
    play(&mut remote, 100, 1, restless);
    let mut waited = 0;
    for tick in 0..40u8 {
        let world = remote.table.world();
        let mut stones = world.query_filtered::<&mut Pos, Without<Score>>();
        stones.iter_mut(world).for_each(|mut stone| stone.0 = Vec2::new(stone.0.x, 20.0 - f32::from(tick)));
        play(&mut remote, 1, 1000, restless);
        let world = remote.table.world();
        let stones: Vec<i64> = stones.iter(world).map(|stone| (stone.0.y * 16.0) as i64).collect();
        let held = remote.mirror.entities().filter(|(_, rows)| rows.iter().any(|(id, row)| *id == 1 && row[1] != stones[0]));
        waited = waited.max(held.count());
    }
    assert!(waited > 20, "{waited} stones wait");
    // All that was owed is sent.
    play(&mut remote, 120, 1000, restless);
    assert_eq!(play(&mut remote, 100, 1, restless), [] as [u32; 0]);
}

#[test]
fn an_avatar_that_a_budget_had_delayed_is_in_step_soon() {
    let mut remote = Remote::new(TestRoom::<Fog>::new(7).seats(1), SlideConfig::default());
    let mut crowd = Vec::new();
    for x in 0..100u8 {
        let at = Vec2::new(8.0 + f32::from(x) / 25.0, 3.0);
        crowd.push(remote.table.world().spawn((Pos(at), Speed(Vec2::ZERO), Score(0))).id());
    }
    remote.table.run(0);
    play(&mut remote, 60, 1, restless);
    let (seat, mut old) = (remote.table.seat(0), remote.avatar().unwrap());
    for next in [crowd[70], crowd[20]] {
        remote.table.world().despawn(old);
        old = next;
        remote.table.world().entity_mut(next).insert((seat, Intent(Push::default()), Fuel(5)));
        play(&mut remote, 40, 1000, restless);
        assert!(remote.mirror.avatar().is_some());
        assert_eq!(play(&mut remote, 60, 1, restless), [] as [u32; 0]);
    }
}

#[test]
fn another_avatar_gets_the_inputs() {
    let mut remote = remote();
    play(&mut remote, 60, 1, restless);
    let avatar = remote.avatar().unwrap();
    let seat = remote.table.seat(0);
    remote.table.world().despawn(avatar);
    play(&mut remote, 10, 1000, |_| push(Dir8::E));
    assert_eq!(remote.mirror.avatar(), None);
    assert!(remote.predicted().is_empty());
    spawn(seat, remote.table.world());
    play(&mut remote, 20, 1000, |_| push(Dir8::N));
    assert_eq!(play(&mut remote, 100, 1, restless), [] as [u32; 0]);
}

#[test]
fn teams_and_the_configuration_are_those_of_the_match() {
    let config = SlideConfig { force: 33.0, gusts: 0 };
    let mut table = TestRoom::<Slide>::with_config(7, config.clone());
    table.room().plan(SeatPlan::new(4).teams(2));
    // The first seat of the room is in team 1, so the player of team 2 comes second.
    let first = table.room().reserve("Ada").unwrap();
    let mut remote = Remote::new(table.seats(1), config.clone());
    assert_eq!((first, remote.table.seat(0)), (Seat(1), Seat(2)));
    assert_eq!(play(&mut remote, 200, 1, restless), [] as [u32; 0]);
    assert_eq!(force(&config, *remote.table.world().resource::<Teams>(), Seat(2)), 16.5);
}

#[test]
fn a_grid_and_a_budget_leave_the_own_avatar_alone() {
    let mut remote = Remote::new(TestRoom::<Fog>::new(7).seats(9), SlideConfig::default());
    for x in 0..200u8 {
        remote.table.world().spawn((Pos(Vec2::new(f32::from(x) / 4.0, 3.0)), Score(0)));
    }
    remote.table.run(0);
    assert_eq!(play(&mut remote, 300, 1, restless), [] as [u32; 0]);
    assert_eq!(remote.corrections(), [] as [u32; 0]);
}

#[test]
fn other_entities_that_a_system_reads_are_those_of_the_newest_state() {
    let mut remote = Remote::new(TestRoom::<Magnets>::new(7).seats(2), SlideConfig::default());
    let stone = remote.table.world().spawn(Pos(Vec2::new(14.0, 5.0))).id();
    assert!(remote.predictor.sees_others());
    assert_eq!(play(&mut remote, 300, 1, restless), [] as [u32; 0]);
    remote.table.world().get_mut::<Pos>(stone).unwrap().0.y = -20.0;
    play(&mut remote, 20, 1000, restless);
    remote.table.world().despawn(stone);
    play(&mut remote, 20, 1000, restless);
    assert_eq!(play(&mut remote, 300, 1, restless), [] as [u32; 0]);
}

#[test]
fn others_move_even_if_the_own_prediction_was_right() {
    let mut predictor = Predictor::<Magnets>::new(Seat(1), 0, SlideConfig::default());
    let mut load = |tick, speed, stone: [i64; 2]| {
        let own = [0, 0, 1, 0, 1, 0, 0, 0, 2, speed, 0, 0, 3, 5, 0, 5, 0];
        let rows = [&own[..], &[1, 1], &stone].concat();
        let loaded = predictor.load(Told { tick: Tick(tick), ack: 0, avatar: Some(Id(0)) }, &rows);
        predictor.advance(Tick(tick + 1));
        (loaded.is_corrected, predictor.component::<Speed>().unwrap().0.y)
    };
    assert_eq!(load(10, 0, [160, 0]), (false, 0.0));
    let (is_corrected, up) = load(11, 1, [0, 160]);
    assert!(!is_corrected && up > 0.05, "{up}");
}

#[test]
fn without_a_word_from_the_server_a_prediction_stops_after_two_seconds() {
    let mut remote = remote();
    play(&mut remote, 60, 1, restless);
    let (base, now) = (remote.predictor.base(), remote.predictor.now());
    assert_eq!(remote.predictor.advance(Tick(now.0 + 10_000)), base.0 + 60 - now.0);
    assert_eq!(remote.predictor.advance(Tick(now.0 + 10_000)), 0);
    play(&mut remote, 100, 1000, restless);
    assert_eq!(play(&mut remote, 100, 1, restless), [] as [u32; 0]);
}

#[test]
fn a_reset_forgets_everything() {
    let mut remote = remote();
    play(&mut remote, 60, 1, |_| push(Dir8::E));
    remote.predictor.reset();
    assert_eq!((remote.predictor.now(), remote.predictor.advance(Tick(99))), (Tick(0), 0));
    let row = [0, 0, 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 5];
    remote.predictor.load(Told { tick: Tick(500), ack: 0, avatar: Some(Id(0)) }, &row);
    remote.predictor.advance(Tick(510));
    assert_eq!(remote.predictor.component::<Speed>(), Some(&Speed(Vec2::ZERO)), "no input is held any more");
}

#[test]
fn a_module_speaks_in_numbers() {
    let mut module = Module::<Slide>::new();
    assert_eq!((module.advance(5), module.read(5), module.describe()), (0, 0, 0), "nothing is open");
    let mut open = |text: &str| {
        let words = text.as_bytes().chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            f64::from_le_bytes(word)
        });
        let words: Vec<f64> = words.collect();
        module.buffer(words.len() as u32)[..words.len()].copy_from_slice(&words);
        module.open(1, 0, text.len() as u32)
    };
    assert_eq!(open(r#"{"wind": 3}"#), 0);
    assert_eq!(open(r#"{"force": 30.0, "gusts": 0}"#), 1);
    assert_eq!(module.describe(), 5);
    let described = module.buffer(0)[..18].to_vec();
    assert_eq!(described[..3], [30.0, 2.0, 0.0]);
    assert_eq!(described[3..], [0.0, 1.0, 0.0, 1.0, 2.0, 1.0, 2.0, 2.0, 1.0, 3.0, 1.0, 1.0, 4.0, 0.0, 0.0]);
    let row = [8.0, 0.0, 1.0, 8.0, 1.0, 160.0, 0.0, 8.0, 2.0, 0.0, 0.0, 8.0, 3.0, 5.0];
    module.buffer(64)[..row.len()].copy_from_slice(&row);
    assert_eq!(module.load(10, 0, 8, row.len() as u32), 1 << 17, "the first state is drawn at once");
    module.buffer(2)[..2].copy_from_slice(&[1.0, 0.0]);
    module.input(1, 11, 2);
    assert_eq!(module.advance(11), 11);
    assert_eq!(module.read(11), 11);
    let mut body = Body { pos: Vec2::new(10.0, 0.0), speed: Vec2::ZERO, fuel: 5, is_frozen: false };
    slide(&mut body, &push(Dir8::E), 30.0, 1.0 / 30.0);
    let expected = [8.0, 1.0, body.pos.x, body.pos.y, 8.0, 2.0, body.speed.x, body.speed.y, 8.0, 3.0, 5.0];
    assert_eq!(module.buffer(0)[..11], expected.map(f64::from));
    // The server pushed the avatar by a unit.
    let told = [8.0, 0.0, 1.0, 8.0, 1.0, 176.0, 0.0, 8.0, 2.0, 0.0, 0.0, 8.0, 3.0, 5.0];
    module.advance(12);
    module.buffer(64)[..told.len()].copy_from_slice(&told);
    let loaded = module.load(11, 0, 8, told.len() as u32);
    assert_eq!(loaded, 1 | 1 << 16, "one tick anew, and the input comes late");
    assert_eq!(module.errors(), 8, "the position and the speed");
    assert!(module.buffer(0)[2] < -0.9, "{:?}", &module.buffer(0)[..8]);
    module.buffer(64)[..3].copy_from_slice(&[f64::NAN, 7e300, -1.0]);
    module.load(12, 99, u32::MAX, 3);
    module.input(2, 1, 1);
    module.load(u32::MAX, 99, 3, u32::MAX);
    module.reset();
    assert_eq!(module.read(12), 0);
}
