//! Arrays travel in components, events, commands and inputs, and are saved with the match.

use serde_json::json;
use tickcast::{game::GameDef, prelude::*, room::Room};

/// Columns of every kind.
#[derive(Component, Replicate, Debug, Clone, PartialEq)]
#[replicate(id = 1)]
struct Hand {
    cards: [u8; 3],
    #[q(step = 0.5, range = -4.0..=4.0)]
    way: [Vec2; 2],
    grid: [[bool; 2]; 2],
    suits: [Suit; 2],
}

/// A newtype of an array.
#[derive(Component, Replicate, Debug, Clone, PartialEq)]
#[replicate(id = 2, to = owner)]
struct Secret([i8; 2]);

#[derive(Choice, Debug, Clone, Copy, PartialEq, Default)]
enum Suit {
    #[default]
    Clubs,
    Hearts,
}

#[derive(GameEvent, Debug, PartialEq)]
#[event(id = 1)]
struct Dealt {
    cards: [u8; 3],
}

#[derive(GameCommand, Debug, Clone, PartialEq)]
#[command(id = 1)]
struct Swap {
    cards: [u8; 3],
    why: Text<10>,
}

#[derive(GameInput, Clone, Default)]
struct Pad {
    held: [bool; 2],
}

struct Cards;

impl Game for Cards {
    const NAME: &'static str = "cards";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.replicate::<(Hand, Secret)>().event::<Dealt>().command::<Swap>().on_join(deal).systems((swap, hold));
    }
}

fn deal(seat: Seat, world: &mut World) {
    let hand = Hand {
        cards: [seat.0, 200, 0],
        way: [Vec2::new(1.2, -9.0), Vec2::ZERO],
        grid: [[true, false], [false, true]],
        suits: [Suit::Clubs, Suit::Hearts],
    };
    world.spawn_avatar(seat, (hand, Secret([-5, 127])));
}

fn swap(swaps: Received<Swap>, mut hands: Query<(&Seat, &mut Hand)>, mut dealt: Emit<Dealt>) {
    for (seat, Swap { cards, .. }) in swaps.iter() {
        hands.iter_mut().filter(|(owner, _)| **owner == seat).for_each(|(_, mut hand)| hand.cards = *cards);
        dealt.everyone(Dealt { cards: *cards });
    }
}

fn hold(mut hands: Query<(&Intent<Pad>, &mut Hand)>) {
    for (intent, mut hand) in &mut hands {
        hand.grid[1] = intent.held;
    }
}

#[test]
fn an_array_is_seen_changed_and_saved_like_other_fields() {
    let mut test = TestRoom::<Cards>::new(7).seats(2);
    test.run(2);
    let seen = test.view(1).iter::<Hand>().next().unwrap().1;
    assert_eq!(seen.cards, [1, 200, 0]);
    assert_eq!(seen.way, [Vec2::new(1.0, -4.0), Vec2::ZERO], "each element is rounded and clamped");
    assert_eq!((seen.grid[0], seen.suits), ([true, false], [Suit::Clubs, Suit::Hearts]));
    assert_eq!(
        test.view(1).iter::<Secret>().map(|(_, secret)| secret).collect::<Vec<_>>(),
        [Secret([-5, 127])],
        "only the own one"
    );
    test.command(0, &Swap { cards: [7, 8, 255], why: Text::new("luck") });
    test.press(1, Pad { held: [true, true] });
    let mut restored = Room::restore(&GameDef::new::<Cards>().unwrap(), &test.room().save()).unwrap();
    let before = test.frame_bytes(1).len();
    test.run(1);
    assert_eq!(test.view(0).me::<Hand>().unwrap().cards, [7, 8, 255]);
    assert_eq!(test.view(0).iter::<Hand>().nth(1).unwrap().1.grid[1], [true, true]);
    assert_eq!(test.events::<Dealt>(1), [Dealt { cards: [7, 8, 255] }]);
    assert!(test.frame_bytes(1)[before] < 40, "only the elements that changed are sent: {:?}", test.frame_bytes(1));
    restored.tick();
    assert_eq!(restored.checksum(), test.room().checksum());
}

/// The fields of `Hand` in the schema. `assets/sdk/test/list.test.ts` reads rows by the same text.
#[test]
fn a_schema_describes_an_array_by_its_elements() {
    let schema = GameDef::new::<Cards>().unwrap().schema().clone();
    let fields = &serde_json::to_value(&*schema).unwrap()["components"][1]["fields"];
    let expected = json!([
        {"name": "cards", "type": "list", "length": 3, "of": {"type": "int", "min": 0, "max": 255}},
        {"name": "way", "type": "list", "length": 2, "of": {"type": "vec2", "step": 0.5, "min": -4.0, "max": 4.0}},
        {"name": "grid", "type": "list", "length": 4, "of": {"type": "bool"}},
        {"name": "suits", "type": "list", "length": 2, "of": {"type": "choice", "values": ["Clubs", "Hearts"]}},
    ]);
    assert_eq!(*fields, expected);
    let again: tickcast::protocol::Schema = serde_json::from_value(serde_json::to_value(&*schema).unwrap()).unwrap();
    assert_eq!(again.component(1).map(<[_]>::len), Some(3 + 4 + 4 + 2));
    let types = schema.to_d_ts();
    assert!(types.contains("export interface Vec2"), "{types}");
    let hand = r#"Hand: { cards: number[]; way: Vec2[]; grid: boolean[]; suits: ("Clubs" | "Hearts")[] };"#;
    assert!(types.contains(hand), "{types}");
    assert!(types.contains("Secret: number[];") && types.contains("input: { held: boolean[] };"), "{types}");
}

#[test]
fn an_array_of_too_many_columns_is_refused() {
    #[derive(Component, Replicate)]
    #[replicate(id = 1)]
    struct Board {
        cells: [[u8; 8]; 8],
    }
    struct Wide;
    impl Game for Wide {
        const NAME: &'static str = "wide";
        type Input = Pad;
        type Config = NoConfig;
        fn build(m: &mut MatchBuilder<Self>) {
            m.replicate::<Board>();
        }
    }
    let said = GameDef::new::<Wide>().err().unwrap().to_string();
    assert!(said.contains("Board has ") && said.contains("columns, but one type may have at most 52"), "{said}");
}
