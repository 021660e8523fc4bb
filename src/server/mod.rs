//! The server: the builder, its configuration, start and shutdown. The foyer that joins the rooms above it; it decides nothing of its own.

mod error;
mod persistence;
mod rules;
mod builder;
mod page_folder;
mod limits;
mod running;
#[cfg(feature = "cli")]
mod modes;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "cli")]
mod greeting;
#[cfg(feature = "cli")]
mod program;

pub use self::{
    builder::{Config, ServerBuilder, server},
    error::StartError,
    limits::LimitError,
    running::RunningServer,
};
