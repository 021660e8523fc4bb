//! The type of an attack.

use std::future::Future;
use std::pin::Pin;

use super::attacker::Attacker;

/// The attacker's observation for the table, or the reason why the server's answer falls short.
pub(crate) type Seen = anyhow::Result<String>;

/// One bad thing that a client, or the rules of a game, can do.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Reasons of `tickcast_drops_total` and codes of `tickcast_refused_total`, one of which must be counted. Empty if nothing is thrown
    /// away: the server serves the client as it serves others, or the library ignores what came.
    pub(crate) counted: &'static [&'static str],
    /// Whether it belongs to the short form.
    pub(crate) quick: bool,
    pub(crate) run: fn(Attacker) -> Pin<Box<dyn Future<Output = Seen> + Send>>,
}
