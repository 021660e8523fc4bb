//! Checks the texts that the `arcade` binary prints about a game: its schema, and its types for TypeScript.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Output},
};

use support::Server;

/// The games whose views import their types from `types.d.ts`.
const VIEWS: [&str; 4] = ["arena", "scribble", "swarm", "tactics"];

/// Runs the binary with an option. The address is in use, so that a server could not start.
fn run(option: &str, game: &str, listen: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_arcade")).args(["--listen", listen, option, game]).output().unwrap()
}

/// Returns the text that an option prints about a game.
fn printed(option: &str, game: &str, listen: &str) -> String {
    let output = run(option, game, listen);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{option} logs nothing");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the body that a server sends for a path.
fn fetched(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
    body.to_owned()
}

#[test]
fn the_types_in_the_views_are_up_to_date() {
    for game in VIEWS {
        let file = format!("examples/{game}/view/types.d.ts");
        let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&file)).unwrap();
        let printed = printed("--print-types", game, "127.0.0.1:0");
        assert!(
            kept.replace("\r\n", "\n") == printed,
            "{file} differs from the types of the game; renew it with\n  \
             cargo run -p arcade -- --print-types {game} > {file}\n\nprinted:\n{printed}\nkept:\n{kept}"
        );
    }
}

#[test]
fn schemas_and_types_are_printed_as_a_server_sends_them() {
    let server = Server::start("127.0.0.1:0");
    let schema: serde_json::Value = serde_json::from_str(&printed("--print-schema", "arena", &server.address)).unwrap();
    let sent: serde_json::Value = serde_json::from_str(&fetched(&server.address, "/schema/arena.json")).unwrap();
    assert_eq!(schema, sent);
    assert_eq!(schema["game"], "arena");
    let types = printed("--print-types", "arena", &server.address);
    assert_eq!(types, fetched(&server.address, "/schema/arena.d.ts"));
    assert!(types.contains("export"), "{types}");
}

#[test]
fn an_unknown_game_prints_an_error_and_no_text() {
    for option in ["--print-schema", "--print-types"] {
        let output = run(option, "chess", "127.0.0.1:0");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{option}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("no game is named \"chess\"; this program has: arena"), "{option}: {said}");
    }
}
