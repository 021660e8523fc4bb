//! The command line of `run`, and the value parsers that both commands use.

use std::path::PathBuf;

use clap::builder::ArgPredicate;
use clap::{Args, ValueEnum};
use tickcast::game::Strength;

use crate::connection::Transport;
use crate::slow::SlowMix;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Scenario for the clients. Default: they take seats in rooms and play.
    #[arg(long, value_enum, conflicts_with_all = ["rooms", "warmup", "config", "strength", "lead", "verify", "slow", "report"])]
    pub(crate) scenario: Option<Scenario>,
    /// The game to play. Default with a scenario: arena.
    #[arg(
        long,
        required = false,
        required_unless_present = "scenario",
        default_value_if("scenario", ArgPredicate::IsPresent, "arena")
    )]
    pub(crate) game: String,
    /// Number of clients. Default: 100, 1000 in the scenario lobby, 200 in the scenario flaky.
    #[arg(
        long,
        default_value_t = 100,
        default_value_ifs([("scenario", "lobby", "1000"), ("scenario", "flaky", "200")]),
        hide_default_value = true,
        value_parser = at_least_one
    )]
    pub(crate) clients: usize,
    /// Clients of a scenario that arrive per second.
    #[arg(long, requires = "scenario", default_value_t = 50.0, value_parser = arrivals)]
    pub(crate) arrivals: f64,
    /// The mode to queue for in a scenario, on a server whose games have modes.
    #[arg(long, requires = "scenario")]
    pub(crate) mode: Option<String>,
    /// Number of rooms to create. Default: 10, or as many as the clients need. 0: every client joins by `quick`.
    #[arg(long)]
    pub(crate) rooms: Option<usize>,
    /// Seconds to measure, or seconds that each client of a scenario plays.
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    pub(crate) seconds: f64,
    /// Seconds to wait between the last client's seat and the measurement.
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    pub(crate) warmup: f64,
    /// The server to load.
    #[arg(long, default_value = "http://127.0.0.1:3000", conflicts_with = "spawn")]
    pub(crate) url: String,
    /// Start the `arcade` server on a free port of this machine, and kill it at the end.
    #[arg(long)]
    pub(crate) spawn: bool,
    /// Configuration of the created rooms: a JSON object with the fields of the game's configuration.
    #[arg(long, value_name = "JSON", value_parser = json_object)]
    pub(crate) config: Option<serde_json::Value>,
    /// How strong the bots of the created rooms play: easy, normal or hard. Default: as the server decides. Bots play where fewer
    /// clients sit than the game fills seats.
    #[arg(long, value_parser = strength)]
    pub(crate) strength: Option<Strength>,
    /// Inputs per second of each client. Default: the room's tick rate. 0: none.
    #[arg(long, value_name = "HZ")]
    pub(crate) input_hz: Option<u16>,
    /// Ticks from the newest frame to the tick that an input is for.
    #[arg(long, value_name = "TICKS", default_value_t = 2)]
    pub(crate) lead: u32,
    /// Number of clients that decode every frame and check its checksums. Default: one in 20.
    #[arg(long, value_name = "CLIENTS")]
    pub(crate) verify: Option<usize>,
    /// Clients that are slow on purpose, for example `stall=5,crawl=5`. Stalling clients read for 5 s, then pause for 5 s;
    /// crawling clients read 2 kB per second. Their figures are kept apart from the others'.
    #[arg(long, value_name = "MIX", default_value = "stall=0,crawl=0", hide_default_value = true)]
    pub(crate) slow: SlowMix,
    /// Write a self-contained HTML page with plots to this file.
    #[arg(long, value_name = "HTML")]
    pub(crate) report: Option<PathBuf>,
    /// Seed of the inputs.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads for the clients. Use more than one if one has too little CPU time.
    #[arg(long, default_value_t = 1, value_parser = at_least_one)]
    pub(crate) threads: usize,
    /// The transport of the clients' connections.
    #[arg(long, value_enum, default_value = "websocket", conflicts_with = "slow")]
    pub(crate) transport: Transport,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Each client connects as a guest, sends a chat message, queues, accepts a ready check, plays, and leaves.
    Lobby,
    /// Each client queues, accepts, plays and leaves through a proxy, in which its line dies before and after these steps. A server
    /// of its own is started. At the end everybody must have played in one match, and nobody may be left.
    Flaky,
}

pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(e) => Err(format!("{e}")),
    }
}

pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=1e6).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number of seconds from 0 to 1000000".to_owned()),
    }
}

fn arrivals(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.1..=1e4).contains(&rate) => Ok(rate),
        _ => Err("must be from 0.1 to 10000 per second".to_owned()),
    }
}

fn strength(text: &str) -> Result<Strength, String> {
    let named = Strength::ALL.into_iter().find(|strength| strength.as_str() == text);
    named.ok_or_else(|| "must be easy, normal or hard".to_owned())
}

fn json_object(text: &str) -> Result<serde_json::Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ serde_json::Value::Object(_)) => Ok(value),
        Ok(_) => Err("must be a JSON object".to_owned()),
        Err(e) => Err(format!("not JSON: {e}")),
    }
}
