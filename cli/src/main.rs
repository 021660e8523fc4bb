//! `tickcast`: makes games.
//!
//! It knows the files of a game and the tools that build them. It refuses to know rules, sockets and the library itself, so that it
//! builds in seconds.

mod name;
mod origin;
mod template;
mod new;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::new::NewArgs;

/// The exit code for a request that cannot be met. It is clap's for arguments that it refuses.
const REFUSED: u8 = 2;

/// Makes multiplayer games for browsers on Tickcast.
#[derive(Debug, Parser)]
#[command(name = "tickcast", version, after_help = "Exit code: 0 if it was done, 2 if not.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a game: a crate with rules, a bot, a test and a page.
    New(NewArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::New(args) => new::make(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("tickcast: {reason:#}");
            ExitCode::from(REFUSED)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
