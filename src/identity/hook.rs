//! A host's own check.

use std::{
    future::{Future, ready},
    pin::Pin,
};

use super::error::IdentityError;
use crate::lobby::{DisplayName, Identity, UserId};

/// What a check comes to, after a while. It is given up after five seconds.
pub type Checked<'a, T> = Pin<Box<dyn Future<Output = Result<T, IdentityError>> + Send + 'a>>;

/// Somebody whom a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who it is.
    pub user: UserId,
    /// What others see; without it the name is for the client to say.
    pub name: Option<DisplayName>,
}

/// A host's own check of who is let in. Both questions have an answer that changes nothing.
pub trait Hook: Send + Sync + 'static {
    /// Whom a token names that is no guest's; asked before the configured issuer. `None`: not mine, go on.
    fn recognise<'a>(&'a self, token: &'a str) -> Checked<'a, Option<Person>> {
        let _ = token;
        Box::pin(ready(Ok(None)))
    }

    /// The last word on somebody who would be let in.
    fn permit<'a>(&'a self, identity: &'a Identity) -> Checked<'a, ()> {
        let _ = identity;
        Box::pin(ready(Ok(())))
    }
}
