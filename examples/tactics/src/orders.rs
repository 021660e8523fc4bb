//! What the commands of players do, one after the other in the order in which they came.

use tickcast::{bevy_ecs::system::SystemParam, prelude::*};

use crate::{
    Course, End, EndTurn, Field, Ground, Hex, Journal, Kind, Man, Move, OfferDraw, Past, Refusal, Resign, Stepped, Strike,
    Struck, Table, TacticsConfig, Undo, Unit,
    units::{index, other},
};

/// A command of any type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Moves a unit.
    Move(Move),
    /// Strikes an enemy.
    Strike(Strike),
    /// Takes a move back.
    Undo,
    /// Ends the turn.
    EndTurn,
    /// Offers a draw, or takes the other's offer.
    OfferDraw,
    /// Gives the game up.
    Resign,
}

/// The commands of this step.
#[derive(SystemParam)]
pub(crate) struct Orders<'w> {
    moves: Received<'w, Move>,
    strikes: Received<'w, Strike>,
    undos: Received<'w, Undo>,
    ends: Received<'w, EndTurn>,
    offers: Received<'w, OfferDraw>,
    resignations: Received<'w, Resign>,
}

impl Orders<'_> {
    /// Returns all of them in the order in which they came.
    pub(crate) fn sorted(&self) -> Vec<(Seat, Order)> {
        let moves = self.moves.numbered().map(|(place, seat, order)| (place, seat, Order::Move(order.clone())));
        let strikes = self.strikes.numbered().map(|(place, seat, order)| (place, seat, Order::Strike(order.clone())));
        let undos = self.undos.numbered().map(|(place, seat, _)| (place, seat, Order::Undo));
        let ends = self.ends.numbered().map(|(place, seat, _)| (place, seat, Order::EndTurn));
        let offers = self.offers.numbered().map(|(place, seat, _)| (place, seat, Order::OfferDraw));
        let resignations = self.resignations.numbered().map(|(place, seat, _)| (place, seat, Order::Resign));
        let mut all: Vec<_> = moves.chain(strikes).chain(undos).chain(ends).chain(offers).chain(resignations).collect();
        all.sort_by_key(|(place, ..)| *place);
        all.into_iter().map(|(_, seat, order)| (seat, order)).collect()
    }
}

/// The game as orders change it.
#[derive(SystemParam)]
pub(crate) struct Battle<'w, 's> {
    clock: Res<'w, Clock>,
    config: Res<'w, TacticsConfig>,
    rng: ResMut<'w, MatchRng>,
    course: ResMut<'w, Course>,
    journal: ResMut<'w, Journal>,
    tables: Query<'w, 's, (&'static mut Table, &'static Ground)>,
    units: Query<'w, 's, (Entity, &'static Team, &'static mut Unit)>,
    commands: Commands<'w, 's>,
    stepped: Emit<'w, Stepped>,
    struck: Emit<'w, Struck>,
}

impl Battle<'_, '_> {
    /// Does what a player orders, or says why not. Then nothing has changed.
    pub(crate) fn obey(&mut self, seat: Seat, order: &Order) -> Result<(), Refusal> {
        if !self.course.is_played() {
            return Err(Refusal::NotPlaying);
        }
        let turn = self.table()?.turn;
        match order {
            // These two are for both players, at any time.
            Order::Resign => self.course.end = Some((End::Resigned, Some(other(seat)))),
            Order::OfferDraw => self.offer(seat)?,
            _ if turn != seat.0 => return Err(Refusal::NotYourTurn),
            Order::Move(order) => self.go(seat, order)?,
            Order::Strike(order) => self.strike(seat, order)?,
            Order::Undo => self.undo(seat)?,
            Order::EndTurn => self.end_turn(seat)?,
        }
        Ok(())
    }

    /// Returns how many moves can be taken back, by the seat whose turn it is.
    pub(crate) fn undoable(&self) -> Option<(Seat, u8)> {
        let (table, _) = self.tables.iter().next()?;
        Some((Seat(table.turn), self.journal.0.len() as u8))
    }

    fn table(&mut self) -> Result<Mut<'_, Table>, Refusal> {
        self.tables.iter_mut().next().map(|(table, _)| table).ok_or(Refusal::NotPlaying)
    }

    fn field(&self) -> Result<Field, Refusal> {
        let (_, ground) = self.tables.iter().next().ok_or(Refusal::NotPlaying)?;
        // A unit that fell in this step is despawned at its end.
        let standing = self.units.iter().filter(|(.., unit)| unit.hp > 0);
        let men = standing.map(|(_, team, unit)| unit.man(Seat(team.0))).collect();
        Ok(Field { ground: *ground, men, fog: self.config.fog })
    }

    fn unit(&mut self, seat: Seat, number: u8) -> Result<(Entity, Mut<'_, Unit>), Refusal> {
        let mut units = self.units.iter_mut();
        let own = units.find(|(_, team, unit)| team.0 == seat.0 && unit.number == number && unit.hp > 0);
        own.map(|(entity, _, unit)| (entity, unit)).ok_or(Refusal::NoSuchUnit)
    }

    /// Moves a unit step by step, up to the first one that shows an enemy.
    fn go(&mut self, seat: Seat, order: &Move) -> Result<(), Refusal> {
        let before = *self.unit(seat, order.unit)?.1;
        if !before.ready {
            return Err(Refusal::Spent);
        }
        let mut field = self.field()?;
        // The way leads through what the player cannot know of.
        let reach = field.known_to(seat).reach(before.hex(), before.moves);
        let path = reach.path(Hex::at(order.q, order.r)).ok_or(Refusal::OutOfReach)?;
        let was_seen = field.sees(other(seat), &before.man(seat));
        let met = field.seen_by(seat);
        let (mut man, mut has_shown) = (before.man(seat), false);
        for hex in path {
            man.hex = hex;
            field.men.iter_mut().filter(|other| other.side == seat && other.number == man.number).for_each(|held| *held = man);
            let is_seen = field.sees(other(seat), &man);
            let step = Stepped { side: seat.0, number: man.number, q: hex.q, r: hex.r };
            if is_seen {
                self.stepped.everyone(step)
            } else {
                self.stepped.to(seat, step)
            }
            let has_met = field.seen_by(seat) & !met != 0;
            has_shown |= has_met || is_seen != was_seen;
            if has_met {
                break;
            }
        }
        let left = reach.left(man.hex).expect("it is on the way");
        let (_, mut unit) = self.unit(seat, order.unit)?;
        (unit.q, unit.r, unit.moves) = (man.hex.q, man.hex.r, left);
        match has_shown {
            true => self.journal.0.clear(),
            false => self.journal.0.push(Past { number: before.number, hex: before.hex(), moves: before.moves }),
        }
        Ok(())
    }

    fn undo(&mut self, seat: Seat) -> Result<(), Refusal> {
        let past = self.journal.0.pop().ok_or(Refusal::NothingToUndo)?;
        let (_, mut unit) = self.unit(seat, past.number)?;
        (unit.q, unit.r, unit.moves) = (past.hex.q, past.hex.r, past.moves);
        Ok(())
    }

    fn strike(&mut self, seat: Seat, order: &Strike) -> Result<(), Refusal> {
        let unit = *self.unit(seat, order.unit)?.1;
        if !unit.ready {
            return Err(Refusal::Spent);
        }
        let field = self.field()?;
        // The answer is the same for a unit that hides, for one that has fallen, and for one that never was.
        let target = field.man(other(seat), order.target).filter(|man| field.sees(seat, man)).copied();
        let target = target.ok_or(Refusal::NotSeen)?;
        if !field.can_strike(unit.kind, unit.hex(), target.hex) {
            return Err(Refusal::OutOfRange);
        }
        self.journal.0.clear();
        let (_, mut striker) = self.unit(seat, order.unit)?;
        (striker.ready, striker.moves, striker.exposed) = (false, 0, true);
        let fell = self.hit(&field, &unit.man(seat), &target, false)?;
        if !fell && field.can_strike_back(&target, unit.hex()) {
            self.hit(&field, &target, &unit.man(seat), true)?;
        }
        Ok(())
    }

    /// Rolls the damage of a hit. Returns whether the unit fell.
    fn hit(&mut self, field: &Field, striker: &Man, target: &Man, back: bool) -> Result<bool, Refusal> {
        let [least, most] = striker.kind.stats().damage;
        let cover = field.ground.get(target.hex).map_or(0, crate::Terrain::cover);
        let damage = self.rng.random_range(least..=most).saturating_sub(cover).max(1);
        let (entity, mut unit) = self.unit(target.side, target.number)?;
        unit.hp = unit.hp.saturating_sub(damage);
        let fell = unit.hp == 0;
        self.struck.everyone(Struck { side: striker.side.0, number: striker.number, target: target.number, damage, fell, back });
        if fell {
            self.commands.entity(entity).despawn();
            if target.kind == Kind::Captain {
                self.course.end = Some((End::Captain, Some(striker.side)));
            }
        }
        Ok(fell)
    }

    fn offer(&mut self, seat: Seat) -> Result<(), Refusal> {
        let mut table = self.table()?;
        if table.offer == other(seat).0 {
            self.course.end = Some((End::Agreed, None));
        } else {
            table.offer = seat.0;
        }
        Ok(())
    }

    fn end_turn(&mut self, seat: Seat) -> Result<(), Refusal> {
        let (now, gain) = (self.clock.tick, self.clock.ticks(self.config.increment.into()));
        let (rounds, next) = (self.config.rounds, other(seat));
        let is_next_round = next.0 == self.course.starter;
        let mut table = self.table()?;
        let spent = now - table.began;
        let left = &mut table.left[index(seat)];
        *left = left.saturating_sub(spent) + gain;
        (table.turn, table.began) = (next.0, now);
        table.offer = if table.offer == seat.0 { seat.0 } else { 0 };
        if is_next_round && table.round >= rounds {
            self.course.end = Some((End::Rounds, None));
            return Ok(());
        }
        table.round += u8::from(is_next_round);
        self.journal.0.clear();
        for (_, _, mut unit) in self.units.iter_mut().filter(|(_, team, _)| team.0 == next.0) {
            (unit.moves, unit.ready, unit.exposed) = (unit.kind.stats().moves, true, false);
        }
        Ok(())
    }
}

impl Unit {
    /// Returns the unit as others meet it.
    pub(crate) fn man(&self, side: Seat) -> Man {
        Man { side, number: self.number, kind: self.kind, hp: self.hp, hex: self.hex(), exposed: self.exposed }
    }
}

impl Field {
    /// Returns the numbers of the enemies that a side sees, as bits.
    fn seen_by(&self, side: Seat) -> u32 {
        let seen = self.men.iter().filter(|man| man.side != side && self.sees(side, man));
        seen.fold(0, |bits, man| bits | 1 << man.number)
    }

    fn can_strike_back(&self, man: &Man, at: Hex) -> bool {
        man.hex.distance(at) == 1 && self.can_strike(man.kind, man.hex, at)
    }
}
