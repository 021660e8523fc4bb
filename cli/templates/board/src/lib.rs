//! The rules of My game: four in a row for two.
//!
//! This crate knows no network. A match depends on nothing but its seed and its commands, so keep to the rules of determinism in
//! Tickcast's guide: no clock but `Clock`, no random numbers but `MatchRng`.

use tickcast::prelude::*;

/// The size of the board.
const COLUMNS: u8 = 7;
const ROWS: u8 = 6;
/// How many stones of one player in a row win.
const GOAL: u8 = 4;
/// The time for a turn, in seconds. A player who takes longer loses the turn.
const THINKING: f32 = 30.0;

/// The stones, row by row from the bottom: the seat of the player whose stone it is, or 0.
#[derive(Component, Replicate, Clone)]
#[replicate(id = 1)]
pub struct Board {
    /// All places of the board.
    pub stones: [u8; 42],
}

/// Whose turn it is.
#[derive(Component, Replicate)]
#[replicate(id = 2)]
pub struct Turn {
    /// The seat of the player.
    pub of: u8,
    /// The tick in which the time for the turn is over.
    pub ends: u32,
}

/// A player lets a stone fall.
#[derive(GameCommand)]
#[command(id = 1)]
pub struct Place {
    /// The column, from 0.
    pub column: u8,
}

/// A stone has fallen.
#[derive(GameEvent)]
#[event(id = 1)]
pub struct Placed {
    /// The seat of its player.
    pub seat: u8,
    /// Where it is.
    pub column: u8,
    /// Where it is, from the bottom.
    pub row: u8,
}

/// There is nothing to hold in this game: players send commands.
#[derive(GameInput, Clone, Default)]
pub struct Pad {}

/// The game, as a server hosts it.
pub struct Rules;

impl Game for Rules {
    const NAME: &'static str = "my-game";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.steps_on_input()
            .tick_rate(10)
            .seats(2..=2)
            .replicate::<(Board, Turn)>()
            .command::<Place>()
            .event::<Placed>()
            .on_join(join)
            .systems((place, time_out))
            .finish_when(finish)
            .bot::<Opponent>()
            .fill(2);
    }
}

impl Board {
    /// Returns the player of a stone, 0 if there is none, or if this is no place of the board.
    pub fn at(&self, column: i8, row: i8) -> u8 {
        let within = |value: i8, size: u8| u8::try_from(value).ok().filter(|value| *value < size);
        match (within(column, COLUMNS), within(row, ROWS)) {
            (Some(column), Some(row)) => self.stones[usize::from(row * COLUMNS + column)],
            _ => 0,
        }
    }

    /// Lets a stone fall, and returns its row. `None` if there is no such column, or if it is full.
    pub fn drop(&mut self, seat: u8, column: u8) -> Option<u8> {
        let free = |row: &u8| self.stones[usize::from(row * COLUMNS + column)] == 0;
        let row = (column < COLUMNS).then(|| (0..ROWS).find(free))??;
        self.stones[usize::from(row * COLUMNS + column)] = seat;
        Some(row)
    }

    /// Returns the player who has enough stones in a row.
    pub fn winner(&self) -> Option<u8> {
        let ways = [(1, 0), (0, 1), (1, 1), (1, -1)];
        let places =
            (0..ROWS as i8).flat_map(|row| (0..COLUMNS as i8).map(move |column| (column, row)));
        let mut lines = places.flat_map(|place| ways.map(|way| (place, way)));
        let whole = |((column, row), (x, y)): ((i8, i8), (i8, i8))| {
            let first = self.at(column, row);
            let same = (1..GOAL as i8).all(|k| self.at(column + k * x, row + k * y) == first);
            (first != 0 && same).then_some(first)
        };
        lines.find_map(whole)
    }

    fn count(&self) -> usize {
        self.stones.iter().filter(|seat| **seat != 0).count()
    }
}

fn join(seat: Seat, world: &mut World) {
    let clock = world.resource::<Clock>();
    let ends = clock.tick + clock.ticks(THINKING);
    if world.query::<&Board>().iter(world).next().is_none() {
        world.spawn((Board { stones: [0; 42] }, Turn { of: 1, ends }));
    }
    world.spawn_avatar(seat, ());
}

fn place(
    clock: Res<Clock>,
    places: Received<Place>,
    table: Single<(&mut Board, &mut Turn)>,
    mut placed: Emit<Placed>,
) {
    let (mut board, mut turn) = table.into_inner();
    for (seat, Place { column }) in places.iter() {
        if turn.of != seat.0 || board.winner().is_some() {
            continue;
        }
        if let Some(row) = board.drop(seat.0, *column) {
            *turn = next(&clock, seat.0);
            let (seat, column) = (seat.0, *column);
            placed.everyone(Placed { seat, column, row });
        }
    }
}

/// Gives the turn to the other player once its time is over.
fn time_out(clock: Res<Clock>, mut deadline: ResMut<Deadline>, mut turn: Single<&mut Turn>) {
    if clock.tick >= turn.ends {
        **turn = next(&clock, turn.of);
    }
    deadline.by(turn.ends);
}

/// Returns the turn after that of a player.
fn next(clock: &Clock, seat: u8) -> Turn {
    Turn {
        of: 3 - seat,
        ends: clock.tick + clock.ticks(THINKING),
    }
}

fn finish(boards: Query<&Board>) -> Option<Outcome> {
    let board = boards.iter().next()?;
    let won = board.winner().map(|seat| Outcome::winner(Seat(seat)));
    won.or_else(|| (board.count() == board.stones.len()).then(Outcome::draw))
}

/// A bot that wins where it can, defends where it must, and else takes any column.
#[derive(Default, Serialize, Deserialize)]
pub struct Opponent {
    /// The number of stones that it has answered.
    answered: Option<usize>,
}

impl Bot<Rules> for Opponent {
    fn think(&mut self, _: &View<'_>, _: &mut MatchRng) -> Pad {
        Pad {}
    }

    fn command(&mut self, view: &View<'_>, rng: &mut MatchRng, commands: &mut BotCommands) {
        let seat = view.seat().0;
        let mine = view.iter::<Turn>().any(|(_, turn)| turn.of == seat);
        let Some((_, board)) = view.iter::<Board>().next().filter(|_| mine) else {
            return;
        };
        // A command acts in the next step, and until then it is still the bot's turn.
        if self.answered.replace(board.count()) == Some(board.count()) {
            return;
        }
        let wins = |seat: u8| {
            (0..COLUMNS).find(|column| {
                let mut after = board.clone();
                after.drop(seat, *column).is_some() && after.winner() == Some(seat)
            })
        };
        let free: Vec<u8> = (0..COLUMNS)
            .filter(|column| board.clone().drop(seat, *column).is_some())
            .collect();
        let column = wins(seat)
            .or_else(|| wins(3 - seat))
            .or_else(|| free.choose(rng).copied());
        if let Some(column) = column {
            commands.send(&Place { column });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(test: &TestRoom<Rules>) -> Board {
        test.view(0).iter::<Board>().next().unwrap().1
    }

    /// Lets a player's stone fall.
    fn place(test: &mut TestRoom<Rules>, player: usize, column: u8) {
        test.command(player, &Place { column });
        test.run(2);
    }

    #[test]
    fn four_stones_in_a_row_win() {
        let mut test = TestRoom::<Rules>::new(7).seats(2);
        test.run(1);
        for column in 0..3 {
            place(&mut test, 0, column);
            place(&mut test, 1, column);
        }
        assert_eq!(test.outcome(), None);
        place(&mut test, 0, 3);
        assert_eq!(test.outcome(), Some(&Outcome::winner(Seat(1))));
        assert_eq!(test.events::<Placed>(1).len(), 7);
    }

    #[test]
    fn stones_out_of_turn_or_in_no_column_do_nothing() {
        let mut test = TestRoom::<Rules>::new(7).seats(2);
        test.run(1);
        place(&mut test, 1, 3);
        place(&mut test, 0, COLUMNS);
        assert_eq!(board(&test).count(), 0);
        for _ in 0..3 {
            place(&mut test, 0, 3);
            place(&mut test, 1, 3);
        }
        place(&mut test, 0, 3);
        assert_eq!(board(&test).count(), 6, "the column is full");
    }

    #[test]
    fn a_player_who_thinks_for_too_long_loses_the_turn() {
        let mut test = TestRoom::<Rules>::new(7).seats(2);
        test.run(1);
        test.run(10 * THINKING as u32);
        place(&mut test, 0, 3);
        assert_eq!(board(&test).count(), 0);
        place(&mut test, 1, 3);
        assert_eq!(board(&test).at(3, 0), 2);
    }

    #[test]
    fn bots_play_to_the_end() {
        let mut test = TestRoom::<Rules>::new(7).bots();
        test.run(10 * 60);
        assert!(test.outcome().is_some());
    }
}
