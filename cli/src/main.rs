//! `tickcast`: makes games, and runs them while they are written.
//!
//! It knows the files of a game and the tools that build them. It refuses to know rules, sockets and the library itself, so that it
//! builds in seconds.

mod name;
mod origin;
mod template;
mod new;
mod dev;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{dev::DevArgs, new::NewArgs};

/// The exit code for a request that cannot be met. It is clap's for arguments that it refuses.
const REFUSED: u8 = 2;

/// Makes multiplayer games for browsers on Tickcast, and runs them while they are written.
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
    /// Build the game in this folder, run it, and do so again whenever a file changes.
    Dev(DevArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::New(args) => new::make(&args),
        Command::Dev(args) => dev::run(args),
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
