//! The program from its command line to its report, against a scripted server on this machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so may its helpers")]

mod support;

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use support::{CHECK, FIRST_TICK, FakeServer, HZ, Script};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

async fn run(url: &str, more: &[&str]) -> Output {
    let times = match more.iter().any(|option| ["--seconds", "--scenario"].contains(option)) {
        true => &[][..],
        false => &["--seconds", "1", "--warmup", "0.3"],
    };
    Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["run", "--url", url, "--json"])
        .args(times)
        .args(more)
        .env("RUST_BACKTRACE", "0")
        .kill_on_drop(true)
        .output()
        .await
        .unwrap()
}

async fn play(script: Script, more: &[&str]) -> (FakeServer, i32, Value) {
    let server = FakeServer::start(script).await;
    let output = run(&format!("http://{}", server.address), &[&["--game", "toy"], more].concat()).await;
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no report, but {}", String::from_utf8_lossy(&output.stderr)));
    (server, output.status.code().unwrap(), report)
}

/// Checks a rate of one per tick. A busy machine may have a lower rate, but no machine has a much higher one.
fn within_a_second(value: &Value) {
    within(value, 0.1 * HZ as f64, 1.2 * HZ as f64);
}

fn within(value: &Value, low: f64, high: f64) {
    let number = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!((low..=high).contains(&number), "{number} is not in {low}..={high}");
}

#[tokio::test]
async fn a_clean_run_reports_what_was_sent() {
    let (server, code, report) = play(Script::default(), &["--clients", "3", "--rooms", "1"]).await;
    assert_eq!(code, 0, "{report}");
    assert_eq!((&report["clients"], &report["seated"], &report["verifying"]), (&json!(3), &json!(3), &json!(1)));
    assert_eq!((&report["desyncs"], &report["errors"], &report["errors_total"]), (&json!(0), &json!({}), &json!(0)));
    within_a_second(&report["frames_per_client_s"]);
    within(&report["gap_ms"]["p50"], 1.0, 10_000.0);
    // An array of five: three small integers and a tick in three bytes, or in five past 65,535.
    within(&report["bytes_per_frame"], 8.0, 10.0);
    within(&report["wire_bytes_per_frame"], 42.0, 46.0);
    within_a_second(&report["frames_verified"]);
    assert_eq!(report["server"], json!({"cpu_us_per_frame": null, "cpu_cores": null, "rss_mb": null}));
    let seen = server.seen.lock().unwrap();
    assert!(seen.pings > 0 && seen.pongs + 6 >= seen.pings, "{} pings, {} pongs", seen.pings, seen.pongs);
    let asked = |name: &str| seen.requests.iter().filter(|(asked, _)| asked == name).count();
    assert_eq!((asked("create"), asked("join"), asked("leave"), asked("resync")), (1, 2, 3, 0));
    assert_eq!(seen.requests.iter().find(|(name, _)| name == "create").unwrap().1, json!({"game": "toy", "private": false}));
}

#[tokio::test]
async fn rooms_are_created_with_bots_of_the_strength_asked_for() {
    let (server, code, report) = play(Script::default(), &["--clients", "3", "--rooms", "2", "--strength", "hard"]).await;
    assert_eq!(code, 0, "{report}");
    let seen = server.seen.lock().unwrap();
    let created: Vec<_> = seen.requests.iter().filter(|(name, _)| name == "create").map(|(_, argument)| argument).collect();
    assert_eq!(created, [&json!({"game": "toy", "private": false, "strength": "hard"}); 2]);
}

#[tokio::test]
async fn inputs_are_numbered_acknowledge_and_fit_the_schema() {
    let more = ["--clients", "1", "--rooms", "1", "--lead", "3", "--seconds", "3", "--warmup", "0.3"];
    let (server, code, report) = play(Script::default(), &more).await;
    assert_eq!(code, 0, "{report}");
    within(&report["inputs_sent"], 0.3 * HZ as f64, 3.3 * HZ as f64);
    let seen = server.seen.lock().unwrap();
    let inputs = &seen.inputs[0];
    assert!(inputs.len() > 50, "{} inputs", inputs.len());
    for (input, seq) in inputs.iter().zip(1..) {
        let &[ack, number, tick, dir, fire, push] = &input[..] else { panic!("{input:?} has not six elements") };
        assert_eq!(number, seq);
        assert!((FIRST_TICK + 3..FIRST_TICK + 200).contains(&tick), "tick {tick}");
        assert!(ack == (tick - 3) % 65_536 || ack == 0, "ack {ack} for tick {tick}");
        assert!((0..4).contains(&dir) && (0..2).contains(&fire) && (-300..=-200).contains(&push), "{input:?}");
    }
    assert!(inputs.last().unwrap()[0] < 200, "the ack has passed 65,535 and begins again");
}

#[tokio::test]
async fn without_inputs_a_client_still_acknowledges() {
    let (server, code, report) = play(Script::default(), &["--clients", "1", "--rooms", "1", "--input-hz", "0"]).await;
    assert_eq!((code, &report["inputs_sent"]), (0, &json!(0)), "{report}");
    let seen = server.seen.lock().unwrap();
    assert!(!seen.inputs[0].is_empty() && seen.inputs[0].iter().all(|input| input.len() == 1), "{:?}", seen.inputs);
}

#[tokio::test]
async fn a_missing_frame_is_an_error_and_asks_for_a_snapshot() {
    let script = Script { skip_frame: Some(5), ..Script::default() };
    let (server, code, report) = play(script, &["--clients", "1", "--rooms", "1", "--verify", "0"]).await;
    assert_eq!((code, &report["errors"]), (1, &json!({"wrong_base": 1})), "{report}");
    assert!(server.seen.lock().unwrap().requests.contains(&("resync".to_owned(), json!({}))));
}

#[tokio::test]
async fn a_wrong_checksum_is_a_desync_only_to_those_who_verify() {
    let script = Script { wrong_checksum: Some(5), ..Script::default() };
    let (server, code, report) = play(script, &["--clients", "3", "--rooms", "1", "--verify", "2"]).await;
    assert_eq!((code, &report["desyncs"], &report["errors_total"]), (1, &json!(2), &json!(0)), "{report}");
    let seen = server.seen.lock().unwrap();
    let resync = seen.requests.iter().find(|(name, _)| name == "resync").unwrap();
    assert!(resync.1["component"].is_u64() && resync.1["expected"] != resync.1["got"], "{resync:?}");
}

#[tokio::test]
async fn when_a_room_ends_the_client_takes_another() {
    let script = Script { over_at: Some(10), ..Script::default() };
    let (server, code, report) = play(script, &["--clients", "2", "--rooms", "2"]).await;
    assert_eq!(code, 0, "{report}");
    within(&report["rejoins"], 1.0, 15.0);
    assert_eq!(report["seated"], json!(2));
    let seen = server.seen.lock().unwrap();
    let quick = seen.requests.iter().filter(|(name, _)| name == "quick").count();
    assert_eq!(json!(quick), report["rejoins"]);
}

#[tokio::test]
async fn a_lost_connection_is_an_error() {
    let script = Script { drop_at: Some(10), ..Script::default() };
    let (_server, code, report) = play(script, &["--clients", "2", "--rooms", "0"]).await;
    assert_eq!((code, &report["errors"]), (1, &json!({"connection_lost": 2})), "{report}");
}

#[tokio::test]
async fn a_refused_seat_is_reported_with_its_code() {
    let script = Script { refuse_tickets: true, ..Script::default() };
    let (_server, code, report) = play(script, &["--clients", "2", "--rooms", "1"]).await;
    assert_eq!((code, &report["seated"]), (1, &json!(0)), "{report}");
    assert_eq!(report["errors"], json!({"ticket_expired": 2}));
}

#[tokio::test]
async fn slow_clients_are_counted_apart() {
    let more = ["--clients", "4", "--rooms", "1", "--slow", "stall=1,crawl=1", "--seconds", "6", "--warmup", "0"];
    let (_server, code, report) = play(Script::default(), &more).await;
    assert_eq!(code, 0, "{report}");
    within_a_second(&report["frames_per_client_s"]);
    within(&report["gap_ms"]["max"], 1.0, 10_000.0);
    let [stall, crawl] = &report["slow"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!((&stall["habit"], &stall["clients"]), (&json!("stall"), &json!(1)));
    assert_eq!((&crawl["habit"], &crawl["clients"]), (&json!("crawl"), &json!(1)));
    // The window is over before the one that stalled reads again; the other had less than it was sent.
    let frames = report["frames_per_client_s"].as_f64().unwrap();
    within(&stall["frames_per_client_s"], 0.1 * frames, 0.95 * frames);
    within(&crawl["bytes_per_client_s"], 100.0, 2300.0);
}

#[tokio::test]
async fn a_report_is_a_page_with_the_figures_and_plots() {
    let path = std::env::temp_dir().join(format!("loadtest-report-{}.html", std::process::id()));
    let more = ["--clients", "2", "--rooms", "1", "--report", path.to_str().unwrap()];
    let (_server, code, report) = play(Script::default(), &more).await;
    assert_eq!(code, 0, "{report}");
    let page = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(page.matches("<svg").count(), 4, "gaps, bytes, steps and CPU");
    for text in ["2 clients play toy", "Time between two frames of a client", "Bytes received", "One step of a room", "CPU time"]
    {
        assert!(page.contains(text), "no {text}");
    }
    for text in ["run --url http://127.0.0.1", "--report", "<th>gap</th>", "99.9%", "gap, ms", "cores kept busy", " cores of "] {
        assert!(page.contains(text), "no {text}");
    }
    assert!(!page.contains("src=") && !page.contains("href="), "the page is self-contained");
    assert!(page.matches("<polyline fill=\"none\" opacity=\"1\" stroke=\"#0072B2\"").count() >= 2, "curves are drawn");
}

/// How often each step of the scenario was done, by name.
fn counts(report: &Value) -> Vec<(&str, u64)> {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().map(|step| (step["step"].as_str().unwrap(), step["count"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn the_lobby_scenario_asks_for_everything_once() {
    let script = Script { ready_check: true, ..Script::default() };
    let more = ["--scenario", "lobby", "--clients", "2", "--mode", "duel", "--seconds", "0.5"];
    let (server, code, report) = play(script, &more).await;
    assert_eq!((code, &report["finished"], &report["errors_total"]), (0, &json!(2), &json!(0)), "{report}");
    let steps = ["connect", "chat", "queue", "accept", "match", "seat", "play", "leave"];
    assert_eq!(counts(&report), steps.map(|step| (step, 2)), "{report}");
    within(&report["steps"][6]["ms"]["p50"], 0.1, 60_000.0);
    let seen = server.seen.lock().unwrap();
    let asked = |name: &str| -> Vec<_> {
        seen.requests.iter().filter(|(asked, _)| asked == name).map(|(_, argument)| argument).collect()
    };
    assert_eq!(asked("enqueue"), [&json!({"game": "toy", "mode": "duel"}); 2]);
    assert_eq!(asked("accept"), [&json!({"check": CHECK}); 2]);
    assert_eq!((asked("listen").len(), asked("chat").len(), asked("leave").len()), (2, 2, 2));
    assert!(seen.inputs.iter().all(|inputs| inputs.len() > 10), "{:?}", seen.inputs);
}

#[tokio::test]
async fn the_lobby_scenario_counts_errors_by_step() {
    let script = Script { mute: true, ..Script::default() };
    let (_server, code, report) = play(script, &["--scenario", "lobby", "--clients", "2"]).await;
    assert_eq!((code, &report["finished"], &report["errors_total"]), (1, &json!(0), &json!(2)), "{report}");
    assert_eq!(report["steps"][1]["errors"], json!({"rate_limited": 2}), "{report}");
    let script = Script { drop_at: Some(5), ..Script::default() };
    let (_server, code, report) = play(script, &["--scenario", "lobby", "--clients", "1"]).await;
    assert_eq!((code, &report["steps"][6]["errors"]), (1, &json!({"connection_lost": 1})), "{report}");
}

/// The library itself, with the game of the comparison.
#[tokio::test]
async fn a_real_server_lets_twelve_clients_through_its_lobby() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["drift", "--hz", "20"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let line = BufReader::new(server.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
    let url = line.strip_prefix("Listening on ").unwrap();
    let output = run(url, &["--scenario", "lobby", "--game", "drift", "--clients", "12", "--seconds", "1"]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report, but {said}"));
    assert_eq!((output.status.code(), &report["finished"]), (Some(0), &json!(12)), "{report} {said}");
    let done = ["connect", "chat", "queue", "match", "seat", "play", "leave"].map(|step| (step, 12));
    let asked: Vec<_> = counts(&report).into_iter().filter(|(step, _)| *step != "accept").collect();
    assert_eq!(asked, done, "{report}");
}

async fn fails_with(url: &str, game: &str, more: &[&str], sentence: &str) {
    let output = run(url, &[&["--game", game], more].concat()).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.lines().last().unwrap().contains(sentence), "{said}");
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn a_run_that_cannot_start_says_why() {
    let server = FakeServer::start(Script::default()).await;
    let url = format!("http://{}", server.address);
    fails_with(&url, "chess", &[], "hosts no game \"chess\"; it hosts toy").await;
    fails_with(&url, "toy", &["--clients", "9", "--rooms", "1"], "take at least 2 rooms").await;
    fails_with(&url, "toy", &["--clients", "1", "--rooms", "2"], "at most one room a client").await;
    fails_with(&url, "toy", &["--clients", "2", "--rooms", "1", "--slow", "crawl=2"], "at least one must keep up").await;
    fails_with(&url, "toy", &["--slow", "crawl"], "try '--help'").await;
    let config = ["--clients", "1", "--rooms", "1", "--config", r#"{"speed": "wrong"}"#];
    fails_with(&url, "toy", &config, "the game refuses --config: the field speed is wrong").await;
    let none =
        "plain cannot be played with --strength hard: the game's bots cannot be hard: they have no strengths to choose from";
    fails_with(&url, "plain", &["--strength", "hard"], none).await;
    fails_with(&url, "toy", &["--strength", "normal"], "the game's bots cannot be normal, only easy or hard").await;
    fails_with(&url, "toy", &["--strength", "easy", "--rooms", "0"], "--rooms 0 creates none").await;
    fails_with("http://127.0.0.1:1", "toy", &[], "cannot reach a server at http://127.0.0.1:1: Connection refused").await;
    fails_with("https://127.0.0.1:1", "toy", &[], "TLS is not supported").await;
}

/// A script named `arcade` prints the URL of the fake server, as the real program prints its own.
#[cfg(unix)]
#[tokio::test]
async fn a_spawned_server_is_measured_and_killed() {
    use std::os::unix::fs::PermissionsExt;

    let server = FakeServer::start(Script::default()).await;
    let place = std::env::temp_dir().join(format!("loadtest-spawn-{}", std::process::id()));
    std::fs::create_dir_all(&place).unwrap();
    let (program, arcade, pid_file) = (place.join("loadtest"), place.join("arcade"), place.join("pid"));
    std::fs::copy(env!("CARGO_BIN_EXE_loadtest"), &program).unwrap();
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = \"--listen 127.0.0.1:0 --log warn\" ] || exit 1\necho $$ > {}\n\
         echo starting\necho '  ready on http://{}/'\nexec sleep 60\n",
        pid_file.display(),
        server.address
    );
    std::fs::write(&arcade, script).unwrap();
    std::fs::set_permissions(&arcade, PermissionsExt::from_mode(0o755)).unwrap();
    let output = Command::new(&program)
        .args(["run", "--game", "toy", "--spawn", "--clients", "1", "--rooms", "1"])
        .args(["--seconds", "0.5", "--warmup", "0", "--json"])
        .output()
        .await
        .unwrap();
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    std::fs::remove_dir_all(&place).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    within(&report["server"]["rss_mb"], 0.1, 100.0);
    within(&report["server"]["cpu_us_per_frame"], 0.0, 1e6);
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists(), "the server still runs");
}
