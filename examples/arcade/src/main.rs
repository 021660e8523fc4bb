//! The server that hosts every bundled game and its web page.

use std::{env, path::PathBuf};

use arena::Arena;
use scribble::Scribble;
use swarm::Swarm;
use tactics::Tactics;
use tickcast::{game::RulesModule, matchmaking::Mode, net::Page, prelude::*, server::ServerBuilder};

// Defines `PAGES` and `CLIENT_BUNDLE`. The build script writes these files.
include!(concat!(env!("OUT_DIR"), "/pages.rs"));

// Defines `ARENA_RULES`: the module by which clients predict, plain and compressed, or why there is none.
include!(concat!(env!("OUT_DIR"), "/modules.rs"));

fn main() -> anyhow::Result<()> {
    let pages = PAGES.map(|(path, content_type, bytes)| Page { path: path.into(), content_type, bytes: bytes.into() });
    let mut server = tickcast::server()
        .game::<Arena>()
        .mode::<Arena>("default", Mode::free_for_all(2..=16))
        .mode::<Arena>("2v2", two_on_two())
        .game::<Scribble>()
        .mode::<Scribble>("default", Mode::free_for_all(3..=12).bots_after(secs(20.0)).backfill())
        .game::<Swarm>()
        .game::<Tactics>()
        .mode::<Tactics>("duel", one_on_one())
        .pages(pages);
    if let Some(bundle) = CLIENT_BUNDLE {
        server = server.client_bundle(bundle);
    }
    if let Some(site) = documentation() {
        server = server.page_folder_at("/docs", site);
    }
    with_rules(server, ARENA_RULES).run()
}

/// Adds the module by which clients predict arena, or says why there is none.
fn with_rules(server: ServerBuilder, rules: Result<(&'static [u8], Option<&'static [u8]>), &str>) -> ServerBuilder {
    match rules {
        Ok((module, None)) => server.rules::<Arena>(module),
        Ok((module, Some(brotli))) => server.rules::<Arena>(RulesModule::from(module).brotli(brotli)),
        Err(reason) => server.without_rules::<Arena>(reason),
    }
}

/// Returns the documentation site that `.ci/docs-site` has built beside this program: `target/site` for `target/release/arcade`.
fn documentation() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    let site = program.parent()?.with_file_name("site");
    site.join("index.html").is_file().then_some(site)
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

/// Returns a rated mode for two players of similar skill, each a team: whoever leaves has lost. A bot fills in after 45 seconds.
fn one_on_one() -> Mode {
    Mode::teams(2)
        .of(1..=1)
        .skill([(secs(0.0), 200.0), (secs(15.0), 500.0), (secs(45.0), f64::INFINITY)])
        .bots_after(secs(45.0))
        .rated()
}
