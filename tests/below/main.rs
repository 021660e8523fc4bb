//! Tests of the library below the seam, which need no feature: no sockets, no tasks, and time that only the test moves.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "../support/field.rs"]
mod field;
#[path = "../support/imports.rs"]
mod imports;
#[path = "../support/meadow.rs"]
mod meadow;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/remote.rs"]
mod remote;
#[path = "../support/slide.rs"]
mod slide;
#[path = "../support/tiers.rs"]
mod tiers;
#[path = "../support/walk.rs"]
mod walk;

mod avatar;
mod budget;
mod bytes;
mod commands;
mod derives;
mod determinism;
mod examples;
mod inputs;
mod interest;
mod interest_rule;
mod layering;
mod links;
mod lists;
mod map;
mod merged;
mod on_input;
mod predict;
mod predict_rule;
mod registration;
mod removed;
mod replication;
mod rewind;
mod seats;
mod slow;
mod spectators;
mod strength;
mod wire;
