//! `tickcast dev` in a crate of a game that has no page, with a stand-in for cargo: real builds take minutes.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use support::{folder, repository};

fn script(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_game_without_a_page_is_shown_in_the_playground() {
    let installed = repository().join("assets/node_modules/esbuild").is_dir();
    assert!(installed || env::var_os("CI").is_none(), "this test needs Node with npm's packages");
    if !installed {
        return;
    }
    let within = fs::canonicalize(folder("no-page")).unwrap();
    let (game, target) = (within.join("coins"), within.join("target"));
    fs::create_dir_all(game.join("src")).unwrap();
    let metadata = serde_json::json!({"target_directory": target, "packages": [{
        "name": "coins",
        "manifest_path": game.join("Cargo.toml"),
        "targets": [{"name": "coins", "kind": ["bin"]}],
        "dependencies": [{"name": "tickcast", "path": repository()}],
    }]});
    script(&within.join("bin/cargo"), &format!("[ \"$1\" != metadata ] || echo '{metadata}'"));
    // It tells its arguments, and stays until it is stopped.
    script(&target.join("debug/coins"), "echo Listening on http://127.0.0.1:7\necho \"$@\"\nexec sleep 600");
    let path = format!("{}:{}", within.join("bin").display(), env::var("PATH").unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickcast"));
    command.arg("dev").current_dir(game.join("src")).env("PATH", path).stdout(Stdio::piped());
    let mut dev = command.spawn().unwrap();
    let lines = BufReader::new(dev.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<String> = lines.skip_while(|line| !line.starts_with("Listening")).take(3).collect();
    let playground = target.join("playground");
    let expected = [
        "Listening on http://127.0.0.1:7",
        "tickcast: the playground is at http://127.0.0.1:7/#/play/coins",
        &format!("--pages {}", playground.display()),
    ];
    assert_eq!(said, expected);
    assert!(fs::read_to_string(playground.join("index.html")).unwrap().contains("id=\"app\""));
    assert!(Command::new("kill").args(["-INT", &dev.id().to_string()]).status().unwrap().success());
    assert!(dev.wait().unwrap().success());
}
