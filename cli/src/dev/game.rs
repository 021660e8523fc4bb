//! Where a game's files are.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;
use serde_json::Value;
use tokio::process::Command as Task;

/// The target for which browsers need the rules.
pub(super) const WASM: &str = "wasm32-unknown-unknown";

/// A game: a crate with a program of the same name, like those that `tickcast new` makes.
#[derive(Debug)]
pub(super) struct Game {
    /// The name of the game and of its crate.
    pub(super) name: String,
    /// The folder of the crate.
    pub(super) root: PathBuf,
    /// Cargo's folder for what it builds.
    target: PathBuf,
    /// The copy of Tickcast's repository that the game depends on, if it depends on one.
    repository: Option<PathBuf>,
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
        let current = env::current_dir().and_then(fs::canonicalize).context("cannot tell the current folder")?;
        let metadata = serde_json::from_slice::<Value>(&output.stdout).ok();
        let found = metadata.and_then(|metadata| Self::read(&metadata, &current));
        found.context("there is no game here: run this in a folder that `tickcast new` has made, or in another crate of a game")
    }

    /// Reads what cargo knows of a workspace. The game is the innermost crate around a folder that has a program of its own name and
    /// depends on Tickcast.
    fn read(metadata: &Value, current: &Path) -> Option<Self> {
        let target = metadata["target_directory"].as_str().map(PathBuf::from)?;
        let packages = metadata["packages"].as_array()?;
        let folder = |package: &Value| Some(Path::new(package["manifest_path"].as_str()?).parent()?.to_owned());
        let around = packages.iter().filter(|package| is_program(package) && tickcast(package).is_some());
        let around = around.filter_map(|package| Some((folder(package)?, package)));
        let around = around.filter(|(root, _)| current.starts_with(fs::canonicalize(root).unwrap_or_else(|_| root.clone())));
        let (root, package) = around.max_by_key(|(root, _)| root.components().count())?;
        let name = package["name"].as_str()?.to_owned();
        let repository = tickcast(package)?["path"].as_str().map(PathBuf::from);
        let module = format!("{name}-module");
        let module = packages.iter().any(|package| package["name"] == *module).then_some(module).filter(|_| has_wasm());
        Some(Self { name, root, target, repository, module })
    }

    /// Whether the game has a page of its own.
    pub(super) fn has_page(&self) -> bool {
        self.web().join("package.json").is_file()
    }

    /// The folder with the sources of the playground, if the game depends on a copy of the repository.
    pub(super) fn assets(&self) -> Option<PathBuf> {
        self.repository.as_ref().map(|folder| folder.join("assets")).filter(|assets| assets.join("web/build.mjs").is_file())
    }

    /// The folder for the playground.
    pub(super) fn playground(&self) -> PathBuf {
        self.target.join("playground")
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

/// Returns whether a package has a program of its own name.
fn is_program(package: &Value) -> bool {
    let is_own = |target: &Value| target["name"] == package["name"] && target["kind"][0] == "bin";
    package["targets"].as_array().is_some_and(|targets| targets.iter().any(is_own))
}

/// Returns the dependency of a package on Tickcast.
fn tickcast(package: &Value) -> Option<&Value> {
    package["dependencies"].as_array()?.iter().find(|dependency| dependency["name"] == "tickcast")
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

    /// A package as cargo tells of it, with a program if it has one.
    fn package(name: &str, folder: &str, kind: &str) -> Value {
        let depends = json!([{"name": "serde"}, {"name": "tickcast", "path": "/tickcast"}]);
        let targets = json!([{"name": name, "kind": ["lib"]}, {"name": name, "kind": [kind]}]);
        json!({"name": name, "manifest_path": format!("{folder}/Cargo.toml"), "targets": targets, "dependencies": depends})
    }

    #[test]
    fn the_innermost_crate_with_a_program_is_the_game() {
        let packages = json!([
            package("tag-module", "/tag/module", "cdylib"),
            package("tag", "/tag", "bin"),
            package("hide", "/tag/games/hide", "bin"),
        ]);
        let metadata = json!({"workspace_root": "/tag", "target_directory": "/t", "packages": packages});
        for (current, name) in
            [("/tag", "tag"), ("/tag/module/src", "tag"), ("/tag/games", "tag"), ("/tag/games/hide/src", "hide")]
        {
            assert_eq!(Game::read(&metadata, Path::new(current)).unwrap().name, name, "{current}");
        }
        let game = Game::read(&metadata, Path::new("/tag")).unwrap();
        assert_eq!(
            (game.types(), game.repository.as_deref()),
            (PathBuf::from("/tag/web/tag.d.ts"), Some(Path::new("/tickcast")))
        );
        assert_eq!((game.rules(), game.playground()), ("/t/wasm32-unknown-unknown/debug".into(), "/t/playground".into()));
        for elsewhere in ["/", "/tagged"] {
            assert!(Game::read(&metadata, Path::new(elsewhere)).is_none(), "{elsewhere}");
        }
    }
}
