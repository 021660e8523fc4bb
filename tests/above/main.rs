//! Tests of the library above the seam: hosted rooms, and a server on a free port. They read its counters at `/metrics`, so they
//! need the feature `metrics`.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../support/duel.rs"]
mod duel;
#[path = "../support/folder.rs"]
mod folder;
#[path = "../support/heap.rs"]
mod heap;
#[path = "../support/polling.rs"]
mod polling;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/race.rs"]
mod race;
#[cfg(all(feature = "store-postgres", feature = "store-sqlite", feature = "webhook"))]
#[path = "../support/results.rs"]
mod results;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/swarm.rs"]
mod swarm;
#[path = "../support/tiers.rs"]
mod tiers;
#[path = "../support/walk.rs"]
mod walk;

mod additions;
mod allowances;
mod budgets;
mod commands;
mod conformance;
mod desync;
mod endpoints;
mod farewell;
mod frames;
mod gameplay;
mod host;
mod hostile;
#[cfg(feature = "jwt")]
mod identity;
mod leaving;
mod lobby;
mod matchmaking;
mod memory;
mod metrics;
mod modes;
#[cfg(all(feature = "store-postgres", feature = "store-sqlite", feature = "webhook"))]
mod outage;
mod packed;
mod people;
mod proxied;
mod requests;
mod reenter;
mod resting;
mod rules;
mod secrets;
mod shares;
mod social;
mod stalled;
mod steady;
#[cfg(all(feature = "store-postgres", feature = "store-sqlite", feature = "webhook"))]
mod store;
mod strength;
mod threads;
mod tickets;
mod upgrade;
mod watching;
#[cfg(all(feature = "store-postgres", feature = "store-sqlite", feature = "webhook"))]
mod webhook;
