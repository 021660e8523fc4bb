//! The game in the README: a race to the east.

use tickcast::prelude::*;

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Pos {
    #[q(step = 0.03125)]
    at: Vec2,
}

#[derive(Component, Replicate)]
#[replicate(id = 2)]
struct Score(u16);

#[derive(GameInput, Clone, Default)]
pub struct Pad {
    pub dir: Dir8,
}

pub struct Race;
impl Game for Race {
    const NAME: &'static str = "race";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(30)
            .seats(1..=8)
            .replicate::<(Pos, Score)>()
            .on_join(|seat, w| w.spawn_avatar(seat, (Pos { at: Vec2::ZERO }, Score(0))))
            .predicted(run)
            .systems(score)
            .finish_when(|all: Query<(&Seat, &Score)>| {
                all.iter().find(|(_, s)| s.0 == 10).map(|(seat, _)| Outcome::winner(*seat))
            })
            .bot::<Sprinter>()
            .fill(3);
    }
}

fn run(clock: Res<Clock>, mut all: Query<(&Intent<Pad>, &mut Pos)>) {
    all.iter_mut().for_each(|(intent, mut pos)| pos.at += intent.dir.unit() * 6.0 * clock.dt);
}

fn score(mut all: Query<(&mut Pos, &mut Score)>) {
    for (mut pos, mut score) in all.iter_mut().filter(|(pos, _)| pos.at.x > 20.0) {
        pos.at.x = 0.0;
        score.0 += 1;
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Sprinter;
impl Bot<Race> for Sprinter {
    fn think(&mut self, _: &View<'_>, rng: &mut MatchRng) -> Pad {
        Pad { dir: if rng.random_bool(0.8) { Dir8::E } else { Dir8::N } }
    }
}

#[test]
fn walking_east_gets_somewhere() {
    // No server and no clock: a room in virtual time.
    let mut test = TestRoom::<Race>::new(7).seats(2);
    test.press(0, Pad { dir: Dir8::E });
    test.run(30);
    assert!(test.view(0).me::<Pos>().unwrap().at.x > 5.0);
}
