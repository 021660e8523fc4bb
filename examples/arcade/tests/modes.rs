//! Parties and ready checks with the official client, against a server in this process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use std::sync::{Arc, Mutex};

use tickcast::{host::Parties, lobby::UserId, matchmaking::Mode, prelude::*};

use support::play_with;

#[derive(GameInput, Clone, Default)]
struct Pad {
    go: bool,
}

#[derive(Component, Replicate)]
#[replicate(id = 1)]
struct Side(u8);

/// Four seats; whoever goes first wins for their team.
struct Race;

impl Game for Race {
    const NAME: &'static str = "race";
    type Input = Pad;
    type Config = NoConfig;

    fn build(m: &mut MatchBuilder<Self>) {
        m.tick_rate(20)
            .seats(2..=4)
            .replicate::<Side>()
            .on_join(|seat, w| {
                let team = w.resource::<Teams>().of(seat).map_or(0, |team| team.0);
                w.spawn_avatar(seat, Side(team))
            })
            .finish_when(|all: Query<(&Seat, &Intent<Pad>, &Side)>| {
                let (.., side) = all.iter().find(|(_, pad, _)| pad.go)?;
                Some(Outcome::winners(all.iter().filter(|(.., other)| other.0 == side.0).map(|(seat, ..)| *seat)))
            });
    }
}

/// Parties as the script says them.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<Vec<UserId>>>>);

impl Parties for Book {
    fn members(&self, user: &UserId) -> Vec<UserId> {
        self.0.lock().unwrap().iter().find(|party| party.contains(user)).cloned().unwrap_or_default()
    }
}

#[test]
fn parties_play_whole_say_that_they_are_ready_and_are_rated() {
    let book = Book::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = tickcast::serve()
        .game::<Race>()
        .mode::<Race>("2v2", Mode::teams(2).of(2..=2).rated())
        .mode::<Race>("checked", Mode::teams(2).of(2..=2).ready_check(secs(30.0)))
        .parties(book.clone());
    let server = runtime.block_on(server.start("127.0.0.1:0")).unwrap();
    play_with(&server.url(), "modes.mjs", |order| {
        let users = order.strip_prefix("party ").unwrap().split(' ');
        book.0.lock().unwrap().push(users.map(|user| UserId::parse(user).unwrap()).collect());
    });
    runtime.block_on(server.shutdown());
}
