//! Runs the program, and what it makes.

#![allow(dead_code, reason = "each test needs some of it")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// An empty folder for a test, below the folder for the build.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tickcast-cli").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

pub fn tickcast(within: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tickcast")).current_dir(within).args(args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Cargo's folder of the repository.
pub fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// Runs a command in a game, with what the repository has built.
pub fn run(game: &Path, program: &str, args: &[&str]) {
    let status = Command::new(program).args(args).current_dir(game).env("CARGO_TARGET_DIR", target()).status().unwrap();
    assert!(status.success(), "{program} {}", args.join(" "));
}
