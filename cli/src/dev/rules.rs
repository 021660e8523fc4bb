//! Builds the rules: the program, the module for browsers, and their types for the page.

use std::{ffi::OsStr, fs, process::Stdio};

use anyhow::{Context, ensure};
use tokio::process::Command;

use super::{
    game::{Game, WASM, succeeds},
    say,
};

/// Builds the program and the module, and returns whether both were built.
pub(super) async fn build(game: &Game) -> anyhow::Result<bool> {
    say("builds the rules");
    let built = cargo(game, &["build"]).await? && build_module(game).await?;
    if !built {
        say("the rules were not built; the next change of them tries again");
    }
    Ok(built)
}

async fn build_module(game: &Game) -> anyhow::Result<bool> {
    match &game.module {
        Some(module) => cargo(game, &["build", "--package", module, "--target", WASM]).await,
        None => {
            say(&format!("browsers will not predict: `rustup target add {WASM}`, and start this again"));
            Ok(true)
        }
    }
}

async fn cargo(game: &Game, args: &[&str]) -> anyhow::Result<bool> {
    let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    succeeds("cargo", &game.root, &args).await
}

/// Writes the types of the rules for the page, and returns whether they have changed.
pub(super) async fn write_types(game: &Game) -> anyhow::Result<bool> {
    let program = game.program();
    let mut command = Command::new(&program);
    let output = command.args(["--print-types", &game.name]).stderr(Stdio::inherit()).kill_on_drop(true).output().await;
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(output.status.success(), "{} --print-types {} failed", program.display(), game.name);
    let file = game.types();
    if fs::read(&file).is_ok_and(|known| known == output.stdout) {
        return Ok(false);
    }
    fs::write(&file, output.stdout).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(true)
}
