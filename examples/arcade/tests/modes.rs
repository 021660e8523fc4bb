//! Parties and ready checks with the official client, against a server in this process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

#[path = "../../../tests/support/race.rs"]
mod race;
mod support;
#[path = "../../../tests/support/walk.rs"]
mod walk;

use tickcast::{matchmaking::Mode, prelude::*};

use race::Race;
use support::{play, play_with};

#[test]
fn parties_stay_together_confirm_and_are_rated() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = tickcast::server()
        .game::<Race>()
        .mode::<Race>("2v2", Mode::teams(2).of(2..=2).rated())
        .mode::<Race>("checked", Mode::teams(2).of(2..=2).ready_check(secs(30.0)));
    let server = runtime.block_on(server.start("127.0.0.1:0")).unwrap();
    play_with(&server.url(), "modes.mjs");
    runtime.block_on(server.shutdown());
}

#[test]
fn a_party_plays_two_on_two_in_the_arena() {
    play("arena.mjs");
}
