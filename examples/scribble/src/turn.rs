//! The course of a match: turns, in each of which one player chooses a word, draws it, and everybody sees it in the end.

use tickcast::prelude::*;

use crate::{
    Board, Choose, Draw, Ending, Hint, Offer, Phase, Refusal, Refused, Score, ScribbleConfig, Secret,
    ink::decode,
    sheet::{InkFault, Sheet},
    words::{self, LONGEST},
};

/// The least number of players that begin a match.
pub(crate) const LEAST: u8 = 3;
/// The least number of players that go on with it.
const FEWEST: usize = 2;
/// The time to choose a word, in seconds. Then the first word counts.
const CHOOSE: f32 = 15.0;
/// The time in which a drawer must begin to draw, in seconds.
const IDLE: f32 = 20.0;
/// The same for one who has not even chosen.
const ABSENT: f32 = 8.0;
/// The time for which everybody sees the word, in seconds.
const REVEAL: f32 = 5.0;
/// The time for which a match that has begun waits for players, in seconds.
const PATIENCE: f32 = 45.0;
const COVERED: u8 = b'_';

/// What only the server knows of the turn.
#[derive(Resource, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) phase: Phase,
    ending: Ending,
    number: u16,
    round: u8,
    pub(crate) drawer: Option<Seat>,
    offer: [u16; 3],
    pub(crate) word: u16,
    hint: [u8; LONGEST],
    /// The ticks in which a letter is uncovered, the next one last.
    hints: Vec<u32>,
    /// The tick in which drawing began, and the one in which the phase ends.
    pub(crate) began: u32,
    pub(crate) ends: u32,
    /// The tick by which the drawer must have drawn something. 0 once that has happened.
    idle: u32,
    /// The words that were offered.
    used: Vec<u16>,
    is_over: bool,
}

/// What only the server knows of a player.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Player {
    /// The rounds in which they have drawn.
    drawn: u8,
    /// The tick from which they may say something again.
    pub(crate) ready: u32,
}

type Everybody<'w, 's> = Query<'w, 's, (&'static Seat, &'static mut Player, &'static mut Score)>;

impl Turn {
    /// Returns whether a player knows the word that is drawn.
    pub(crate) fn knows(&self, seat: Seat, score: &Score) -> bool {
        self.drawer == Some(seat) || score.found > 0
    }

    /// Shows the word, and gives the drawer their share: what the others got on average.
    fn reveal(&mut self, ending: Ending, clock: &Clock, all: &mut Everybody) {
        (self.phase, self.ending) = (Phase::Reveal, ending);
        self.ends = clock.tick + clock.ticks(REVEAL);
        self.hint = words::spell(words::word(self.word));
        let drawer = self.drawer;
        let (mut guessers, mut sum) = (0u32, 0);
        for (_, _, score) in all.iter().filter(|(seat, ..)| Some(**seat) != drawer) {
            guessers += 1;
            sum += u32::from(score.gained);
        }
        if let Some((_, _, mut score)) = all.iter_mut().find(|(seat, ..)| Some(**seat) == drawer) {
            let share = sum.checked_div(guessers).unwrap_or(0) as u16;
            (score.gained, score.points) = (share, score.points.saturating_add(share));
        }
    }

    /// Gives the next player in the order of seats three words.
    fn next(&mut self, clock: &Clock, config: &ScribbleConfig, all: &mut Everybody, rng: &mut MatchRng) {
        let waits = |round: u8| move |player: &Player| player.drawn < round;
        if self.round == 0 || !all.iter().any(|(_, player, _)| waits(self.round)(player)) {
            self.round += 1;
        }
        if self.round > config.rounds {
            (self.is_over, self.round) = (true, config.rounds);
            return;
        }
        let round = self.round;
        let ready = all.iter().filter(|(_, player, _)| waits(round)(player)).map(|(seat, ..)| *seat);
        self.drawer = ready.min();
        for (seat, mut player, mut score) in all.iter_mut() {
            (score.gained, score.found) = (0, 0);
            if Some(*seat) == self.drawer {
                player.drawn = round;
            }
        }
        self.number += 1;
        self.hint = [0; LONGEST];
        self.phase = Phase::Choosing;
        self.ends = clock.tick + clock.ticks(CHOOSE);
        self.offer = self.draw_words(rng);
    }

    fn draw_words(&mut self, rng: &mut MatchRng) -> [u16; 3] {
        if self.used.len() + 3 > usize::from(words::count()) {
            self.used.clear();
        }
        std::array::from_fn(|_| {
            let fresh: Vec<u16> = (0..words::count()).filter(|word| !self.used.contains(word)).collect();
            let word = fresh.choose(rng).copied().unwrap_or_default();
            self.used.push(word);
            word
        })
    }

    /// Lets the drawer draw a word.
    fn begin(&mut self, word: u16, idle: f32, clock: &Clock, config: &ScribbleConfig) {
        let ticks = clock.ticks(config.seconds.into());
        self.phase = Phase::Drawing;
        self.word = word;
        (self.began, self.ends) = (clock.tick, clock.tick + ticks);
        self.idle = clock.tick + clock.ticks(idle);
        let word = words::word(word);
        self.hint = words::spell(word).map(|letter| if letter.is_ascii_alphabetic() { COVERED } else { letter });
        // Two letters of five, from 40% to 90% of the time.
        let letters = word.bytes().filter(u8::is_ascii_alphabetic).count() as u32 * 2 / 5;
        self.hints = (0..letters).rev().map(|k| clock.tick + ticks * 2 / 5 + ticks * k / (2 * letters)).collect();
    }

    /// Uncovers a letter if it is time.
    fn uncover(&mut self, clock: &Clock, rng: &mut MatchRng) {
        if self.hints.pop_if(|due| clock.tick >= *due).is_none() {
            return;
        }
        let covered: Vec<usize> = (0..LONGEST).filter(|at| self.hint[*at] == COVERED).collect();
        if let Some(at) = covered.choose(rng) {
            self.hint[*at] = words::spell(words::word(self.word))[*at];
        }
    }
}

/// Seats a player. One who comes late still draws in this round.
pub(crate) fn join(seat: Seat, world: &mut World) {
    let drawn = world.resource::<Turn>().round.saturating_sub(1);
    world.spawn_avatar(seat, (Score::default(), Player { drawn, ready: 0 }));
}

/// Takes the drawer's word.
pub(crate) fn choose(
    chosen: Received<Choose>, mut turn: ResMut<Turn>, clock: Res<Clock>, config: Res<ScribbleConfig>, mut refused: Emit<Refused>,
) {
    for (seat, choice) in chosen.iter() {
        let word = turn.offer.get(usize::from(choice.word)).copied();
        match word.filter(|_| turn.phase == Phase::Choosing && turn.drawer == Some(seat)) {
            Some(word) => turn.begin(word, IDLE, &clock, &config),
            None => refused.to(seat, Refused { why: Refusal::NotOffered }),
        }
    }
}

/// Puts the drawer's ink on the sheet.
pub(crate) fn draw(drawn: Received<Draw>, mut turn: ResMut<Turn>, mut sheet: ResMut<Sheet>, mut refused: Emit<Refused>) {
    for (seat, draw) in drawn.iter() {
        let why = if turn.phase == Phase::Drawing && turn.drawer == Some(seat) {
            match decode(&draw.ink).map_err(InkFault::from).and_then(|ops| sheet.apply(&ops)) {
                Err(InkFault::Bad) => Some(Refusal::BadInk),
                done => {
                    turn.idle = 0;
                    done.is_err().then_some(Refusal::SheetFull)
                }
            }
        } else {
            Some(Refusal::NotDrawing)
        };
        if let Some(why) = why {
            refused.to(seat, Refused { why });
        }
    }
}

/// Goes on to the next phase when it is time.
pub(crate) fn go_on(
    clock: Res<Clock>, config: Res<ScribbleConfig>, mut turn: ResMut<Turn>, mut sheet: ResMut<Sheet>, mut all: Everybody,
    mut rng: ResMut<MatchRng>,
) {
    let players = all.iter().count();
    let is_here = all.iter().any(|(seat, ..)| Some(*seat) == turn.drawer);
    let is_due = clock.tick >= turn.ends;
    match turn.phase {
        Phase::Waiting if turn.number == 0 && players < usize::from(LEAST) => {}
        Phase::Waiting if turn.number > 0 && players < FEWEST => turn.is_over = is_due,
        Phase::Waiting => turn.next(&clock, &config, &mut all, &mut rng),
        Phase::Choosing if !is_here || players < FEWEST => turn.wait(&clock),
        Phase::Choosing if is_due => {
            let word = turn.offer[0];
            turn.begin(word, ABSENT, &clock, &config);
        }
        Phase::Drawing => {
            let searching = all.iter().filter(|(seat, _, score)| !turn.knows(**seat, score)).count();
            let ending = match () {
                () if !is_here || players < FEWEST => Some(Ending::Left),
                () if searching == 0 => Some(Ending::AllFound),
                () if is_due => Some(Ending::TimeUp),
                () if turn.idle > 0 && clock.tick >= turn.idle => Some(Ending::Idle),
                () => None,
            };
            match ending {
                Some(ending) => turn.reveal(ending, &clock, &mut all),
                None => turn.uncover(&clock, &mut rng),
            }
        }
        Phase::Reveal if is_due => {
            sheet.clear();
            turn.wait(&clock);
        }
        Phase::Choosing | Phase::Reveal => {}
    }
}

impl Turn {
    /// Waits for players; if enough are there, only until the next tick.
    fn wait(&mut self, clock: &Clock) {
        self.phase = Phase::Waiting;
        self.drawer = None;
        self.hint = [0; LONGEST];
        self.ends = clock.tick + clock.ticks(PATIENCE);
    }
}

type Avatar<'a> = (Entity, &'a Seat, Has<Offer>, Has<Secret>);

/// Shows everybody what they may know.
pub(crate) fn show(turn: Res<Turn>, mut boards: Query<(&mut Board, &mut Hint)>, avatars: Query<Avatar>, mut commands: Commands) {
    let players = avatars.iter().count();
    let needed = if turn.number == 0 { LEAST } else { FEWEST as u8 };
    let board = Board {
        phase: turn.phase,
        ending: turn.ending,
        drawer: turn.drawer.map_or(0, |seat| seat.0),
        turn: turn.number,
        round: turn.round,
        ends: if turn.phase == Phase::Waiting { 0 } else { turn.ends },
        missing: needed.saturating_sub(players as u8),
    };
    let hint = Hint { letters: turn.hint };
    match boards.iter_mut().next() {
        Some((mut shown, mut letters)) => {
            shown.set_if_neq(board);
            letters.set_if_neq(hint);
        }
        None => drop(commands.spawn((board, hint))),
    }
    for (entity, seat, has_offer, has_secret) in &avatars {
        let draws = turn.drawer == Some(*seat);
        let (may_choose, may_know) = (draws && turn.phase == Phase::Choosing, draws && turn.phase == Phase::Drawing);
        let mut avatar = commands.entity(entity);
        if may_choose && !has_offer {
            avatar.insert(Offer { words: turn.offer.map(|word| words::spell(words::word(word))) });
        } else if !may_choose && has_offer {
            avatar.remove::<Offer>();
        }
        if may_know && !has_secret {
            avatar.insert(Secret { letters: words::spell(words::word(turn.word)) });
        } else if !may_know && has_secret {
            avatar.remove::<Secret>();
        }
    }
}

/// Ends the match after the last round. Those with the most points win.
pub(crate) fn finish(turn: Res<Turn>, scores: Query<(&Seat, &Score)>) -> Option<Outcome> {
    if !turn.is_over {
        return None;
    }
    let most = scores.iter().map(|(_, score)| score.points).max().unwrap_or(0);
    let mut best: Vec<Seat> = scores.iter().filter(|(_, score)| score.points == most).map(|(seat, _)| *seat).collect();
    best.sort();
    Some(if most == 0 { Outcome::draw() } else { Outcome::winners(best) })
}
