//! The server that hosts every bundled game and its web page.

use arena::Arena;
use tickcast::{matchmaking::Mode, net::Page, prelude::*};

// Defines `PAGES` and `CLIENT_BUNDLE`. The build script writes this file.
include!(concat!(env!("OUT_DIR"), "/pages.rs"));

fn main() -> anyhow::Result<()> {
    let pages = PAGES.map(|(path, content_type, bytes)| Page { path: path.into(), content_type, bytes: bytes.into() });
    let mut server = tickcast::server()
        .game::<Arena>()
        .mode::<Arena>("default", Mode::free_for_all(2..=16))
        .mode::<Arena>("2v2", two_on_two())
        .pages(pages);
    if let Some(bundle) = CLIENT_BUNDLE {
        server = server.client_bundle(bundle);
    }
    server.run()
}

/// Returns a rated mode for two teams of two players of similar skill, with a ready check. Bots fill in after 45 seconds.
fn two_on_two() -> Mode {
    Mode::teams(2)
        .of(2..=2)
        .ready_check(secs(15.0))
        .skill([(secs(0.0), 150.0), (secs(10.0), 400.0), (secs(30.0), f64::INFINITY)])
        .bots_after(secs(45.0))
        .rated()
}
