//! Identity: which users are admitted, and under which id.
//!
//! This room knows tokens, guests, a host's own hook and the block list. It refuses to know sockets and rooms.

mod error;
mod signed;
mod blocks;
mod guest;
mod hook;
#[cfg(feature = "jwt")]
mod jwt;
mod gate;

#[cfg(feature = "jwt")]
pub use self::jwt::{Jwt, KeyError};
pub(crate) use self::signed::{SigningKey, unix_seconds};
pub use self::{
    blocks::BlockStore,
    error::IdentityError,
    gate::{Admitted, Credentials, Gate},
    guest::GuestKey,
    hook::{Hook, HookFuture, VerifiedUser},
};

#[cfg(test)]
#[cfg(feature = "jwt")]
mod tests;
