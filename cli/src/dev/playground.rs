//! The playground: the page of Tickcast's own arcade, which shows any game by its schema.

use std::{ffi::OsStr, fs, path::Path};

use anyhow::Context;

use super::{
    game::{Game, succeeds},
    page::npm,
    say,
};

/// The name of the page in a game that has a page of its own, which is `index.html`.
const BESIDE: &str = "playground.html";

/// Builds the playground, and returns the path of its page for the game. `None` if it cannot be built: the game works without.
///
/// # Errors
///
/// If a tool cannot be run, or the page cannot be copied.
pub(super) async fn build(game: &Game) -> anyhow::Result<Option<String>> {
    let Some(assets) = game.assets() else { return Ok(None) };
    say("builds the playground");
    let installed = assets.join("node_modules").is_dir() || npm(&assets, &["ci", "--no-audit", "--no-fund"]).await?;
    let folder = game.playground();
    if !installed || !succeeds("node", &assets, &["web/build.mjs".as_ref(), folder.as_os_str()]).await? {
        say("the playground was not built");
        return Ok(None);
    }
    if game.has_page() {
        let copied = fs::copy(folder.join("index.html"), folder.join(BESIDE));
        copied.with_context(|| format!("cannot write into {}", folder.display()))?;
    }
    Ok(Some(path_to(&game.name, game.has_page())))
}

/// Returns the arguments by which the game's program serves the playground.
pub(super) fn arguments(folder: &Path) -> [&OsStr; 2] {
    [OsStr::new("--pages"), folder.as_os_str()]
}

/// Returns the path of the playground's page for a game.
fn path_to(name: &str, has_page: bool) -> String {
    format!("/{}#/play/{name}", if has_page { BESIDE } else { "" })
}
