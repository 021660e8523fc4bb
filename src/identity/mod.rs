//! Identity: who is let in, and as whom.
//!
//! This room knows tokens, guests, a host's own checks and the block list. It refuses to know sockets and rooms.

mod error;
mod blocks;
mod guest;
mod hook;
mod jwt;
mod gate;

pub use self::{
    blocks::BlockStore,
    error::IdentityError,
    gate::{Admitted, Credentials, Gate},
    guest::GuestKey,
    hook::{Checked, Hook, Person},
    jwt::{Jwt, KeyError},
};

#[cfg(test)]
mod tests;
