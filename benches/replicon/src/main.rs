//! Compares bevy_replicon and Tickcast on the same world: 1,000 entities with a 2D position, which all change in each update, for
//! 1 and for 20 clients. The program prints a table, and below it what is timed.
//!
//! `cargo run --release --manifest-path benches/replicon/Cargo.toml`

mod ours;
mod theirs;

use std::{process::ExitCode, time::Duration};

/// Entities in the world.
const ENTITIES: usize = 1000;

/// Updates before the timed ones.
const WARMUP: usize = 50;

/// Updates that are timed one by one.
const UPDATES: usize = 300;

/// The smallest accepted ratio for each number of clients.
const BARS: [(usize, f64); 2] = [(1, 4.0), (20, 50.0)];

fn main() -> ExitCode {
    println!("{ENTITIES} entities, two f32 each, all dirty; the median of {UPDATES} updates\n");
    println!("| clients | bevy_replicon 0.44.3 | tickcast | ratio | bar |");
    println!("| --- | --- | --- | --- | --- |");
    let mut passed = true;
    for (clients, bar) in BARS {
        let theirs = median(theirs::updates(clients));
        let ours = median(ours::updates(clients));
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        passed &= ratio >= bar;
        println!("| {clients} | {} us | {} us | {ratio:.1} | {bar} |", micros(theirs), micros(ours));
    }
    println!(
        "\nbevy_replicon: `App::update` of the server. It runs the schedules, reads acknowledgements, finds changes, and\n\
         serialises a message for each client. Not timed: the game's writes, the exchange of messages, and the clients.\n\
         tickcast: `Replicator::collect` finds and encodes the changes, and each client's frame is written as bytes.\n\
         Acknowledgements are one integer per seat and cost nothing here. Not timed: the game's writes and the clients.\n\
         Before the timed updates, both checked that every client held the server's world."
    );
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

/// Returns the position of an entity after an update. It changes in each update, and stays within a few units.
fn position(n: usize, update: usize) -> (f32, f32) {
    let by = if update.is_multiple_of(2) { 0.0 } else { 0.09375 };
    (n as f32 * 0.5 + by, -(n as f32) * 0.25 - by)
}
