//! For random matches on a grid and random loss, each mirror holds after each tick what a plain rule says, and no more.

use crate::field::*;
use proptest::{collection::vec, prelude::*};
use tickcast::{prelude::*, protocol::Replicate};

/// One thing that rules, or the network, may do. `which` picks an entity, `player` a player.
#[derive(Debug, Clone)]
enum Act {
    Spawn { at: Option<(i8, i8)>, owner: Option<u8>, team: Option<u8> },
    Despawn { which: usize },
    Walk { which: usize, by: (i8, i8) },
    Jump { which: usize, to: Option<(i8, i8)> },
    Steer { player: usize, by: (i8, i8) },
    Own { which: usize, owner: Option<u8> },
    Side { which: usize, team: Option<u8> },
    Blip { which: usize, blip: Option<u8> },
    Coins { which: usize, coins: Option<u8> },
    Heal { which: usize, hp: Option<u8> },
    Feel { which: usize, mood: Option<u8> },
    Lose { player: usize, frames: u32 },
    Drop { player: usize },
    Resume { player: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let which = || 0..1000usize;
    let player = || 0..3usize;
    let seat = || proptest::option::of(1..4u8);
    let team = || proptest::option::of(0..2u8);
    let place = || (-20..20i8, -20..20i8);
    let value = || any::<Option<u8>>();
    prop_oneof![
        6 => (proptest::option::of(place()), seat(), team()).prop_map(|(at, owner, team)| Act::Spawn { at, owner, team }),
        2 => which().prop_map(|which| Act::Despawn { which }),
        9 => (which(), (-6..6i8, -6..6i8)).prop_map(|(which, by)| Act::Walk { which, by }),
        2 => (which(), proptest::option::of(place())).prop_map(|(which, to)| Act::Jump { which, to }),
        5 => (player(), (-9..9i8, -9..9i8)).prop_map(|(player, by)| Act::Steer { player, by }),
        2 => (which(), seat()).prop_map(|(which, owner)| Act::Own { which, owner }),
        2 => (which(), team()).prop_map(|(which, team)| Act::Side { which, team }),
        2 => (which(), value()).prop_map(|(which, blip)| Act::Blip { which, blip }),
        2 => (which(), value()).prop_map(|(which, coins)| Act::Coins { which, coins }),
        3 => (which(), value()).prop_map(|(which, hp)| Act::Heal { which, hp }),
        3 => (which(), value()).prop_map(|(which, mood)| Act::Feel { which, mood }),
        2 => (player(), 1..6u32).prop_map(|(player, frames)| Act::Lose { player, frames }),
        1 => player().prop_map(|player| Act::Drop { player }),
        2 => player().prop_map(|player| Act::Resume { player }),
    ]
}

/// A match and the tags of what the acts spawned. Avatars are not among them: they have the seats' numbers.
struct Scene<const FAR: u32, const BUDGET: usize> {
    table: TestRoom<Field<FAR, BUDGET>>,
    alive: Vec<u32>,
    next: u32,
    away: [bool; 3],
    /// They lost their mood in this tick. One put back at once would be told at once.
    calmed: Vec<u32>,
}

impl<const FAR: u32, const BUDGET: usize> Scene<FAR, BUDGET> {
    fn new() -> Self {
        let mut table = TestRoom::new(1).seats(3);
        table.run(1);
        (1..4).for_each(|seat| put(&mut table, seat, seat as f32 * 9.0 - 20.0, 0.0));
        table.world().spawn(Tag(0));
        table.run(1);
        Self { table, alive: Vec::new(), next: 100, away: [false; 3], calmed: Vec::new() }
    }

    fn perform(&mut self, act: &Act) {
        match *act {
            Act::Spawn { at, owner, team } => {
                let tag = self.next;
                self.next += 1;
                self.alive.push(tag);
                let mut entity = self.table.world().spawn(Tag(tag));
                at.map(|at| entity.insert(Pos { hits: 0, at: place(at) }).id());
                owner.map(|owner| entity.insert((Seat(owner), Purse { tag, coins: 1 })).id());
                team.map(|team| entity.insert((Team(team), Radar { tag, blip: 1 })).id());
            }
            Act::Lose { player, frames } => self.table.drop_next(player, frames),
            Act::Drop { player } if !self.away[player] => {
                self.table.disconnect(player);
                self.away[player] = true;
            }
            Act::Resume { player } if self.away[player] => {
                self.table.resume(player).unwrap();
                self.away[player] = false;
            }
            Act::Drop { .. } | Act::Resume { .. } => {}
            Act::Steer { player, by } => {
                let avatar = entity(&mut self.table, player as u32 + 1);
                self.table.world().get_mut::<Pos>(avatar).unwrap().at += place(by) / 3.0;
            }
            Act::Despawn { which }
            | Act::Walk { which, .. }
            | Act::Jump { which, .. }
            | Act::Own { which, .. }
            | Act::Side { which, .. }
            | Act::Blip { which, .. }
            | Act::Coins { which, .. }
            | Act::Heal { which, .. }
            | Act::Feel { which, .. } => {
                if !self.alive.is_empty() {
                    let at = which % self.alive.len();
                    self.change(at, act);
                }
            }
        }
    }

    fn change(&mut self, at: usize, act: &Act) {
        let tag = self.alive[at];
        let entity = entity(&mut self.table, tag);
        let world = self.table.world();
        if let Act::Despawn { .. } = act {
            self.alive.remove(at);
            world.despawn(entity);
            return;
        }
        let mut entity = world.entity_mut(entity);
        let id = match *act {
            Act::Walk { by, .. } => {
                entity.get_mut::<Pos>().into_iter().for_each(|mut pos| pos.at += place(by) / 4.0);
                entity.id()
            }
            Act::Jump { to: Some(to), .. } => entity.insert(Pos { hits: 1, at: place(to) }).id(),
            Act::Jump { to: None, .. } => entity.remove::<Pos>().id(),
            Act::Own { owner: Some(owner), .. } => entity.insert(Seat(owner)).id(),
            Act::Own { owner: None, .. } => entity.remove::<Seat>().id(),
            Act::Side { team: Some(team), .. } => entity.insert(Team(team)).id(),
            Act::Side { team: None, .. } => entity.remove::<Team>().id(),
            Act::Blip { blip: Some(blip), .. } => entity.insert(Radar { tag, blip }).id(),
            Act::Blip { blip: None, .. } => entity.remove::<Radar>().id(),
            Act::Coins { coins: Some(coins), .. } => entity.insert(Purse { tag, coins }).id(),
            Act::Coins { coins: None, .. } => entity.remove::<Purse>().id(),
            Act::Heal { hp: Some(hp), .. } => entity.insert(Hp(hp)).id(),
            Act::Heal { hp: None, .. } => entity.remove::<Hp>().id(),
            Act::Feel { mood: Some(mood), .. } if !self.calmed.contains(&tag) => entity.insert(Mood(mood)).id(),
            Act::Feel { mood: None, .. } => {
                self.calmed.push(tag);
                entity.remove::<Mood>().id()
            }
            _ => entity.id(),
        };
        assert_eq!(world.get::<Tag>(id), Some(&Tag(tag)));
    }

    /// Compares the mirror of a connected player in step with what it should hold.
    fn compare(&mut self, rule: &Rule, player: usize) -> Option<(State, State)> {
        let now = self.table.room().current_tick();
        if self.away[player] || self.table.mirror(player).tick() != now {
            return None;
        }
        let seat = self.table.seat(player);
        let expected = rule.seen(self.table.world(), seat, seat.0 % 2);
        Some((held(&mut self.table, player), expected))
    }
}

fn place((x, y): (i8, i8)) -> Vec2 {
    Vec2::new(f32::from(x), f32::from(y))
}

type Script = Vec<Vec<Act>>;

fn script() -> impl Strategy<Value = Script> {
    vec(vec(act(), 0..7), 1..70)
}

/// Frames are left out while nothing changes, so that a mirror in step may be some ticks behind.
fn keep_frames_coming<const FAR: u32, const BUDGET: usize>(table: &mut TestRoom<Field<FAR, BUDGET>>) {
    let entity = entity(table, 0);
    let world = table.world();
    let hp = world.get::<Hp>(entity).map_or(0, |hp| hp.0);
    world.entity_mut(entity).insert(Hp(hp.wrapping_add(1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 100 } else { 2000 }))]

    #[test]
    fn a_mirror_holds_exactly_its_view(script in script()) {
        let mut scene = Scene::<0, 0>::new();
        let mut rule = Rule::of(1);
        let mut compared = 0;
        rule.step(scene.table.world());
        for acts in &script {
            scene.calmed.clear();
            acts.iter().for_each(|act| scene.perform(act));
            keep_frames_coming(&mut scene.table);
            scene.table.run(1);
            rule.step(scene.table.world());
            for player in 0..3 {
                if let Some((held, expected)) = scene.compare(&rule, player) {
                    let tick = scene.table.room().current_tick();
                    prop_assert_eq!(held, expected, "player {} tick {}", player, tick);
                    compared += 1;
                }
            }
        }
        prop_assert!(compared > 0 || script.len() < 40);
    }

    #[test]
    fn a_far_entity_is_late_but_never_wrong_for_long(script in script()) {
        const FAR: u32 = 4;
        let mut scene = Scene::<FAR, 0>::new();
        let mut rule = Rule::of(2);
        rule.step(scene.table.world());
        let all_seen = |rule: &Rule, world: &mut World| [1, 2, 3].map(|seat| rule.seen(world, Seat(seat), seat % 2));
        let mut past: Vec<[State; 3]> = vec![all_seen(&rule, scene.table.world())];
        for acts in &script {
            scene.calmed.clear();
            acts.iter().for_each(|act| scene.perform(act));
            keep_frames_coming(&mut scene.table);
            scene.table.run(1);
            rule.step(scene.table.world());
            past.push(all_seen(&rule, scene.table.world()));
            for player in 0..3 {
                let Some((held, expected)) = scene.compare(&rule, player) else { continue };
                prop_assert!(held.keys().eq(expected.keys()), "{held:?} {expected:?}");
                for (tag, parts) in &held {
                    let is_near = rule.ring(*tag, player as u8 + 1).is_none_or(|ring| ring <= 1);
                    let lately = past.iter().rev().take(if is_near { 1 } else { FAR as usize });
                    for (component, columns) in parts {
                        let mut values = lately.clone().filter_map(|seen| seen[player].get(tag)?.get(component));
                        prop_assert!(values.any(|value| value == columns), "tag {} component {}", tag, component);
                    }
                    prop_assert!(parts.keys().eq(expected[tag].keys()));
                }
            }
        }
    }

    #[test]
    fn under_a_budget_a_mirror_is_late_but_gets_there(script in script()) {
        let mut scene = Scene::<0, 60>::new();
        let mut rule = Rule::of(1);
        rule.step(scene.table.world());
        for acts in &script {
            scene.calmed.clear();
            acts.iter().for_each(|act| scene.perform(act));
            scene.table.run(1);
            rule.step(scene.table.world());
            for player in 0..3 {
                let Some((held, expected)) = scene.compare(&rule, player) else { continue };
                for (tag, parts) in &held {
                    let known = expected.get(tag);
                    prop_assert!(known.is_some(), "player {} holds {}, which it should not", player, tag);
                    let known = known.unwrap();
                    prop_assert!(parts.keys().all(|component| known.contains_key(component)));
                    for component in [Radar::ID, Purse::ID] {
                        prop_assert_eq!(parts.get(&component), known.get(&component));
                    }
                }
            }
        }
        (0..3).for_each(|player| scene.perform(&Act::Resume { player }));
        (0..3).for_each(|player| scene.table.drop_next(player, 0));
        for _ in 0..60 {
            scene.table.run(1);
            rule.step(scene.table.world());
        }
        keep_frames_coming(&mut scene.table);
        scene.table.run(1);
        rule.step(scene.table.world());
        for player in 0..3 {
            let (held, expected) = scene.compare(&rule, player).expect("in step by now");
            prop_assert_eq!(held, expected);
        }
    }
}
