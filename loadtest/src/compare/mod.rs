//! Compares Tickcast with its peers and a floor. Each server runs the same scenario on a core of its own, one after the other,
//! several times. `docs/PERFORMANCE.md` explains the figures.

mod scenario;
mod pin;
mod launch;
mod figures;
mod dialect;
mod bot;
mod measure;
mod comparison;

use anyhow::bail;
use clap::Args;

use crate::args::at_least_one;
use crate::compare::comparison::Comparison;
use crate::compare::figures::{Row, Sample};
use crate::compare::launch::Launch;
pub(crate) use crate::compare::launch::{Node, find_node, install_colyseus};
use crate::compare::pin::Pinning;
use crate::compare::scenario::{Peer, Scenario};
use crate::run;

/// The number of seats in a room of the bench game.
const SEATS: usize = 250;

/// The command line of `compare`.
#[derive(Debug, Clone, Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    scenario: Scenario,
    /// How many times to run each server. The figures are medians.
    #[arg(long, default_value_t = 3, value_parser = at_least_one)]
    repeats: usize,
    /// Measure these servers only. The floor and the limit need Tickcast, because their frames have the size of Tickcast's.
    #[arg(long, value_delimiter = ',', value_name = "SERVERS")]
    only: Vec<Peer>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs the comparison. The row of a server that cannot run has the reason.
pub(crate) async fn compare(args: &CompareArgs) -> anyhow::Result<Comparison> {
    let scenario = args.scenario;
    if scenario.rooms > scenario.clients {
        bail!("{} clients cannot fill {} rooms", scenario.clients, scenario.rooms);
    }
    if scenario.clients.div_ceil(scenario.rooms) > SEATS {
        bail!("a room has at most {SEATS} seats: take at least {} rooms", scenario.clients.div_ceil(SEATS));
    }
    run::raise_file_limit(scenario.clients)?;
    let mut runs = Runs::prepare(args).await;
    let pinning = Pinning::of_this_process();
    if let Some(why) = pinning.why_not() {
        eprintln!("not pinned, so the server and the clients share cores: {why}");
    }
    for repeat in 0..args.repeats {
        for peer in order(repeat) {
            if runs.entries[peer as usize].launch.is_ok() {
                eprintln!("repeat {} of {}: {peer}", repeat + 1, args.repeats);
                runs.measure(peer, &pinning).await;
            }
        }
    }
    let rows = runs.entries.map(|entry| Row::new(&entry.samples, entry.launch));
    Ok(Comparison::new(scenario, args.repeats, &pinning, rows))
}

/// The order of the servers in a repeat. It rotates by one each time. Tickcast comes first in the first repeat, since the
/// floor and the limit take its frame size.
fn order(repeat: usize) -> [Peer; 5] {
    let mut order = [Peer::Tickcast, Peer::Floor, Peer::Limit, Peer::Socketio, Peer::Colyseus];
    order.rotate_left(repeat % Peer::ALL.len());
    order
}

/// One server: how to start it, or the reason why it cannot run, and the samples of its repeats.
struct PeerRuns {
    launch: Result<Launch, String>,
    samples: Vec<Sample>,
}

struct Runs {
    scenario: Scenario,
    /// As in [`Peer::ALL`].
    entries: [PeerRuns; 5],
}

impl Runs {
    async fn prepare(args: &CompareArgs) -> Self {
        let wanted = |peer| args.only.is_empty() || args.only.contains(&peer);
        let launches = launch::prepare(args.scenario.hz, wanted).await;
        Self { scenario: args.scenario, entries: launches.map(|launch| PeerRuns { launch, samples: Vec::new() }) }
    }

    async fn measure(&mut self, peer: Peer, pinning: &Pinning) {
        let payload = self.entries[Peer::Tickcast as usize].samples.last().and_then(|sample| sample.payload);
        let entry = &mut self.entries[peer as usize];
        let Ok(launch) = &entry.launch else { return };
        let measured = async {
            let server = launch.start(peer, pinning, payload).await?;
            let sample = measure::drive(peer, &server, &self.scenario).await;
            server.stop().await;
            sample
        };
        match measured.await {
            Ok(sample) => entry.samples.push(sample),
            // A row with the figures of some repeats only would mislead.
            Err(e) => entry.launch = Err(format!("{e:#}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_rotates_and_begins_with_tickcast() {
        assert_eq!(order(0)[..2], [Peer::Tickcast, Peer::Floor]);
        assert_eq!(order(1), [Peer::Floor, Peer::Limit, Peer::Socketio, Peer::Colyseus, Peer::Tickcast]);
        assert_eq!(order(5), order(0));
    }
}
