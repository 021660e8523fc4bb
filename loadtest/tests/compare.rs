//! `loadtest compare` from its command line to its JSON, with servers that really run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn compare(more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["compare", "--clients", "6", "--rooms", "2", "--hz", "20", "--seconds", "1", "--warmup", "0.3"])
        .args(["--repeats", "1", "--json"])
        .args(more)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

fn comparison(more: &[&str]) -> (i32, Value) {
    let output = compare(more);
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no comparison, but {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), value)
}

fn within(value: &Value, low: f64, high: f64) {
    let number = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!((low..=high).contains(&number), "{number} is not in {low}..={high}");
}

fn plays_along(row: &Value) {
    assert_eq!((&row["seated"], &row["not_run"]), (&json!(6), &json!(null)), "{row}");
    // Twenty per second, and fewer on a busy machine.
    within(&row["frames_per_client_s"], 1.0, 25.0);
    // A client that is late reads several frames at once.
    within(&row["gap_ms"]["max"], 1.0, 60_000.0);
    within(&row["cpu_us_per_frame"], 0.0, 1e6);
    within(&row["rss_mb"], 1.0, 400.0);
    assert!(row["version"].is_string(), "{row}");
}

#[test]
fn floor_limit_and_tickcast_are_measured_side_by_side() {
    let (code, value) = comparison(&["--only", "floor,limit,tickcast"]);
    plays_along(&value["floor"]);
    plays_along(&value["limit"]);
    plays_along(&value["tickcast"]);
    // The floor's frames have the size of Tickcast's: a head, three ids and six differences.
    let bytes = value["tickcast"]["bytes_per_frame"].as_f64().unwrap();
    within(&value["tickcast"]["bytes_per_frame"], 45.0, 70.0);
    within(&value["floor"]["bytes_per_frame"], bytes - 0.6, bytes + 0.6);
    within(&value["limit"]["bytes_per_frame"], bytes - 0.6, bytes + 0.6);
    assert_eq!(value["socketio"]["not_run"], json!("left out by --only"));
    assert_eq!(code, 0, "{value}");
}

#[test]
fn the_floor_alone_has_a_reason_and_no_figures() {
    let (code, value) = comparison(&["--only", "floor"]);
    let why = value["floor"]["not_run"].as_str().unwrap();
    assert!(why.contains("the size of Tickcast's"), "{why}");
    assert_eq!(code, 1);
}

/// Needs the packages of `loadtest/peers`, which `loadtest compare` installs on its first run.
#[test]
fn the_peers_on_node_are_measured() {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    for (peer, bytes) in [("socketio", 40.0), ("colyseus", 20.0)] {
        if !peers.join(peer).join("node_modules").is_dir() {
            eprintln!("skipped: {peer} is not installed");
            continue;
        }
        let (_, value) = comparison(&["--only", peer]);
        plays_along(&value[peer]);
        within(&value[peer]["bytes_per_frame"], bytes, 80.0);
    }
}

#[test]
fn an_impossible_scenario_is_refused() {
    for (scenario, sentence) in [
        (["--clients", "6", "--rooms", "7"], "6 clients cannot fill 7 rooms"),
        (["--clients", "600", "--rooms", "2"], "take at least 3 rooms"),
        (["--clients", "6", "--hz", "0"], "0 is not in 1..=128"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_loadtest")).arg("compare").args(scenario).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(sentence), "{said}");
    }
}
