//! Where a game's files are.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::process::Command as Task;

/// The target for which browsers need the rules.
pub(super) const WASM: &str = "wasm32-unknown-unknown";

/// A game, as `tickcast new` made it.
#[derive(Debug)]
pub(super) struct Game {
    /// The name of the game and of its crate.
    pub(super) name: String,
    /// The folder of the crate.
    pub(super) root: PathBuf,
    /// Cargo's folder for what it builds.
    target: PathBuf,
    /// The crate of the rules for browsers, if there is one and it can be built.
    pub(super) module: Option<String>,
}

impl Game {
    /// Finds the game that the current folder is in.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(super) fn find() -> anyhow::Result<Self> {
        let output = Command::new("cargo").args(["metadata", "--no-deps", "--format-version", "1"]).output();
        let output = output.context("cannot run cargo")?;
        let found = serde_json::from_slice::<Value>(&output.stdout).ok().and_then(|metadata| Self::read(&metadata));
        match found {
            Some(game) if game.web().join("package.json").is_file() => Ok(game),
            _ => bail!("there is no game here: run this in a folder that `tickcast new` has made"),
        }
    }

    /// Reads what cargo knows of a workspace.
    fn read(metadata: &Value) -> Option<Self> {
        let path = |key: &str| metadata[key].as_str().map(PathBuf::from);
        let (root, target) = (path("workspace_root")?, path("target_directory")?);
        let packages = metadata["packages"].as_array()?;
        let is_root = |package: &&Value| package["manifest_path"].as_str().map(Path::new) == Some(&root.join("Cargo.toml"));
        let name = packages.iter().find(is_root)?["name"].as_str()?.to_owned();
        let module = format!("{name}-module");
        let module = packages.iter().any(|package| package["name"] == *module).then_some(module).filter(|_| has_wasm());
        Some(Self { name, root, target, module })
    }

    /// The folder of the page.
    pub(super) fn web(&self) -> PathBuf {
        self.root.join("web")
    }

    /// The file of the types of the rules.
    pub(super) fn types(&self) -> PathBuf {
        self.web().join(format!("{}.d.ts", self.name))
    }

    /// The program that cargo builds.
    pub(super) fn program(&self) -> PathBuf {
        self.target.join("debug").join(format!("{}{}", self.name, std::env::consts::EXE_SUFFIX))
    }

    /// The folder in which cargo puts the module.
    pub(super) fn rules(&self) -> PathBuf {
        self.target.join(WASM).join("debug")
    }
}

fn has_wasm() -> bool {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", WASM]).stderr(Stdio::null()).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

/// Runs a tool, and returns whether it succeeded.
///
/// # Errors
///
/// If it cannot be run.
pub(super) async fn succeeds(tool: &str, folder: &Path, args: &[&OsStr]) -> anyhow::Result<bool> {
    let status = Task::new(tool).args(args).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true).status().await;
    Ok(status.with_context(|| format!("cannot run {tool}"))?.success())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_root_package_is_the_game() {
        let module = json!({"name": "tag-module", "manifest_path": "/tag/module/Cargo.toml"});
        let root = json!({"name": "tag", "manifest_path": "/tag/Cargo.toml"});
        let metadata = json!({"workspace_root": "/tag", "target_directory": "/t", "packages": [module, root]});
        let game = Game::read(&metadata).unwrap();
        assert_eq!((game.name.as_str(), game.types()), ("tag", PathBuf::from("/tag/web/tag.d.ts")));
        assert_eq!(game.rules(), Path::new("/t/wasm32-unknown-unknown/debug"));
        assert!(Game::read(&json!({"workspace_root": "/tag", "target_directory": "/t", "packages": []})).is_none());
    }
}
