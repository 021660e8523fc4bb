//! The state that the clients of the scenario share: the server, what each of them believes, and the counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;

use crate::args::RunArgs;
use crate::connection::{Target, Transport};
use crate::tally::{Tally, locked};

/// One entry of the event `seats`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct SeatOf {
    pub(crate) name: String,
    pub(crate) status: String,
}

/// A client's own view of where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// The id that the server gave. Empty before the first session.
    pub(crate) user: String,
    /// The client's present doing, in a word.
    pub(crate) stage: &'static str,
    /// The room of its seat.
    pub(crate) room: Option<String>,
    /// The seats of that room, as the server told them last.
    pub(crate) seats: Vec<SeatOf>,
    /// Whether it plays, all its deaths in the match are behind it, and the server has taken an input since.
    pub(crate) is_settled: bool,
    /// The last loss or refusal, for the case that it never gets a seat.
    pub(crate) last: String,
}

/// The counts of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) reconnections: u64,
    /// Connections that were lost although the line was alive.
    pub(crate) unplanned: u64,
    /// Refusals that a client may meet, and after which it went on, by code.
    pub(crate) refusals: BTreeMap<String, u64>,
    /// The times from the first request for a match to the seat.
    pub(crate) waits: Vec<Duration>,
    pub(crate) errors: BTreeMap<String, u64>,
    /// The first errors, with the client and what happened.
    pub(crate) named: Vec<String>,
}

/// How many errors are named. The counts have all.
const NAMED: usize = 20;

/// The state that all clients share.
pub(crate) struct Shared {
    pub(crate) target: Target,
    /// Bytes are counted here, and not reported.
    pub(crate) tally: Arc<Tally>,
    pub(crate) seed: u64,
    pub(crate) transport: Transport,
    /// How long a client plays at least.
    pub(crate) play: Duration,
    /// True once the clients are to leave their matches.
    pub(crate) leaving: watch::Sender<bool>,
    accounts: Vec<Mutex<Account>>,
    counts: Mutex<Counts>,
}

impl Shared {
    pub(crate) fn new(target: Target, args: &RunArgs) -> Self {
        let account = |number| Account { name: name(number), stage: "connecting", ..Account::default() };
        Self {
            target,
            tally: Arc::new(Tally::new()),
            seed: args.seed,
            transport: args.transport,
            play: Duration::from_secs_f64(args.seconds),
            leaving: watch::Sender::new(false),
            accounts: (0..args.clients).map(|number| Mutex::new(account(number))).collect(),
            counts: Mutex::default(),
        }
    }

    /// Changes what a client believes.
    pub(crate) fn note(&self, client: usize, change: impl FnOnce(&mut Account)) {
        change(&mut locked(&self.accounts[client]));
    }

    pub(crate) fn accounts(&self) -> Vec<Account> {
        self.accounts.iter().map(|account| locked(account).clone()).collect()
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut locked(&self.counts));
    }

    pub(crate) fn counts(&self) -> Counts {
        locked(&self.counts).clone()
    }

    /// Counts an error, and names the client if it is one of the first.
    pub(crate) fn error(&self, client: usize, kind: &str, text: &str) {
        self.count(|counts| {
            *counts.errors.entry(kind.to_owned()).or_default() += 1;
            if counts.named.len() < NAMED {
                counts.named.push(format!("{}: {kind}: {text}", name(client)));
            }
        });
    }
}

/// The display name of a client. No two have the same.
pub(crate) fn name(client: usize) -> String {
    format!("flaky {client}")
}
