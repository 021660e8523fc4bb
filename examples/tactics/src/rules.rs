//! The systems of a step, in order, and the rules for players who come and go.

use tickcast::{bevy_ecs::query::Or, prelude::*};

use crate::{
    ARMY, Course, End, Field, Figure, Ground, Journal, Refused, Table, TacticsConfig, Undoable, Unit, home,
    orders::{Battle, Orders},
    units::{index, other},
};

/// How long a seat may be empty before the other player wins, in seconds: so long somebody may take it from a bot.
const EMPTY: f32 = 20.0;

const BOTH: [Seat; 2] = [Seat(1), Seat(2)];

impl Course {
    /// Returns whether the game is under way, with both players.
    pub(crate) fn is_played(&self) -> bool {
        self.is_set_up && self.empty == [None; 2] && self.end.is_none()
    }
}

/// Gives a player an avatar, which has nothing but the team and what only this player may know.
pub(crate) fn join(seat: Seat, world: &mut World) {
    world.spawn_avatar(seat, (Team(seat.0), Undoable::default()));
    let mut course = world.resource_mut::<Course>();
    course.empty[index(seat)] = None;
    // Whoever takes a seat from a bot begins a game of their own.
    course.is_set_up = false;
}

/// Notes since when a seat is empty.
pub(crate) fn leave(seat: Seat, world: &mut World) {
    let tick = world.resource::<Clock>().tick;
    world.resource_mut::<Course>().empty[index(seat)] = Some(tick);
}

/// Lets the other player win when a seat stays empty. In a match of the queue nobody takes the seat, so it ends at once.
pub(crate) fn forfeit(clock: Res<Clock>, teams: Res<Teams>, mut course: ResMut<Course>, mut deadline: ResMut<Deadline>) {
    let patience = if teams.of(Seat(1)).is_some() { 0 } else { clock.ticks(EMPTY) };
    for seat in BOTH {
        let Some(since) = course.empty[index(seat)].filter(|since| *since > 0 && course.end.is_none()) else { continue };
        if clock.tick >= since + patience {
            course.end = Some((End::Left, Some(other(seat))));
        }
        deadline.by(since + patience);
    }
}

/// The filter for what belongs to one game.
type Set = Or<(With<Unit>, With<Table>)>;

/// Sets up the ground and both armies once both players are there.
pub(crate) fn set_up(
    clock: Res<Clock>, config: Res<TacticsConfig>, mut rng: ResMut<MatchRng>, mut course: ResMut<Course>,
    mut journal: ResMut<Journal>, old: Query<Entity, Set>, mut commands: Commands,
) {
    if course.is_set_up || course.empty != [None; 2] {
        return;
    }
    (course.is_set_up, course.end) = (true, None);
    journal.0.clear();
    old.iter().for_each(|entity| commands.entity(entity).despawn());
    course.starter = rng.random_range(1..=2);
    let time = clock.ticks(60.0 * f32::from(config.minutes));
    let table = Table { turn: course.starter, round: 1, began: clock.tick, left: [time; 2], ..Table::default() };
    commands.spawn((table, Ground::random(&mut rng)));
    for seat in BOTH {
        for (number, (kind, hex)) in (1..).zip(ARMY) {
            let (hex, stats) = (home(seat, hex), kind.stats());
            let unit = Unit { number, kind, hp: stats.hp, q: hex.q, r: hex.r, moves: stats.moves, ready: true, exposed: false };
            commands.spawn((Team(seat.0), unit));
        }
    }
}

/// Ends the game when the clock of the player whose turn it is has run out.
pub(crate) fn run_out(clock: Res<Clock>, mut course: ResMut<Course>, tables: Query<&Table>) {
    for table in tables.iter().filter(|_| course.is_played()) {
        if clock.tick >= table.runs_out() {
            course.end = Some((End::Time, Some(other(Seat(table.turn)))));
            return;
        }
    }
}

/// Obeys the commands of this step.
pub(crate) fn obey(orders: Orders, mut battle: Battle, mut avatars: Query<(&Seat, &mut Undoable)>, mut refused: Emit<Refused>) {
    for (seat, order) in orders.sorted() {
        if let Err(why) = battle.obey(seat, &order) {
            refused.to(seat, Refused { why });
        }
    }
    let undoable = battle.undoable();
    for (seat, mut count) in &mut avatars {
        count.0 = undoable.filter(|(turn, _)| turn == seat).map_or(0, |(_, moves)| moves);
    }
}

/// Has the match step again when the clock of the player whose turn it is runs out.
pub(crate) fn wait(course: Res<Course>, tables: Query<&Table>, mut deadline: ResMut<Deadline>) {
    tables.iter().filter(|_| course.is_played()).for_each(|table| deadline.by(table.runs_out()));
}

type Shown<'a> = (Entity, &'a Team, &'a Unit, Option<&'a mut Figure>);

/// Shows the units that the enemy sees, and hides the others. At the end of the game everything is shown.
pub(crate) fn show(
    config: Res<TacticsConfig>, course: Res<Course>, mut tables: Query<(&mut Table, &Ground)>, mut units: Query<Shown>,
    mut commands: Commands,
) {
    let Some((mut table, ground)) = tables.iter_mut().next() else { return };
    table.end = course.end.map_or(End::None, |(end, _)| end);
    let men = units.iter().map(|(_, team, unit, _)| unit.man(Seat(team.0))).collect();
    let field = Field { ground: *ground, men, fog: config.fog && course.end.is_none() };
    for (entity, team, unit, figure) in &mut units {
        let man = unit.man(Seat(team.0));
        let seen = Figure { side: team.0, number: unit.number, kind: unit.kind, hp: unit.hp, q: unit.q, r: unit.r };
        match figure {
            _ if !field.sees(other(man.side), &man) => drop(commands.entity(entity).remove::<Figure>()),
            Some(mut figure) => *figure = seen,
            None => drop(commands.entity(entity).insert(seen)),
        }
    }
}

/// Returns how the game ended.
pub(crate) fn finish(course: Res<Course>) -> Option<Outcome> {
    let (_, winner) = course.end?;
    Some(winner.map_or_else(Outcome::draw, Outcome::winner))
}

impl Table {
    /// Returns the tick in which the clock of the player whose turn it is runs out.
    pub fn runs_out(&self) -> u32 {
        self.began + self.left[index(Seat(self.turn))]
    }
}
