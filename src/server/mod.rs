//! The server: the builder, its configuration, start and shutdown. The foyer that joins the rooms above it; it decides nothing of its own.

mod builder;
mod cli;
mod persistence;
mod running;

pub use builder::{Config, ServerBuilder, server};
pub use running::{RunningServer, StartError};
