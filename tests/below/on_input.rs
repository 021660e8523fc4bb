//! A match that steps on input rests while nothing happens, and is none the worse for it.

use proptest::prelude::*;
use tickcast::{
    game::GameDef,
    prelude::*,
    protocol::{InputHead, encode_input},
    room::{Room, SeatPlan, SeatStatus},
};

/// The ticks that a player has for a turn.
const TURN: u32 = 90;

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Turn {
    of: u8,
    ends: u32,
}

#[derive(Component, Replicate, Clone, Copy, PartialEq, Debug)]
#[replicate(id = 2)]
struct Points(u16);

#[derive(GameInput, Clone, Default)]
struct Move {
    #[one_shot]
    go: bool,
}

/// Two players take turns. Who goes gets a point, and so does the other if the time of the turn is over.
struct Duel;

impl Game for Duel {
    const NAME: &'static str = "duel";
    type Input = Move;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.steps_on_input()
            .seats(1..=2)
            .replicate::<(Turn, Points)>()
            .on_join(join)
            .systems((go, time_out))
            .finish_when(|all: Query<(&Seat, &Points)>| {
                all.iter().find(|(_, points)| points.0 > 99).map(|(seat, _)| Outcome::winner(*seat))
            })
            .spectator_delay(secs(2.0))
            .reconnect_grace(secs(10.0))
            .bot::<Goer>();
    }
}

fn join(seat: Seat, world: &mut World) {
    let tick = world.resource::<Clock>().tick;
    if world.query::<&Turn>().iter(world).next().is_none() {
        world.spawn(Turn { of: 1, ends: tick + TURN });
    }
    world.spawn_avatar(seat, Points(0));
}

fn go(clock: Res<Clock>, mut turn: Single<&mut Turn>, mut all: Query<(&Seat, &Intent<Move>, &mut Points)>) {
    for (seat, intent, mut points) in &mut all {
        if intent.go && turn.of == seat.0 {
            points.0 += 1;
            **turn = Turn { of: 3 - seat.0, ends: clock.tick + TURN };
        }
    }
}

fn time_out(
    clock: Res<Clock>, mut deadline: ResMut<Deadline>, mut turn: Single<&mut Turn>, mut all: Query<(&Seat, &mut Points)>,
) {
    if clock.tick >= turn.ends {
        **turn = Turn { of: 3 - turn.of, ends: clock.tick + TURN };
        all.iter_mut().filter(|(seat, _)| seat.0 == turn.of).for_each(|(_, mut points)| points.0 += 1);
    }
    deadline.by(turn.ends);
}

/// Goes when it is its turn.
#[derive(Default, Serialize, Deserialize)]
struct Goer;

impl Bot<Duel> for Goer {
    fn think(&mut self, view: &View<'_>, _rng: &mut MatchRng) -> Move {
        Move { go: view.iter::<Turn>().any(|(_, turn)| Seat(turn.of) == view.seat()) }
    }
}

fn points(test: &TestRoom<Duel>, player: usize) -> u16 {
    test.view(player).me::<Points>().unwrap().0
}

/// Steps until the match rests, and returns the number of steps so far.
fn settled(test: &mut TestRoom<Duel>) -> u64 {
    test.run(5);
    test.stats().ticks
}

#[test]
fn a_match_takes_no_step_while_nothing_happens() {
    let mut test = TestRoom::<Duel>::new(7).seats(2);
    let before = settled(&mut test);
    test.run(TURN - 10);
    assert_eq!(test.stats().ticks, before);
    assert_eq!(test.room().current_tick().0, TURN - 5, "its time goes on");
    test.press(0, Move { go: true });
    test.run(1);
    assert_eq!((points(&test, 0), test.stats().ticks), (1, before + 1), "an input acts in the next tick");
    assert!(settled(&mut test) <= before + 3);
}

#[test]
fn a_deadline_wakes_a_match_in_its_tick() {
    let mut test = TestRoom::<Duel>::new(7).seats(2);
    test.run(TURN - 1);
    assert_eq!(points(&test, 1), 0);
    test.run(1);
    assert_eq!((points(&test, 1), test.room().current_tick().0), (1, TURN));
    test.run(10 * TURN);
    assert_eq!((points(&test, 0), points(&test, 1)), (5, 6));
    assert!(test.stats().ticks < 50, "{} steps", test.stats().ticks);
}

#[test]
fn a_bot_answers_a_move_and_then_the_match_rests() {
    let mut test = TestRoom::<Duel>::new(7).bots();
    test.room().plan(SeatPlan::new(2).fill(2));
    test.join();
    test.run(2);
    test.press(0, Move { go: true });
    let before = settled(&mut test);
    let view = test.view(0);
    let bot = view.iter::<Points>().find(|(id, _)| view.owner(*id) != Some(view.seat())).unwrap().1;
    assert_eq!((points(&test, 0), bot), (1, Points(1)));
    test.run(TURN / 2);
    assert_eq!(test.stats().ticks, before);
}

#[test]
fn a_long_rest_is_no_stall() {
    let mut test = TestRoom::<Long>::new(7).seats(2);
    test.run(5);
    let snapshots = test.stats().snapshots;
    for _ in 0..5 {
        // Ten minutes.
        test.run(18_000);
        // One of them is far away, and acknowledges late.
        test.sleep(1);
        for _ in 0..2 {
            test.press(0, Move { go: true });
            test.run(1);
        }
        test.run(2);
        assert_eq!(test.wake(1), 2);
    }
    assert_eq!(test.view(1).iter::<Points>().map(|(_, points)| points.0).collect::<Vec<_>>(), [10, 0]);
    assert_eq!((test.stats().snapshots, test.stats().skipped), (snapshots, 0), "every frame was a diff");
    assert!(test.stats().ticks < 40, "{} steps", test.stats().ticks);
}

/// A match without a clock.
struct Long;

impl Game for Long {
    const NAME: &'static str = "long";
    type Input = Move;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.steps_on_input()
            .replicate::<Points>()
            .on_join(|seat, world| world.spawn_avatar(seat, Points(0)))
            .systems(|mut all: Query<(&Intent<Move>, &mut Points)>| {
                all.iter_mut().for_each(|(intent, mut points)| points.0 += u16::from(intent.go));
            })
            .idle_after(secs(3600.0));
    }
}

#[test]
fn an_idle_player_and_one_who_is_away_lose_their_seats_in_time() {
    let mut test = TestRoom::<Long>::new(7).seats(3);
    test.run(5);
    test.disconnect(0);
    let grace = 20 * 30;
    test.run(grace);
    assert_eq!(test.room().seats()[0].status, SeatStatus::Away);
    test.run(1);
    assert_eq!(test.room().population().players, 2);
    test.press(1, Move::default());
    test.run(3600 * 30 - 10 - grace);
    assert_eq!(test.room().population().players, 2);
    test.run(20);
    assert_eq!(test.room().population().players, 1, "one has sent an input later");
    assert!(test.stats().ticks < 40, "{} steps", test.stats().ticks);
}

#[test]
fn a_vote_is_counted_when_its_time_is_over() {
    let mut test = TestRoom::<Long>::new(7).seats(4);
    test.run(5);
    let [voter, target] = [test.seat(0), test.seat(1)];
    test.room().vote_kick(voter, target).unwrap();
    test.run(30 * 30 + 2);
    let other = test.seat(2);
    assert!(test.room().vote_kick(other, voter).is_ok(), "the first vote is not open any more");
    assert!(test.stats().ticks < 20, "{} steps", test.stats().ticks);
}

#[test]
fn spectators_see_a_move_after_the_delay() {
    let mut test = TestRoom::<Duel>::new(7).seats(2);
    test.room().open_gallery();
    test.run(61 + 5);
    let shown = test.room().gallery_snapshot().map(|frame| frame.tick());
    assert!(shown.is_some(), "the first scene is two seconds old");
    test.press(0, Move { go: true });
    test.run(1);
    let moved = test.room().current_tick();
    test.run(59);
    assert_ne!(test.room().gallery_snapshot().map(|frame| frame.tick()), Some(moved));
    let before = test.stats().ticks;
    test.run(1);
    assert!(test.room().gallery_snapshot().unwrap().tick() >= moved);
    assert!(test.stats().ticks <= before + 1);
}

#[test]
fn a_restored_match_rests_and_goes_on_as_the_saved_one() {
    let mut test = TestRoom::<Duel>::new(7).seats(2);
    test.run(40);
    let def = GameDef::new::<Duel>().unwrap();
    let mut restored = Room::restore(&def, &test.room().save()).unwrap();
    assert_eq!(restored.checksum(), test.room().checksum());
    assert_eq!(restored.current_tick(), test.room().current_tick());
    // A player who is away has 10 s to come back, and the turn ends before that.
    pass(&mut restored, TURN);
    test.run(TURN);
    assert_eq!(restored.checksum(), test.room().checksum());
}

/// Lets ticks pass as a host does.
fn pass(room: &mut Room, ticks: u32) {
    for _ in 0..ticks {
        let next = Tick(room.current_tick().0 + 1);
        if room.next_step() == Some(next) {
            room.tick();
        } else {
            room.skip_to(next);
        }
    }
}

/// An act from outside.
#[derive(Debug, Clone, Copy)]
enum Act {
    Wait(u32),
    Go { seat: u8, ahead: u32 },
    Drop(u8),
    Return(u8),
    Leave(u8),
    Come,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1u32..300).prop_map(Act::Wait),
        4 => (1u8..=2, 0u32..30).prop_map(|(seat, ahead)| Act::Go { seat, ahead }),
        1 => (1u8..=2).prop_map(Act::Drop),
        1 => (1u8..=2).prop_map(Act::Return),
        1 => (1u8..=2).prop_map(Act::Leave),
        2 => Just(Act::Come),
    ]
}

/// Does an act. Waiting is up to the caller.
fn perform(room: &mut Room, seq: u32, act: Act) {
    match act {
        Act::Wait(_) => {}
        Act::Go { seat, ahead } => {
            let tick = Tick(room.current_tick().0 + 1 + ahead);
            let mut bytes = Vec::new();
            encode_input(&mut bytes, InputHead { seq, tick, ..InputHead::default() }, &[1]);
            let _ = room.handle(Seat(seat), &bytes);
        }
        Act::Drop(seat) if is(room, seat, SeatStatus::Playing) => room.disconnect(Seat(seat)),
        Act::Return(seat) if is(room, seat, SeatStatus::Away) => drop(room.enter(Seat(seat), None)),
        Act::Leave(seat) if is(room, seat, SeatStatus::Playing) => room.leave(Seat(seat)),
        Act::Drop(_) | Act::Return(_) | Act::Leave(_) => {}
        Act::Come => {
            if let Ok(seat) = room.reserve("guest") {
                room.enter(seat, None).unwrap();
            }
        }
    }
}

/// Returns the turn and the points as seat 1 sees them, in words.
fn seen(room: &Room) -> String {
    let view = room.view(Seat(1));
    let turns: Vec<_> = view.iter::<Turn>().map(|(_, turn)| (turn.of, turn.ends)).collect();
    format!("{turns:?} {:?}", view.iter::<Points>().collect::<Vec<_>>())
}

fn is(room: &Room, seat: u8, status: SeatStatus) -> bool {
    room.seats().iter().any(|info| info.seat == Seat(seat) && info.status == status)
}

proptest! {
    #[test]
    fn a_match_that_rests_is_the_same_as_one_that_is_stepped_in_each_tick(bots: bool, acts in proptest::collection::vec(act(), 1..40)) {
        let def = GameDef::new::<Duel>().unwrap();
        let make = || {
            let mut room = Room::new(&def, None, 7).unwrap();
            room.plan(SeatPlan::new(2).fill(if bots { 2 } else { 0 }));
            let seat = room.reserve("first").unwrap();
            room.enter(seat, None).unwrap();
            room
        };
        let (mut rests, mut steps) = (make(), make());
        for (seq, act) in (1..).zip(acts) {
            perform(&mut rests, seq, act);
            perform(&mut steps, seq, act);
            let Act::Wait(ticks) = act else { continue };
            pass(&mut rests, ticks);
            (0..ticks).for_each(|_| drop(steps.tick()));
            prop_assert_eq!(seen(&rests), seen(&steps), "after {:?}", act);
            prop_assert_eq!(rests.seats(), steps.seats());
            if rests.is_over() {
                break;
            }
        }
        prop_assert!(rests.stats().ticks <= steps.stats().ticks);
        // A one-shot of the last step ends with the next one.
        rests.tick();
        steps.tick();
        // Bots number an input in each step.
        prop_assert!(bots || rests.checksum() == steps.checksum());
    }
}
