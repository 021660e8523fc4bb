//! The scenario `flaky`, against the server that it starts itself. It waits long where the machine may be busy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

use std::process::{Command, Output};

use serde_json::{Value, json};

fn loadtest(args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_loadtest")).args(args).env("RUST_BACKTRACE", "0").output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn twelve_clients_lose_nothing(transport: &str) {
    let more = ["--clients", "12", "--seconds", "1", "--seed", "3", "--json", "--transport", transport];
    let (code, report, said) = loadtest(&[&["run", "--scenario", "flaky"], &more[..]].concat());
    let report: Value = serde_json::from_str(&report).unwrap_or_else(|_| panic!("no report, but {said}"));
    assert_eq!((code, &report["in_a_match"], &report["errors_total"]), (Some(0), &json!(12), &json!(0)), "{report} {said}");
    assert_eq!(report["failures"], json!([]), "{said}");
    assert!(report["deaths"].as_u64().unwrap() >= 12 && report["reconnections"].as_u64().unwrap() >= 12, "{report}");
    assert!(report["match_p95_s"].as_f64() >= report["match_p50_s"].as_f64(), "{report}");
    assert_eq!(report["transport"], transport);
}

#[test]
fn clients_with_websockets_lose_nothing() {
    twelve_clients_lose_nothing("websocket");
}

#[test]
fn clients_that_poll_lose_nothing() {
    twelve_clients_lose_nothing("polling");
}

#[test]
fn clients_that_upgrade_lose_nothing() {
    twelve_clients_lose_nothing("upgrade");
}

#[test]
fn clients_that_change_their_transport_lose_nothing() {
    twelve_clients_lose_nothing("mixed");
}

#[test]
fn a_run_that_cannot_end_well_does_not_begin() {
    let (code, _, said) = loadtest(&["run", "--scenario", "flaky", "--clients", "10"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("take a multiple of 4"), "{said}");
    let (code, _, said) = loadtest(&["serve-flaky", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("not a loopback address"), "{said}");
}
