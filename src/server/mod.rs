//! The server: the builder, its configuration, start and shutdown. The foyer that joins the rooms above it; it decides nothing of its own.

mod error;
mod persistence;
mod builder;
mod running;
mod cli;
mod program;

pub use self::{
    builder::{Config, ServerBuilder, server},
    error::StartError,
    running::RunningServer,
};
