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
    /// The registration of a game has a mistake.
    #[error(transparent)]
    Game(#[from] GameError),
    /// A method of the builder that sets one value was called twice.
    #[error("{0} must be called once at most, because a second call would replace what the first one set")]
    Repeated(&'static str),
    /// Two games have one name.
    #[error("two games are named \"{0}\"")]
    SameName(&'static str),
    /// A game has no use for the module of rules that was given for it.
    #[error("{game}: .rules::<..>(..) {message}")]
    Rules {
        /// The game.
        game: &'static str,
        /// The reason.
        message: &'static str,
    },
    /// A mode does not fit its game.
    #[error("{game}: the mode \"{mode}\" cannot be: {message}")]
    Mode {
        /// The game.
        game: String,
        /// The mode.
        mode: String,
        /// The reason.
        message: String,
    },
    /// A namespace, route or page that was added clashes with another.
    #[error(transparent)]
    Addition(#[from] AdditionError),
    /// A text in `allow_origin` is not an origin.
    #[error("\"{0}\" is not an origin: give the scheme and the host without a path, like https://play.example.org")]
    Origin(String),
    /// A text in `trust_proxy` is neither a network nor an address.
    #[error("\"{0}\" is not a network of proxies: give one like 10.0.0.0/8, or an address like 127.0.0.1")]
    Proxy(String),
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The value that was given.
        address: String,
        /// The system's error.
        error: io::Error,
    },
    /// Guests are refused, and no tokens are configured.
    #[error("nobody could join: guests are refused, and there is neither a key for tokens nor a hook")]
    Closed,
    /// The folder for data cannot be created.
    #[error("cannot create the folder {folder}: {error}")]
    Data {
        /// The value that was given.
        folder: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The key of guests' tokens cannot be read or created.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The database cannot be opened.
    #[cfg(any(feature = "store-sqlite", feature = "store-postgres"))]
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The webhook is configured wrongly.
    #[cfg(feature = "webhook")]
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// The recorder of metrics cannot be set up.
    #[cfg(feature = "metrics")]
    #[error("cannot set up metrics: {0}")]
    Metrics(String),
}
