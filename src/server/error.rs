//! Why a server did not start.

use std::{io, path::PathBuf};

use thiserror::Error;

#[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
use crate::store::StoreError;
#[cfg(feature = "webhook")]
use crate::store::WebhookError;
use crate::{game::GameError, net::AdditionError, store::KeyFileError};

/// Why a server did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A game's registration has a mistake; the error names it.
    #[error(transparent)]
    Game(#[from] GameError),
    /// Two games have one name.
    #[error("two games are named \"{0}\"")]
    SameName(&'static str),
    /// A mode that its game cannot have.
    #[error("{game}: the mode \"{mode}\" cannot be: {message}")]
    Mode {
        /// The game.
        game: String,
        /// The mode.
        mode: String,
        /// What is wrong with it.
        message: String,
    },
    /// A namespace or route of the host's own clashes with something.
    #[error(transparent)]
    Addition(#[from] AdditionError),
    /// What is to be let in is not the origin of a page.
    #[error("\"{0}\" is not an origin: say it with its scheme and without a path, like https://play.example.org")]
    Origin(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// What was asked for.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// Neither guests nor anybody with a token is let in.
    #[error("nobody could come in: guests are not taken, and no key is configured for tokens")]
    Closed,
    /// The folder for data cannot be made.
    #[error("cannot make the folder {folder}: {error}")]
    Data {
        /// What was asked for.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is no key for guests' tokens.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The database does not open.
    #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Results cannot be posted there.
    #[cfg(feature = "webhook")]
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// The page of metrics could not be set up.
    #[cfg(feature = "metrics")]
    #[error("cannot set up metrics: {0}")]
    Metrics(String),
}
